"""Files are whole or not there, and a kill leaves no litter for long."""

import os
import subprocess
import sys

import pytest

from avnnet.atomic import whole_file, whole_folder, write_text_atomically
from avnnet.errors import OutputNotWritable

KILLED = """
import os, signal, sys
from avnnet.atomic import whole_file

with whole_file(sys.argv[1]) as partial:
    partial.write_text("half of i")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_writing(path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(path)]).returncode == -9


def test_a_kill_leaves_the_old_file_and_the_next_write_no_litter(tmp_path):
    path = write_text_atomically(tmp_path / "a.txt", "old")
    killed_while_writing(path)
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 2
    write_text_atomically(path, "new")
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("a.txt", "new")]


def test_the_partial_file_of_a_running_process_or_another_file_stays(tmp_path):
    killed_while_writing(tmp_path / "b.txt")
    with whole_file(tmp_path / "a.txt") as partial:
        partial.write_text("outer")
        other = partial.with_name(partial.name.replace(str(os.getpid()), str(os.getppid())))
        other.write_text("of a process that runs")
        with whole_file(tmp_path / "c.txt") as inner:
            inner.write_text("c")
    assert (tmp_path / "a.txt").read_text() == "outer"
    assert other.exists()
    assert len([path for path in tmp_path.iterdir() if path.name.endswith("b.txt")]) == 1


KILLED_FOLDER = KILLED.replace("whole_file", "whole_folder").replace("partial.write", "(partial / 'b').write")


def test_a_kill_leaves_no_folder_and_the_next_write_no_litter(tmp_path):
    folder = tmp_path / "a"
    assert subprocess.run([sys.executable, "-c", KILLED_FOLDER, str(folder)]).returncode == -9
    assert [path.name.startswith(".partial-") for path in tmp_path.iterdir()] == [True]
    with whole_folder(folder) as partial:
        (partial / "b").write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (folder / "b").read_text() == "whole"


def write_too_late(folder) -> None:
    with whole_folder(folder) as partial:
        (partial / "b").write_text("ours")
        folder.mkdir()
        (folder / "b").write_text("theirs")


def test_a_folder_that_somebody_fills_meanwhile_is_kept(tmp_path):
    with pytest.raises(OutputNotWritable, match="not empty"):
        write_too_late(tmp_path / "a")
    assert [(path.name, (path / "b").read_text()) for path in tmp_path.iterdir()] == [("a", "theirs")]


def failing_write(path) -> None:
    with whole_file(path) as partial:
        partial.write_text("half")
        raise ValueError("no")


def test_a_write_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="no"):
        failing_write(tmp_path / "a.txt")
    assert list(tmp_path.iterdir()) == []
