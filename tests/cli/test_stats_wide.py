"""`avnnet stats` on tables as people have them: one row per case, saved by a spreadsheet."""

import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.record import StudyRecord
from avnnet.tables import read_table, write_table

HAND = [10.25, 5.5, 22.2, 12.1, 7.0, 1003.3]
NET = [9.75, 6.25, 19.8, 13.3, 7.2, 1003.0]
COLUMNS = ["--manual-column", "manual (cm³)", "--automatic-column", "auto (cm3)"]
LONG = pd.DataFrame(
    {
        "patient_id": ["007", "007", "P3", "P4", "P5", "P6"] * 2,
        "case_id": [f"row-{n}" for n in range(2, 8)] * 2,
        "reader": ["manual"] * 6 + ["automatic"] * 6,
        "volume_cm3": HAND + NET,
    }
)
HEADER = "Patient;manual (cm³);auto (cm³)"


def german(number: float) -> str:
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def wide(path, separator: str, encoding: str, number) -> None:
    rows = [HEADER, *(f"{p};{number(a)};{number(b)}" for p, a, b in zip(LONG["patient_id"], HAND, NET, strict=False))]
    path.write_bytes("\r\n".join([*rows, ";;", ";;"]).replace(";", separator).encode(encoding))


def stats(path, out, *words):
    return main(["stats", str(path), "--out", str(out), "--draws", "100", *words])


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """What `avnnet stats` makes of the long table."""
    folder = tmp_path_factory.mktemp("long")
    write_table(LONG, folder / "l.csv")
    assert stats(folder / "l.csv", folder / "out", "--value", "volume_cm3", "--margin", "volume_cm3=2") == 0
    return folder / "out"


@pytest.mark.parametrize(
    ("separator", "encoding", "number"), [(";", "cp1252", german), ("\t", "utf-16", lambda x: f"{x:,.2f}")]
)
def test_a_wide_table_of_any_country_gives_the_bytes_of_the_long_one(
    tmp_path, capsys, long, separator, encoding, number
):
    wide(tmp_path / "w.csv", separator, encoding, number)
    words = [*COLUMNS, "--patient-column", "patient", "--margin", "volume_cm3=2"]
    assert stats(tmp_path / "w.csv", tmp_path / "out", *words) == 0
    said = capsys.readouterr().out
    assert "volume_cm3: 'manual (cm³)' as the manual reader, 'auto (cm³)' as the automatic one; 6 cases of 5" in said
    names = sorted(path.name for path in (long / "tables").iterdir())
    assert {"limits.csv", "icc.csv", "paired.csv", "equivalence.csv"} <= set(names)
    for name in ["measurements.csv", *(f"tables/{name}" for name in names)]:
        assert (tmp_path / "out" / name).read_bytes() == (long / name).read_bytes(), name
    assert "columns separated by" in StudyRecord.read(tmp_path / "out").settings["table"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Patient;manual (cm³)\nP1;1,5\n", "no column 'auto (cm3)'; it has ['Patient', 'manual (cm³)']"),
        (f"{HEADER};auto (cm³)\nP1;1,5;2,5;2\n", "['auto (cm³)'] stand twice"),
        (f"{HEADER}\nP1;1,5;Miller\n", "'auto (cm³)' must hold numbers; row 2 holds a word of 6 characters"),
        (f"{HEADER}\nP1;1.234,5;2\nP2;1,234.5;3\n", "row 2 has a decimal comma, '1,234.5' in row 3 a decimal point"),
        (f"{HEADER}\nP1;1,234;2\n", "can be 1.234 or 1234, and no other number of the column shows"),
        (f"{HEADER}\nP1;1,5;2,5;3\n", "row 2 has 4 cells, the header 3"),
        (f"{HEADER}\n;1,5;2,5\n", "'Patient' is empty in row-2"),
        (f"{HEADER}\n;;\n", "no rows"),
        ("Patient;manual (cm³);Auto (cm3);auto (cm³)\nP1;1;2;3\n", "are alike"),
        ("Patient;manual (mm³);auto (cm³)\nP1;1;2\n", "no column 'manual (cm³)'"),
    ],
)
def test_l17_a_wide_table_that_cannot_be_understood_is_refused_and_nothing_is_written(tmp_path, capsys, text, said):
    (tmp_path / "w.csv").write_text(text, encoding="utf-8")
    assert stats(tmp_path / "w.csv", tmp_path / "out", *COLUMNS, "--patient-column", "Patient") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_l17_an_open_number_is_taken_where_the_user_says_its_sign(tmp_path):
    (tmp_path / "w.csv").write_text(f"{HEADER}\nP1;1,234;2,345\nP2;3,456;4,567\n", encoding="utf-8")
    words = ["--decimal", "comma", "--value", "necrosis_cm3"]
    assert stats(tmp_path / "w.csv", tmp_path / "out", *COLUMNS, *words) == 0
    assert read_table(tmp_path / "out" / "measurements.csv")["necrosis_cm3"].tolist() == [1.234, 3.456, 2.345, 4.567]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (COLUMNS[:2], "needs both"),
        (COLUMNS[2:], "needs both"),
        (["--patient-column", "Patient"], "needs both"),
        ([*COLUMNS, "--manual", "A"], "--manual belong"),
        ([*COLUMNS, "--automatic", "net", "--agreement", "a.csv"], "--automatic and --agreement"),
        ([*COLUMNS, "--value", "a", "b"], "one name"),
        ([*COLUMNS, "--margin", "necrosis_cm3=2"], "['volume_cm3']; found ['necrosis_cm3']"),
        ([*COLUMNS, "--patient-column", "auto (cm³)"], "a column of their own"),
    ],
)
def test_words_that_do_not_fit_a_wide_table_are_refused(tmp_path, capsys, words, said):
    wide(tmp_path / "w.csv", ";", "utf-8", german)
    assert stats(tmp_path / "w.csv", tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err
