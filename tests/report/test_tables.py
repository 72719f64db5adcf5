"""The result tables on disk."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import InvalidConfig, MissingFile, StatisticsError, UnreadableFile
from avnnet.report import read_study, results_table, write_tables
from avnnet.tables import write_table
from tests.report.conftest import ABOUT, write_study

NAMES = [
    "agreement_statistics", "clustered_groups", "concordance", "correlation", "detection", "dice", "groups", "icc",
    "limits", "paired", "readers", "regression", "segmentation", "stages", "study_table", "volumes",
]  # fmt: skip


def test_the_tables_are_written_and_returned(folder):
    tables = write_tables(folder)
    assert sorted(tables) == NAMES
    assert sorted(path.stem for path in (folder / "tables").glob("*.csv")) == NAMES
    assert sorted(path.name for path in (folder / "tables").glob("*.[mt]*")) == ["study_table.md", "study_table.tex"]
    back = pd.read_csv(folder / "tables" / "agreement_statistics.csv")
    assert back["bias"].tolist() == pytest.approx(tables["agreement_statistics"]["bias"].tolist())


def test_the_tables_are_the_same_bytes_each_time(folder):
    write_tables(folder)
    first = {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}
    write_tables(folder)
    assert first == {path.name: path.read_bytes() for path in (folder / "tables").iterdir()}


def test_a_spreadsheet_is_given_no_formula_and_numbers_stay_numbers(tmp_path, hips):
    measurements, agreement = (t.assign(reader=t["reader"].replace("unet2d", "=1+1")) for t in hips)
    tables = write_tables(write_study(tmp_path, measurements, agreement))
    back = pd.read_csv(tmp_path / "tables" / "agreement_statistics.csv")
    assert set(back["automatic"].str.lstrip("'")) == {"=1+1", "unet3d", "ensemble"}
    assert not back["automatic"].str.startswith("=").any()
    assert (back["bias"] < 0).any()
    assert back["bias"].tolist() == pytest.approx(tables["agreement_statistics"]["bias"].tolist())


def test_ids_are_read_as_text(tmp_path, hips):
    made_up = (table.assign(patient_id="0" + table["patient_id"].str[1:]) for table in hips)
    assert "007" in set(read_study(write_study(tmp_path, *made_up)).measurements["patient_id"])


def test_an_infinite_distance_survives_the_file(folder):
    table = pd.read_csv(folder / "agreement.csv").astype({"hd95_mm": float})
    table.loc[0, "hd95_mm"] = np.inf
    write_table(table, folder / "agreement.csv")
    assert read_study(folder).agreement.loc[0, "hd95_mm"] == np.inf


def test_the_terminal_gets_rows_of_text(folder):
    header, *rows = results_table(folder)
    assert header == ["quantity", "structure", "reader", "cases (patients)", "result", "test", "p"]
    assert all(len(row) == 7 and all(isinstance(cell, str) for cell in row) for row in rows)
    assert rows[0][0] == "Dice"
    assert rows[0][3] == "21 (14)"
    assert any("Mann-Whitney U" in row for row in rows)


@pytest.mark.parametrize("name", ["measurements.csv", "agreement.csv", "study.json"])
def test_an_absent_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(MissingFile, match=f"no {name}"):
        write_tables(folder)


def test_files_that_are_not_what_they_claim_are_refused(folder):
    replace(ABOUT, scheme=None).write(folder)
    with pytest.raises(InvalidConfig, match="scheme"):
        write_tables(folder)
    ABOUT.write(folder)
    (folder / "agreement.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableFile, match=r"agreement\.csv"):
        write_tables(folder)
    (folder / "agreement.csv").write_text("patient_id,case_id,reader,label,dice\n")
    with pytest.raises(StatisticsError, match="no label"):
        write_tables(folder)
