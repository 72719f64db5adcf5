"""The cells of a table as spreadsheets write it: its encoding and its separator are found, and every cell is text."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avnnet.errors import UnreadableFile

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte-order mark",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
}
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""The bytes that a file of Excel begins with, and what they mean."""
MAX_TRIED_ROWS = 200
_FIRST_LINE = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's own word for the separator
_NUMBER = re.compile(r"\s*[+-]?\d+([.,]\d+)?\s*")


@dataclass(frozen=True)
class Layout:
    """How the cells of a table are written into its file.

    Args:
        encoding: of the text, a key of `ENCODINGS`.
        separator: of the columns, a key of `SEPARATORS`.

    Examples:
        >>> print(Layout("utf-16", "\\t"))
        UTF-16, columns separated by tabs
    """

    encoding: str = "utf-8"
    separator: str = ","

    @property
    def is_plain(self) -> bool:
        """Whether it is that of avnnet's own tables."""
        return self == Layout()

    def __str__(self) -> str:
        return f"{ENCODINGS[self.encoding]}, columns separated by {SEPARATORS[self.separator]}"


def read_cells(path: str | Path) -> tuple[pd.DataFrame, Layout]:
    """The cells of a table as text, a row per row that is not empty, and how they were written.

    The index counts rows as a spreadsheet does: the names of the columns stand in row 1.

    Raises:
        UnreadableFile: if it is no text, a row has more cells than the header, or a name stands twice.
    """
    path = Path(path)
    try:
        text, encoding = decoded(path.read_bytes())
        return cells_of(text, encoding)
    except (ValueError, csv.Error) as error:
        raise UnreadableFile(f"{path.name} is not a table that can be read: {error}") from error


def decoded(content: bytes) -> tuple[str, str]:
    """Text of bytes, and the encoding: by the byte-order mark, else UTF-8, else that of Excel on Windows.

    Args:
        content: of a file.

    Raises:
        ValueError: if it is no text.

    Examples:
        >>> decoded("cm³".encode("cp1252"))
        ('cm³', 'cp1252')
    """
    marked = next((name for mark, name in MARKS.items() if content.startswith(mark)), None)
    for encoding in [marked] if marked else ["utf-8", "cp1252"]:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, encoding
    raise ValueError('it is no text. A workbook (.xlsx, .ods) must be saved as "CSV UTF-8" first')


def cells_of(text: str, encoding: str = "utf-8") -> tuple[pd.DataFrame, Layout]:
    """The cells in a text, and how they were written.

    Args:
        text: of a whole file.
        encoding: that it had.

    Raises:
        ValueError: if a row has more cells than the header, a name stands twice, or the separator is unclear.
        csv.Error: if a quote is not closed.

    Examples:
        >>> cells, layout = cells_of("Patient ;manual\\nP1;10,2\\n;\\nP2;9,8\\n")
        >>> print(layout)
        UTF-8, columns separated by semicolons
        >>> cells["manual"].to_dict()
        {2: '10,2', 4: '9,8'}
    """
    said = _FIRST_LINE.match(text)
    if said:
        text = text[said.end() :]
        if said[1] not in SEPARATORS:
            raise ValueError(f"its first line says that {said[1]!r} separates columns; save it with semicolons")
    separator = said[1] if said else _separator(text)
    rows = ((number, row) for number, row in enumerate(_rows(text, separator), 1) if any(map(str.strip, row)))
    names = [name.strip() for name in next(rows, (1, [""]))[1]]
    if not any(names):
        raise ValueError("it is empty; its first row names the columns")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"each column needs a name of its own; {twice} stand twice. Rename or delete one of them")
    numbered = dict(rows)
    for number, row in numbered.items():
        if any(map(str.strip, row[len(names) :])):
            raise ValueError(
                f"row {number} has {len(row)} cells, the header {len(names)}. A cell that holds the separator, as a "
                f"number with a decimal comma does between {SEPARATORS[separator]}, must stand in double quotes; or "
                "save the table with another separator"
            )
    width = len(names)
    padded = [row[:width] + [""] * (width - len(row)) for row in numbered.values()]
    cells = pd.DataFrame(padded, index=list(numbered), columns=range(width), dtype="str")
    # Excel writes columns to the right that were once used: nameless and empty
    kept = [n for n, name in enumerate(names) if name or (cells[n].str.strip() != "").any()]
    cells = cells[kept].set_axis([names[n] or f"Unnamed: {n}" for n in kept], axis=1)
    return cells, Layout(encoding, separator)


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)


def _separator(text: str) -> str:
    """The one that makes columns of the header; of several, the one that makes equal rows and the most numbers."""
    found: dict[str, tuple[bool, int]] = {}
    for separator in SEPARATORS:
        try:
            rows = [row for _, row in zip(range(MAX_TRIED_ROWS), _rows(text, separator), strict=False) if any(row)]
        except csv.Error:
            continue  # quotes that stand elsewhere than at this separator
        if rows and len(rows[0]) > 1:
            cells = [cell for row in rows[1:] for cell in row]
            is_even = all(len(row) == len(rows[0]) for row in rows)
            found[separator] = (is_even, sum(_NUMBER.fullmatch(cell) is not None for cell in cells))
    best = [one for one, score in found.items() if score == max(found.values())]
    if len(best) > 1:
        raise ValueError(
            f"its columns may be separated by {' or '.join(SEPARATORS[one] for one in best)}; put names and cells that "
            "hold one of them into double quotes"
        )
    return best[0] if best else ","
