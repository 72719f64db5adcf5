"""Nothing is written through a link out of the folder of outputs (row S04)."""

import os
import socket

import pytest

from avnnet.atomic import PARTIAL, write_text_atomically
from avnnet.cli import main
from tests.faults.test_security import model, predict  # noqa: F401  # a fixture
from tests.report.conftest import write_study
from tests.stats.conftest import made_up_study


@pytest.mark.parametrize("entry", ["c0001.nii.gz", "measurements.csv"])
def test_s04_a_link_out_of_the_output_folder_is_refused(model, series, tmp_path, entry, capsys):  # noqa: F811
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "out" / entry).symlink_to(tmp_path / "precious")
    assert predict(model, series, "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("UnsafePath: ")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [entry]
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("entry", ["tables", "figures"])
def test_s04_a_link_in_the_place_of_a_folder_of_outputs_is_refused(tmp_path, entry, capsys):
    study = write_study(tmp_path / "study", *made_up_study(patients=7))
    (tmp_path / "outside").mkdir()
    (study / entry).symlink_to(tmp_path / "outside")
    assert main(["report", str(study)]) == 2
    assert capsys.readouterr().err.startswith("UnsafePath: ")
    assert list((tmp_path / "outside").iterdir()) == []


def test_s04_a_link_in_the_place_of_a_partial_file_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("precious")
    partial = tmp_path / f"{PARTIAL}{os.getpid()}-{socket.gethostname()}-a.txt"
    partial.symlink_to(tmp_path / "precious")
    write_text_atomically(tmp_path / "a.txt", "ours")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "a.txt").is_symlink()
