import pandas as pd
import pytest

from avnnet.atomic import whole_file
from avnnet.errors import MissingFile, OutputNotWritable
from avnnet.progress import Reporter
from avnnet.tables import read_table, write_table


def test_text_that_a_spreadsheet_would_run_is_made_harmless_and_numbers_stay_numbers(tmp_path):
    table = pd.DataFrame({"patient_id": ["=1+1", "@x", "007"], "bias_cm3": [-2.12, 1.5, float("nan")]})
    text = write_table(table, tmp_path / "t.csv").read_text()
    assert text == "patient_id,bias_cm3\n'=1+1,-2.12\n'@x,1.5\n007,\n"


def test_ids_stay_text_and_a_patient_may_be_called_na(tmp_path):
    table = pd.DataFrame({"patient_id": ["007", "NA"], "dice": [0.5, float("nan")], "hd95_mm": [float("inf"), 1.0]})
    back = read_table(write_table(table, tmp_path / "t.csv"))
    pd.testing.assert_frame_equal(back, table, check_dtype=False)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MissingFile, match=r"t\.csv"):
        read_table(tmp_path / "t.csv")


def test_a_file_is_whole_or_as_it_was(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def killed() -> None:
        with whole_file(path) as partial:
            partial.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        killed()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_text() == "before"


def test_a_place_that_cannot_be_written_is_a_named_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputNotWritable, match="choose another folder"), whole_file(tmp_path / "file" / "a.txt"):
        pass


def test_progress_in_a_log_is_plain_lines_with_a_last_one(capsys):
    with Reporter().steps("reading", 3) as step:
        for done in (1, 2, 3):
            step(done, f"case {done}")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("reading: 1/3 case 1")
    assert lines[-1].endswith("reading: 3/3 case 3")


def test_a_quiet_reporter_says_nothing(capsys):
    reporter = Reporter(is_quiet=True)
    reporter.say("hello")
    with reporter.steps("reading", 1) as step:
        step(1)
    assert capsys.readouterr().out == ""
