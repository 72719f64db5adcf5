"""Tables as CSV files: ours, which no spreadsheet runs and no kill halves, and those that spreadsheets write."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.choice import Decimal
from avnnet.columns import TEXT_COLUMNS
from avnnet.decimals import MISSING, decimals_of, why_no_numbers, with_numbers
from avnnet.errors import MissingFile, StatisticsError
from avnnet.spreadsheet import MARKS, Layout, read_cells

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")
_MAYBE_COMMA = re.compile(rb'"[^"\nA-DF-Za-df-z]*,\d[^"\nA-DF-Za-df-z]*"')  # a number in quotes


def write_table(table: pd.DataFrame, path: str | Path) -> Path:
    """The path written: UTF-8 CSV with decimal points, text that a spreadsheet would run as a formula quoted.

    Args:
        table: numbers stay numbers; a text cell that starts with `= + - @`, tab or return gets an apostrophe.
        path: the file, whole or not at all.

    Source: OWASP, CSV injection (CWE-1236).
    """

    def harmless(cell: object) -> object:
        if not isinstance(cell, str):
            return cell
        cell = cell.replace("\r\n", "\n").replace("\r", "\n")  # a bare return is not quoted, and ends a row for readers
        return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell

    safe = table.rename(columns=harmless)
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = safe[name].map(harmless)
    return write_text_atomically(path, safe.to_csv(index=False, lineterminator="\n"))


@dataclass(frozen=True)
class Sheet:
    """A table that was read, and what was understood of the way it is written.

    Args:
        table: ids and words as text, the rest as numbers where they are; row 2 of the spreadsheet has index 0.
        layout: its encoding and separator.
        decimals: the decimal signs that were found.
        unclear: why columns of what look like numbers are text, by name.
    """

    table: pd.DataFrame
    layout: Layout = field(default_factory=Layout)
    decimals: Collection[Decimal] = (Decimal.POINT,)
    unclear: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether it is written as avnnet writes its own."""
        return self.layout.is_plain and set(self.decimals) <= {Decimal.POINT}

    def __str__(self) -> str:
        signs = " and ".join(f"decimal {one}s" for one in sorted(self.decimals)) or "no decimals"
        return f"{self.layout}, {signs}"

    def check_numbers(self, names: Iterable[str]) -> None:
        """Refuses the columns of those named that are there but hold no numbers.

        Raises:
            StatisticsError: with the first cell that is none, and the way out.
        """
        for name in names:
            column = self.table.get(name)
            if column is None or pd.api.types.is_numeric_dtype(column):
                continue
            why = self.unclear.get(name) or why_no_numbers(column.fillna("").set_axis(column.index + 2))
            raise StatisticsError(f"column {name!r} must hold numbers; {why}")


def read_table(path: str | Path) -> pd.DataFrame:
    """The table in a CSV file, ids and words as text, the rest as numbers where they are.

    Raises:
        MissingFile: if there is no such file.
        UnreadableFile: if it is not a table.
    """
    return read_sheet(path).table


def read_sheet(path: str | Path, *, text: Collection[str] = (), decimal: Decimal | None = None) -> Sheet:
    """The table in a CSV file of avnnet or of a spreadsheet, and how it is written.

    Semicolons and tabs, decimal commas, byte-order marks, UTF-16, and blanks around the names of columns are taken.

    Args:
        path: the file.
        text: further columns that are text, such as the ids of patients.
        decimal: the decimal sign, where the user says it.

    Raises:
        MissingFile: if there is no such file.
        UnreadableFile: if it is not a table, a row has more cells than the header, or a name stands twice.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no table {path}; a study writes it when its first fold is done")
    own = None if text or decimal else _own_table(path)
    if own is not None:
        return Sheet(own)
    cells, layout = read_cells(path)
    words = [name for name in cells if name in TEXT_COLUMNS or name in text]
    found = with_numbers(cells.drop(columns=words), decimal, is_english=layout.separator == ",")
    table = cells.copy()
    for name, column in found.table.items():
        if not pd.api.types.is_numeric_dtype(column):
            column = column.where(~column.isin(MISSING))
        table[name] = column.astype(float) if column.isna().all() else column
    return Sheet(table.set_axis(table.index - 2), layout, found.decimals, found.unclear)


def _own_table(path: Path) -> pd.DataFrame | None:
    """The table as avnnet's own are read; None where it must be looked at cell by cell."""
    content = path.read_bytes()
    first = content[: content.find(b"\n")] if b"\n" in content else content
    if first.startswith((*MARKS, b"sep=", b"SEP=")) or any(sign in first for sign in b";\t") or b"\0" in content:
        return None
    try:
        header = pd.read_csv(path, nrows=0).columns
        text = [name for name in TEXT_COLUMNS if name in header]
        # a patient may be called NA: only cells of the other columns can be missing
        missing = {name: ["", "nan", "NaN"] for name in header if name not in text}
        table = pd.read_csv(path, dtype=dict.fromkeys(text, "str"), keep_default_na=False, na_values=missing)
        names = next(csv.reader([first.decode().rstrip("\r")]))
    except (ValueError, csv.Error):
        return None
    if [str(name) for name in header] != [name.strip() for name in names] or not isinstance(table.index, pd.RangeIndex):
        return None  # blanks around names, a name that stands twice, or rows with more cells than the header
    return None if _MAYBE_COMMA.search(content) and _has_decimal_commas(table, text) else table


def _has_decimal_commas(table: pd.DataFrame, text: Collection[str]) -> bool:
    """Whether a column of words holds what may be a number with a comma."""
    for name in table.select_dtypes(exclude="number").columns.difference(list(text)):
        cells = table[name].dropna().astype("str")
        if any(decimals_of([cell.strip()]) for cell in cells[cells.str.contains(",", regex=False)].head(1)):
            return True
    return False
