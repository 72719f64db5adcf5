"""Result tables as CSV files that a spreadsheet cannot be tricked with and a kill cannot halve."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.columns import TEXT_COLUMNS
from avnnet.errors import MissingFile, UnreadableFile

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\n")


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


def read_table(path: str | Path) -> pd.DataFrame:
    """The table in a CSV file, ids and words as text, the rest as numbers where they are.

    Raises:
        MissingFile: if there is no such file.
        UnreadableFile: if it is not a table.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no table {path}; a study writes it when its first fold is done")
    try:
        header = pd.read_csv(path, nrows=0).columns
        if len(header) == 1 and ";" in header[0]:
            raise ValueError("its columns are separated by semicolons; save it with commas and decimal points")
        text = [name for name in TEXT_COLUMNS if name in header]
        # a patient may be called NA: only cells of the other columns can be missing
        missing = {name: ["", "nan", "NaN"] for name in header if name not in text}
        table = pd.read_csv(path, dtype=dict.fromkeys(text, "str"), keep_default_na=False, na_values=missing)
    except (ValueError, pd.errors.ParserError) as error:
        raise UnreadableFile(f"{path.name} is not a table of comma-separated values: {error}") from error
    return table
