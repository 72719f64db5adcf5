"""One table of commands, each a module of its own, and helps that load nothing heavy."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import avnnet.cli
from avnnet.cli import COMMANDS, main, parser, study
from avnnet.cli.words import add_out
from avnnet.errors import InvalidConfig

ROOMS = sorted(path.stem for path in Path(avnnet.cli.__file__).parent.glob("*.py") if path.stem != "__main__")
NAMES = [command.__name__.rpartition(".")[2].rstrip("_") for command in COMMANDS]


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert re.findall(r"^    (\w+) ", text, re.M) == NAMES
    assert len(NAMES) == 15


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("study", "--out"),
        ("predict", "--out"),
        ("evaluate", "--out"),
        ("compare", "--out"),
        ("phantom", "gallery"),
        ("phantom cohort", "--sequence"),
        ("phantom gallery", "--seed"),
    ],
)
def test_every_command_explains_its_options(command, option, capsys):
    with pytest.raises(SystemExit):
        parser().parse_args([*command.split(), "--help"])
    assert option in capsys.readouterr().out


def test_ctrl_c_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run", stop)
    assert main(["study", "c.csv", "--nets", "n.yaml", "--out", str(tmp_path)]) == 130
    assert "same command" in capsys.readouterr().err


SCRIPT = """
import sys
def packages():
    return {name.partition(".")[0] for name in sys.modules}
before = packages()
%s
print(sorted(packages() - before - sys.stdlib_module_names))
"""
HELPS = """
from avnnet.cli import main
for words in %r:
    try:
        main([*words, "--help"])
    except SystemExit:
        pass
"""


def loaded_beside_the_standard_library(code):
    """The packages that a new process loads for this code."""
    done = subprocess.run([sys.executable, "-c", SCRIPT % code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_of_the_command_line_loads_nothing_but_avnnet_when_it_is_imported(room):
    code = "import avnnet.cli" if room == "__init__" else f"import avnnet.cli.{room}"
    assert loaded_beside_the_standard_library(code) == "['avnnet']"


def test_no_help_but_lightnings_loads_anything_but_avnnet():
    words = [[], *([name] for name in NAMES if name != "fit"), ["phantom", "cohort"], ["phantom", "gallery"]]
    assert loaded_beside_the_standard_library(HELPS % words) == "['avnnet']"


def test_a_heavy_import_would_be_seen():
    assert loaded_beside_the_standard_library("import avnnet.cli, numpy") == "['avnnet', 'numpy']"


@pytest.fixture
def hello(monkeypatch):
    """A new command: a module of its own, and its place in the table."""

    def run(args):
        if args.failed < 0:
            raise InvalidConfig("no number of failed cases is negative")
        print(f"{args.typed} -> {args.out}")
        return args.failed

    def add(commands):
        hello = commands.add_parser("hello", help="say hello")
        hello.set_defaults(run=run)
        hello.add_argument("--failed", type=int, default=0)
        add_out(hello, "folder")

    monkeypatch.setattr(avnnet.cli, "COMMANDS", (*COMMANDS, SimpleNamespace(add=add)))


@pytest.mark.parametrize(("failed", "code"), [(0, 0), (2, 3), (-1, 2)])
@pytest.mark.usefixtures("hello")
def test_a_new_command_is_a_module_and_its_place_in_the_table(tmp_path, capsys, failed, code):
    assert main(["hello", f"--failed={failed}", "--out", str(tmp_path)]) == code
    shown = capsys.readouterr()
    assert (f"avnnet hello --failed={failed} --out {tmp_path} -> {tmp_path}\n" == shown.out) == (failed >= 0)
    assert shown.err == ("InvalidConfig: no number of failed cases is negative\n" if failed < 0 else "")


def test_python_m_is_the_same_program(capsys):
    done = subprocess.run([sys.executable, "-m", "avnnet.cli", "--help"], capture_output=True, text=True, check=True)
    with pytest.raises(SystemExit):
        main(["--help"])
    assert done.stdout == capsys.readouterr().out
