"""Numbers as people write them, `10.2` or `10,2`, `1,234.5` or `1.234,5`; what can be two numbers stays text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from avnnet.choice import Decimal

MISSING = ("", "nan", "NaN")
"""The cells that hold nothing."""
SIGNS = {Decimal.POINT: ".", Decimal.COMMA: ","}
MAX_QUOTED_LETTERS = 3  # a longer word may be a patient's name
_SPACES = " \u00a0\u202f'’"  # between thousands, in France and in Switzerland
_DATE = re.compile(r"\d\W+\d+\W+\d")  # may be a patient's
_CODE = re.compile(r"-?0\d+")


def _pattern(decimal: Decimal) -> re.Pattern[str]:
    sign, other = re.escape(SIGNS[decimal]), ",.".replace(SIGNS[decimal], "")
    thousands = rf"[1-9]\d{{0,2}}(?:([{other}{_SPACES}])\d{{3}})(?:\1\d{{3}})*"  # 0,912 is no thousands
    return re.compile(rf"(?=[^eE]*\d)[+-]?(?:{thousands}|\d*)(?:{sign}\d*)?(?:[eE][+-]?\d+)?|[+-]?inf")


_PATTERNS = {decimal: _pattern(decimal) for decimal in Decimal}


@dataclass(frozen=True)
class Numbers:
    """Columns of a table, as numbers where all their cells are.

    Args:
        table: the columns.
        decimals: the decimal signs that its numbers have.
        unclear: why columns of what look like numbers stayed text, by name.
    """

    table: pd.DataFrame
    decimals: frozenset[Decimal] = frozenset()
    unclear: Mapping[str, str] = field(default_factory=dict)


def decimals_of(cells: Iterable[str]) -> set[Decimal]:
    """The decimal signs with which all cells are numbers: none for text, both where they could be either.

    Args:
        cells: stripped, none of them empty.

    Examples:
        >>> def signs(*cells): return " or ".join(sorted(decimals_of(cells)))
        >>> signs("10,2", "9"), signs("0,912"), signs("1 234,5"), signs("1,234.5"), signs("1,234")
        ('comma', 'comma', 'comma', 'point', 'comma or point')
        >>> signs("1.5", "1,5"), signs("many")
        ('', '')
    """
    cells = list(cells)
    return {decimal for decimal, one in _PATTERNS.items() if all(one.fullmatch(cell) for cell in cells)}


def as_numbers(cells: pd.Series, decimal: Decimal) -> pd.Series:
    """Numbers of cells that are all numbers with this decimal sign, NaN where they are empty.

    Args:
        cells: text.
        decimal: their sign.

    Examples:
        >>> as_numbers(pd.Series(["1.234,5", "", "7"]), Decimal.COMMA).tolist()
        [1234.5, nan, 7.0]
    """
    plain = _stripped(cells).str.replace(f"[{',.'.replace(SIGNS[decimal], '')}{_SPACES}]", "", regex=True)
    plain = plain.str.replace(SIGNS[decimal], ".", regex=False)
    return pd.to_numeric(plain.where(plain != ""))


def with_numbers(cells: pd.DataFrame, given: Decimal | None = None, *, is_english: bool = False) -> Numbers:
    """A table of text with numbers where a column holds nothing else; `007` is a code and stays text.

    `10,2` in one column says that `1,234` in the next has decimals. It is a thousand only where a cell of its own
    column shows that, such as `1,234.5`, or where the user gives the sign: a wrong guess is a thousandfold.

    Args:
        cells: text, the rows numbered as they are to be named.
        given: the decimal sign, where the user says it.
        is_english: whether columns are separated by commas, so that a number without one has a decimal point.

    Examples:
        >>> found = with_numbers(pd.DataFrame({"a": ["10,2"], "b": ["1,234"], "code": ["007"]}))
        >>> found.table.values.tolist()
        [[10.2, 1.234, '007']]
        >>> sorted(with_numbers(pd.DataFrame({"b": ["1,234"]})).unclear)
        ['b']
    """
    filled = {name: one[one != ""] for name, one in ((n, _stripped(cells[n])) for n in cells)}
    signs = {name: decimals_of(column) for name, column in filled.items()}
    shown = {one for found in signs.values() if len(found) == 1 for one in found}
    others = shown if len(shown) == 1 else {Decimal.POINT} if is_english else set()
    table, used, unclear = cells.copy(), set(), {}
    for name, column in filled.items():
        if column.empty or column.str.fullmatch(_CODE).any():
            continue
        if len(signs[name]) == 2 and not column.str.contains("[.,]").any():  # whole numbers
            table[name] = as_numbers(cells[name], Decimal.POINT)
            continue
        decimal = _decimal(column, signs[name], others, given)
        if decimal is not None:
            table[name] = as_numbers(cells[name], decimal)
            used.add(decimal)
        elif any(decimals_of([cell]) for cell in column):
            unclear[str(name)] = why_no_numbers(cells[name], given)
    return Numbers(table, frozenset(used), unclear)


def _decimal(column: pd.Series, possible: set[Decimal], others: set[Decimal], given: Decimal | None) -> Decimal | None:
    """The decimal sign of a column of numbers, None where it is open.

    Args:
        column: its cells.
        possible: the signs with which all of them are numbers.
        others: the sign that the other columns show.
        given: that which the user says.
    """
    if given is not None:
        return given if given in possible else None
    for decimal in possible if len(possible) == 1 else others & possible:
        thousands = re.escape(",.".replace(SIGNS[decimal], ""))
        is_open = column.str.fullmatch(rf"[+-]?[1-9]\d{{0,2}}{thousands}\d{{3}}").any()
        if not is_open or column.str.contains(rf"{thousands}\d{{3}}[,.]").any():
            return decimal
    return None


def why_no_numbers(cells: pd.Series, given: Decimal | None = None) -> str:
    """What stands in the way of reading a column as numbers, with the way out.

    Args:
        cells: text; its index numbers the rows.
        given: the decimal sign, where the user says it.

    Examples:
        >>> print(why_no_numbers(pd.Series(["1.234,5", "1,234.5"], index=[2, 3])))
        '1.234,5' in row 2 has a decimal comma, '1,234.5' in row 3 a decimal point; write both in one way
        >>> print(why_no_numbers(pd.Series(["3", "Miller"])))
        row 1 holds a word of 6 characters; leave the cell empty where there is no number
    """
    filled = {row: str(cell) for row, cell in _stripped(cells).items() if cell != ""}
    signs = {row: decimals_of([cell]) for row, cell in filled.items()}
    words = [row for row, found in signs.items() if not found]
    if words:
        cell = filled[words[0]]
        letters = sum(map(str.isalpha, cell))
        is_shown = letters <= MAX_QUOTED_LETTERS and letters < len(cell) and not _DATE.search(cell)
        what = repr(cell[:40]) if is_shown else f"a word of {len(cell)} characters"
        return f"row {words[0]} holds {what}; leave the cell empty where there is no number"
    first = {decimal: next((row for row, one in signs.items() if one == {decimal}), None) for decimal in Decimal}
    comma, point = first[Decimal.COMMA], first[Decimal.POINT]
    if comma is not None and point is not None:
        return (
            f"{filled[comma]!r} in row {comma} has a decimal comma, {filled[point]!r} in row {point} a decimal point; "
            "write both in one way"
        )
    row = comma if given is Decimal.POINT else point
    if given is not None and row is not None:
        return f"{filled[row]!r} in row {row} is no number with a decimal {given}"
    open_ones = [(row, filled[row]) for row, found in signs.items() if len(found) == 2 and set(",.") & set(filled[row])]
    if not open_ones:
        return "its cells are taken as text, as ids and grades are"
    row, cell = open_ones[0]
    less, more = sorted((as_numbers(pd.Series([cell]), one).iloc[0] for one in Decimal), key=abs)
    return (
        f"{cell!r} in row {row} can be {less:.12g} or {more:.12g}, and no other number of the column shows which; say "
        "it with --decimal comma or --decimal point, which avnnet stats takes, or save the table with other than three "
        f"decimals, such as {less:.12g}0"
    )


def _stripped(cells: pd.Series) -> pd.Series:
    """Text without blanks around it, with a plain minus, and empty where nothing is meant."""
    text = cells.astype("str").str.strip().str.replace("\u2212", "-", regex=False)
    return text.where(~text.isin(MISSING), "")
