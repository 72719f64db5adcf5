"""Tables as spreadsheets write them are read as the same table."""

import csv
import io
import itertools

import pandas as pd
import pytest

from avnnet.errors import StatisticsError, UnreadableFile
from avnnet.spreadsheet import ENCODINGS, SEPARATORS, read_cells
from avnnet.tables import read_sheet, read_table, write_table

TABLE = pd.DataFrame(
    {
        "patient_id": ["007", "NA", "größer"],
        "case_id": ["a", "b", "c;d"],
        "necrosis_cm3": [10.25, 0.5, float("nan")],
        "head, by label": [1234.5, 50.25, 48.0],
        "note": ["x, y", "", "tab\there"],
        "n": [3, 4, 5],
    }
)


def written(path, encoding: str, separator: str, decimal: str):
    """The table as a spreadsheet of that country would save it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerow([f" {name} " for name in TABLE])
    for row in TABLE.astype(object).itertuples(index=False):
        cells = ["" if cell != cell else cell for cell in row]
        writer.writerow([repr(one).replace(".", decimal) if isinstance(one, float) else one for one in cells])
    writer.writerows([[""] * TABLE.shape[1]] * 3)
    path.write_bytes(text.getvalue().encode(encoding))
    return path


@pytest.mark.parametrize(("encoding", "separator", "decimal"), itertools.product(ENCODINGS, SEPARATORS, ".,"))
def test_every_way_of_saving_a_table_gives_the_same_table(tmp_path, encoding, separator, decimal):
    sheet = read_sheet(written(tmp_path / "t.csv", encoding, separator, decimal))
    own = read_table(write_table(TABLE, tmp_path / "own.csv"))
    pd.testing.assert_frame_equal(sheet.table, own, check_index_type=False)
    assert ENCODINGS[encoding] in str(sheet)
    assert SEPARATORS[separator] in str(sheet)
    assert {".": "decimal points", ",": "decimal commas"}[decimal] in str(sheet)
    assert sheet.is_plain == ((encoding, separator, decimal) == ("utf-8", ",", "."))


def read(tmp_path, content: str | bytes):
    (tmp_path / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sheet(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a,b\n1,2,3\n", "row 2 has 3 cells, the header 2"),
        ("a,b\n10,2,9,8\n7,1,6,9\n", "decimal comma does between commas"),
        ("a;b\n1;2\n3;4;5\n", "row 3 has 3 cells"),
        ("a;a \n1;2\n", "'a'] stand twice"),
        ('a;b\n"1;2\n', "unexpected end of data"),
        ("", "it is empty"),
        ("\n\n", "it is empty"),
        (b"PK\x03\x04\x14\0\0\0", "it is no text"),
        (b"a,b\n\x81\x8d,1\n", "it is no text"),
        ("a,b\n1\0,2\n".encode("utf-16-le"), "it is no text"),
        ("sep=|\na|b\n1|2\n", "'|' separates columns"),
        ("a;x,b\nu;v,w\n", "may be separated by commas or semicolons"),
    ],
)
def test_what_is_no_table_is_refused_with_the_way_out(tmp_path, content, said):
    with pytest.raises(UnreadableFile) as caught:
        read(tmp_path, content)
    assert said in str(caught.value)


def test_a_comma_in_a_name_does_not_hide_the_semicolons(tmp_path):
    sheet = read(tmp_path, "Patient;Volumen, manuell;Volumen, auto\nP1;10,2;9,8\n")
    assert sheet.table["Volumen, auto"].tolist() == [9.8]


def test_rows_are_counted_as_in_the_spreadsheet_and_empty_ones_are_left_out(tmp_path):
    cells, _ = read_cells(written(tmp_path / "t.csv", "utf-8", ";", ","))
    assert list(cells.index) == [2, 3, 4]
    assert read(tmp_path, "a;b;;\n\n;;\n1,5;x\n").table.index.tolist() == [2]
    assert list(read(tmp_path, "a;b;;\n1,5;x;;\n").table) == ["a", "b"]


def test_columns_of_open_numbers_are_text_and_refused_where_they_are_asked_for(tmp_path):
    sheet = read(tmp_path, "a;b;c\n1,5;1,5;many\n2,5;2.5;1\n")
    sheet.check_numbers(["a", "gone"])
    with pytest.raises(StatisticsError, match="'b' must hold numbers; '1,5' in row 2 has a decimal comma"):
        sheet.check_numbers(["b"])
    with pytest.raises(StatisticsError, match="'c' must hold numbers; row 2 holds a word of 4 characters"):
        sheet.check_numbers(["c"])


def test_a_column_of_nothing_is_missing_numbers_as_in_our_own_tables(tmp_path):
    assert read(tmp_path, "a;b\n1;\n").table["b"].dtype == read(tmp_path, "a,b\n1,\n").table["b"].dtype == float
