"""Cells as printed words, and what is known of a study as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from avnnet.record import StudyRecord

COHORT_CHARACTERS = 64
ERROR_CHARACTERS = 400
NOTHING = "–"


@dataclass(frozen=True)
class PrintedTable:
    """A table of text: a title, what to know about it, the header and rows of cells.

    A row of one cell is a heading across the table.
    """

    title: str
    note: str
    header: list[str]
    rows: list[list[str]]


def printable(value: object, limit: int = COHORT_CHARACTERS) -> str:
    """A value as one line of at most `limit` printable characters.

    Control characters and the invisible marks that turn the direction of writing are dropped.

    Examples:
        >>> printable("hip\\u202e\\n 7")
        'hip 7'
        >>> printable("abcdef", 4)
        'abc…'
    """
    if value is None or value is pd.NA or value != value:
        return ""
    kept = "".join(c if c.isprintable() else " " if c.isspace() else "" for c in str(value)[: 100 * limit])
    line = " ".join(kept.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(value: float, digits: int = 2) -> str:
    """A rounded number with a true minus sign, ∞ for infinity and a dash for nothing.

    Examples:
        >>> number(-1.005, 1), number(float("inf")), number(float("nan"))
        ('−1.0', '∞', '–')
    """
    if pd.isna(value):
        return NOTHING
    if np.isinf(value):
        return "∞"
    return f"{value:.{digits}f}".replace("-", "−")


def p_value(p: float) -> str:
    """A p value as journals print it.

    Examples:
        >>> p_value(0.0004), p_value(0.0312), p_value(0.25), p_value(float("nan"))
        ('<0.001', '0.031', '0.25', '–')
    """
    if pd.isna(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def records(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """The rows of a table by column name.

    Examples:
        >>> list(records(pd.DataFrame({"reader": ["manual"], "n": [3]})))
        [{'reader': 'manual', 'n': 3}]
    """
    return ({str(name): cell for name, cell in row.items()} for row in table.to_dict("records"))


def spread(row: Mapping[str, Any], name: str = "", digits: int = 2) -> str:
    """Mean ± SD of a row.

    Args:
        row: with `{name}mean` and `{name}sd`.
        name: before the two.
        digits: after the point.

    Examples:
        >>> spread({"mean": 0.9, "sd": 0.05}), spread({"dice_mean": 0.9, "dice_sd": float("nan")}, "dice_")
        ('0.90 ± 0.05', '0.90')
    """
    mean, sd = (row[f"{name}{part}"] for part in ("mean", "sd"))
    if pd.isna(mean):
        return NOTHING
    return number(mean, digits) + ("" if pd.isna(sd) else f" ± {number(sd, digits)}")


def interval(row: Mapping[str, Any], low: str = "ci_low", high: str = "ci_high", digits: int = 2) -> str:
    """An interval of a row, a dash where there is none.

    Examples:
        >>> interval({"ci_low": -0.5, "ci_high": 1.25}), interval({"ci_low": float("nan"), "ci_high": 1.0})
        ('−0.50 to 1.25', '–')
    """
    return NOTHING if pd.isna(row[low]) else f"{number(row[low], digits)} to {number(row[high], digits)}"


def cases(row: Mapping[str, Any]) -> str:
    """Cases and, in brackets, patients.

    Examples:
        >>> cases({"n_cases": 5, "n_patients": 4})
        '5 (4)'
    """
    return NOTHING if pd.isna(row["n_cases"]) else f"{row['n_cases']} ({row['n_patients']})"


def noted(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The table without its last column, the notes, where no row has any: the page is narrow.

    Examples:
        >>> noted(["case", "note"], [["h1", ""], ["h2", ""]])
        (['case'], [['h1'], ['h2']])
    """
    if any(row[-1] for row in rows if len(row) == len(header)):
        return header, rows
    return header[:-1], [row[:-1] if len(row) == len(header) else row for row in rows]


def remarks_printed(measurements: pd.DataFrame, column: str, title: str) -> PrintedTable:
    """The cases that have a text in a column, such as `error`; readers with the same text share a row."""
    readers: dict[tuple[str, str, str], list[str]] = {}
    for row in records(measurements):
        remark = printable(row.get(column), ERROR_CHARACTERS)
        if remark:
            key = printable(row.get("case_id")), printable(row.get("side")), remark
            readers.setdefault(key, []).append(printable(row.get("reader")))
    rows = [[case, side, ", ".join(names), remark] for (case, side, remark), names in readers.items()]
    return PrintedTable(title, "", ["case", "side", "readers", column], rows)


def settings_rows(settings: Any, prefix: str = "") -> Iterable[list[str]]:
    """Nested settings as rows of a dotted name and a value; the lines of a longer text stay lines.

    Examples:
        >>> list(settings_rows({"trainer": {"max_epochs": 60}, "seed": 7}))
        [['trainer.max_epochs', '60'], ['seed', '7']]
    """
    if not isinstance(settings, Mapping):
        lines = str(settings).splitlines() or [""]
        indents = [line[: len(line) - len(line.lstrip(" "))] for line in lines]
        kept = [i + printable(line, ERROR_CHARACTERS) for i, line in zip(indents, lines, strict=True)]
        yield [prefix, "\n".join(kept)]
        return
    for name, value in settings.items():
        dotted = f"{prefix}.{printable(name)}" if prefix else printable(name)
        yield from settings_rows(value, dotted)


def run_rows(record: StudyRecord) -> list[list[str]]:
    """How the study was run, as rows of a name and a value; what is not known is left out.

    Args:
        record: what is known of the study.

    Examples:
        >>> run_rows(StudyRecord(cohort="hips.csv", networks=("unet2d", "unet3d"), seed=7))
        [['cohort', 'hips.csv'], ['networks', 'unet2d, unet3d'], ['seed', '7']]
    """
    rows = {
        "command": record.command,
        "cohort": record.cohort,
        "networks": ", ".join(record.networks),
        "folds": record.folds,
        "folds_done": ", ".join(map(str, record.folds_done)),
        "seed": record.seed,
        "seen_in_training": record.seen_in_training,
        "centre": record.centre,
        "started": record.started,
        "finished": record.finished,
    }
    return [[name, printable(value, ERROR_CHARACTERS)] for name, value in rows.items() if value not in (None, "")]


def held_out(record: StudyRecord) -> str:
    """What is known of whether the networks had seen the cases; nothing of masks from anywhere.

    Args:
        record: what is known of the study.

    Examples:
        >>> held_out(StudyRecord(folds=5))
        'Each case was segmented by networks that were trained without its patient.'
        >>> held_out(StudyRecord(seen_in_training=2))
        '2 of the images were in the training of the networks, and are flagged.'
        >>> held_out(StudyRecord())
        ''
    """
    if record.folds is not None:
        return "Each case was segmented by networks that were trained without its patient."
    seen = record.seen_in_training
    if seen is None:
        return ""
    return f"{seen or 'None'} of the images were in the training of the networks{', and are flagged' if seen else ''}."
