"""Result tables as printed words: the rows that the report and the command line show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avnnet.plots.style import words
from avnnet.report.tables import compute_tables, read_study
from avnnet.stats.study import BEST

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


def _records(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    """The rows of a table by column name."""
    return ({str(name): cell for name, cell in row.items()} for row in table.to_dict("records"))


def _spread(row: Mapping[str, Any], name: str = "", digits: int = 2) -> str:
    mean, sd = (row[f"{name}{part}"] for part in ("mean", "sd"))
    if pd.isna(mean):
        return NOTHING
    return number(mean, digits) + ("" if pd.isna(sd) else f" ± {number(sd, digits)}")


def _interval(row: Mapping[str, Any], low: str, high: str, digits: int = 2) -> str:
    return NOTHING if pd.isna(row[low]) else f"{number(row[low], digits)} to {number(row[high], digits)}"


def _cases(row: Mapping[str, Any]) -> str:
    return NOTHING if pd.isna(row["n_cases"]) else f"{row['n_cases']} ({row['n_patients']})"


SECTIONS = {
    "dice": "Overlap with the manual segmentation",
    "networks": "Networks compared with each other",
    "volume": "Size, manual and automatic",
    "stages": "Early (ARCO I, II) and advanced (ARCO III) stages",
}


def abstract_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """The header and the rows of `abstract_table` in words, without headings.

    Args:
        table: the abstract's table.
    """
    header = ["section", "quantity", "structure", "reader", "cases (patients)", "result", "test", "p", "note"]
    rows = []
    for row in _records(table):
        reader = f"{row['reader']}: {row['group']}" if row["group"] else row["reader"]
        cells = [row["section"], words(row["quantity"]), row["structure"], reader, _cases(row), row["result"]]
        rows.append([printable(c) for c in [*cells, row["test"]]])
        rows[-1] += [p_value(row["p"]) if row["test"] else "", printable(row["note"], ERROR_CHARACTERS)]
    return header, rows


def results_table(folder: str | Path) -> list[list[str]]:
    """The header and rows of the abstract's results as text, for a terminal.

    Args:
        folder: a study's output folder.

    Returns:
        A header and rows of seven cells: quantity, structure, reader, cases (patients), result, test, p.

    Raises:
        MissingFile: if the folder has no result tables.
        UnreadableFile: if one is not CSV or JSON.
        StatisticsError: if a table lacks a column, label or reader.
    """
    header, rows = abstract_rows(compute_tables(read_study(folder))["abstract"])
    return [row[1:-1] for row in [header, *rows]]


def abstract_printed(table: pd.DataFrame) -> PrintedTable:
    """The abstract's results with a heading for each section; the report names the best network elsewhere."""
    header, rows = abstract_rows(table[table["result"] != BEST])
    grouped: list[list[str]] = []
    for section, *cells in rows:
        heading = [SECTIONS.get(section, section)]
        if heading not in grouped:
            grouped.append(heading)
        grouped.append(cells)
    note = (
        "Mean ± standard deviation over cases. Every test has one value per patient, the mean over the "
        "patient's cases, because two hips of one patient are not independent. Differences are automatic − "
        "manual."
    )
    return PrintedTable("Results", note, *_noted(header[1:], grouped))


def _noted(header: list[str], rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The table without its last column, the notes, where no row has any: the page is narrow."""
    if any(row[-1] for row in rows if len(row) == len(header)):
        return header, rows
    return header[:-1], [row[:-1] if len(row) == len(header) else row for row in rows]


def dice_printed(table: pd.DataFrame) -> PrintedTable:
    """Overlap and surface distances per network and structure, with the counts that the means leave out."""
    header = ["network", "structure", "n", "missed", "false positive", "undefined", "failed"]
    header += ["Dice", "median", "HD95 (mm)", "median", "ASSD (mm)", "median"]
    rows = []
    for row in _records(table):
        counts = [row["n"], *(row[f"n_{n}"] for n in ("missed", "false_positive", "undefined", "failed"))]
        cells = [printable(row["reader"]), printable(row["label"]), *map(str, counts)]
        cells += [_spread(row, "dice_", 3), number(row["dice_median"], 3)]
        for name in ("hd95_mm", "assd_mm"):
            cells += [_spread(row, f"{name}_"), number(row[f"{name}_median"])]
        rows.append(cells)
    note = (
        "n: cases with a defined Dice. A missed or false-positive structure counts with Dice 0; a structure "
        "that neither has is undefined and in no mean. HD95 is the larger of the two directed 95th "
        "percentiles of the surface distances; ASSD is the mean of all directed surface distances. Mean ± SD "
        "of distances are of the finite values; their median is of all, with infinity ranked worst."
    )
    return PrintedTable("Overlap and surface distances", note, header, rows)


def volumes_printed(table: pd.DataFrame) -> PrintedTable:
    """Volumes per reader."""
    header = ["reader", "quantity", "n", "failed", "undefined", "mean ± SD", "median"]
    rows = [
        [
            *(printable(row["reader"]), words(row["quantity"])),
            *(str(row[name]) for name in ("n", "n_failed", "n_undefined")),
            *(_spread(row), number(row["median"])),
        ]
        for row in _records(table)
    ]
    return PrintedTable("Volumes", "Over cases. Voxels times the volume of a voxel.", header, rows)


def readers_printed(table: pd.DataFrame) -> PrintedTable:
    """The networks compared with each other."""
    header = ["structure", "difference in Dice", "cases (patients)", "mean ± SD", "95 % CI", "paired t, p"]
    header += ["Wilcoxon, p", "note"]
    rows = []
    for row in _records(table):
        spread = {"mean": row["mean_difference"], "sd": row["sd_difference"]}
        networks = f"{printable(row['second'])} − {printable(row['first'])}"
        cells = [printable(row["label"]), networks, _cases(row)]
        cells += [_spread(spread, digits=3), _interval(row, "ci_low", "ci_high", 3)]
        rows.append([*cells, p_value(row["p"]), p_value(row["wilcoxon_p"]), printable(row["note"])])
    note = "One value per patient. The p values are not adjusted for the number of comparisons."
    return PrintedTable("Networks compared", note, *_noted(header, rows))


def agreement_printed(table: pd.DataFrame) -> PrintedTable:
    """Bias, limits of agreement and correlation of every network's volumes with the manual ones."""
    header = ["quantity", "network", "cases (patients)", "bias", "95 % CI", "SD", "limits of agreement"]
    header += ["Pearson r", "95 % CI", "p", "note"]
    rows = []
    for row in _records(table):
        cells = [words(row["value"]), printable(row["automatic"]), _cases(row), number(row["bias"])]
        cells += [_interval(row, "bias_ci_low", "bias_ci_high"), number(row["sd"])]
        cells += [_interval(row, "lower_limit", "upper_limit"), number(row["r"])]
        cells += [_interval(row, "r_ci_low", "r_ci_high"), p_value(row["r_p"])]
        rows.append([*cells, printable(row["note"] or row["r_note"])])
    note = (
        "Bias = automatic − manual. The limits of agreement, bias ± 1.96 SD, hold 95 % of the differences of "
        "a single case; with several cases per patient the SD adds the variance between and within patients."
    )
    return PrintedTable("Agreement of volumes", note, *_noted(header, rows))


def remarks_printed(measurements: pd.DataFrame, column: str, title: str) -> PrintedTable:
    """The cases that have a text in a column, such as `error`; readers with the same text share a row."""
    readers: dict[tuple[str, str, str], list[str]] = {}
    for row in _records(measurements):
        remark = printable(row.get(column), ERROR_CHARACTERS)
        if remark:
            key = printable(row.get("case_id")), printable(row.get("side")), remark
            readers.setdefault(key, []).append(printable(row.get("reader")))
    rows = [[case, side, ", ".join(names), remark] for (case, side, remark), names in readers.items()]
    return PrintedTable(title, "", ["case", "side", "readers", column], rows)


def settings_rows(settings: Any, prefix: str = "") -> Iterable[list[str]]:
    """Nested settings as rows of a dotted name and a value; the lines of a longer text stay lines."""
    if not isinstance(settings, Mapping):
        lines = str(settings).splitlines() or [""]
        indents = [line[: len(line) - len(line.lstrip(" "))] for line in lines]
        kept = [i + printable(line, ERROR_CHARACTERS) for i, line in zip(indents, lines, strict=True)]
        yield [prefix, "\n".join(kept)]
        return
    for name, value in settings.items():
        dotted = f"{prefix}.{printable(name)}" if prefix else printable(name)
        yield from settings_rows(value, dotted)


def held_out(about: Mapping[str, Any]) -> str:
    """What is known of whether the networks had seen the cases; nothing of masks from anywhere.

    Args:
        about: the content of `study.json`.

    Examples:
        >>> held_out({"folds": 5})
        'Each case was segmented by networks that were trained without its patient.'
        >>> held_out({"settings": {"seen_in_training": 2}})
        '2 of the images were in the training of the networks, and are flagged.'
        >>> held_out({})
        ''
    """
    if isinstance(about.get("folds"), int):
        return "Each case was segmented by networks that were trained without its patient."
    settings = about.get("settings")
    seen = settings.get("seen_in_training") if isinstance(settings, dict) else None
    if not isinstance(seen, int):
        return ""
    return f"{seen or 'None'} of the images were in the training of the networks{', and are flagged' if seen else ''}."
