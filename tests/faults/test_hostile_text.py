"""What a header or a table says is text in terminals, charts and spreadsheets, or is not shown (rows S02, S03, S05)."""

import csv
import warnings

import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.report import write_report
from avnnet.tables import write_table
from tests.faults.conftest import edit_all
from tests.report.conftest import write_study
from tests.stats.conftest import made_up_study


@pytest.mark.parametrize("odd", [{"SeriesInstanceUID": "1.2.Zqxjk"}, {"PatientID": "Zqxjk" * 60}])
def test_s05_pydicom_says_nothing_of_a_header_value(series, odd, capfd):
    edit_all(series, **odd)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["scan", str(series)]) == 0
    assert capfd.readouterr().err == ""


def test_s03_the_name_of_a_column_is_no_formula(tmp_path):
    path = write_table(pd.DataFrame({"=1+1": [1.0], "@x": ["a"]}), tmp_path / "t.csv")
    assert path.read_text().splitlines()[0] == "'=1+1,'@x"


@pytest.mark.parametrize("cell", ["\r=1+1", "x\r=1+1", "x\r\n=1+1", "\n=1+1"])
def test_s03_a_return_within_a_cell_starts_no_row(tmp_path, cell):
    path = write_table(pd.DataFrame({"text": [cell], "dice": [-0.5]}), tmp_path / "t.csv")
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 2
    assert rows[1][1] == "-0.5"
    assert not rows[1][0].startswith(("=", "\r", "\n"))
    assert "\r" not in path.read_bytes().decode()


def test_s02_the_name_of_a_reader_is_no_markup_of_the_terminal(tmp_path, capsys):
    # as markup the first is an error, the second is swallowed, the third goes through to the terminal
    name = "[/b][red]net\x1b[31mnet"
    tables = (table.assign(reader=table["reader"].replace("ensemble", name)) for table in made_up_study(patients=7))
    assert main(["report", str(write_study(tmp_path, *tables))]) == 0
    shown = capsys.readouterr().out
    assert "\x1b" not in shown
    assert shown.count("".join(c for c in name if c.isprintable())) > 3


def test_s02_the_name_of_a_stage_or_reader_is_no_formula_of_a_chart(tmp_path):
    measurements, agreement = made_up_study(patients=7)
    measurements["arco_stage"] = measurements["arco_stage"].replace("II", r"$\frac{x$")
    for table in (measurements, agreement):
        table["reader"] = table["reader"].replace("ensemble", r"$\x$")
    assert write_report(write_study(tmp_path, measurements, agreement)).exists()
