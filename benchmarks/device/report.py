"""The table of what was measured: rewritten as JSON and as Markdown after each row, so that a kill loses nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from avnnet.atomic import write_text_atomically

COLUMNS = {
    "steps_per_s": ("steps/s", ".3g"),
    "peak_gib": ("GPU GiB", ".2f"),
    "waiting_percent": ("waits for data (%)", ".1f"),
    "seconds": ("s", ".3g"),
    "dice": ("Dice", ".4f"),
}
"""Figures that have a column of their own; others are in the JSON."""


class Report:
    """Rows of figures and errors, in a folder.

    Args:
        folder: of cuda.json and cuda.md.
        about: what was asked for, such as the minutes.
    """

    def __init__(self, folder: Path, about: Mapping[str, object]) -> None:
        self.folder, self.about = folder, dict(about)
        self.rows: list[dict[str, object]] = []
        self.is_finished = False
        folder.mkdir(parents=True, exist_ok=True)
        self.write()

    def add(self, step: str, figures: Mapping[str, object]) -> None:
        """Adds what a step found; `error` among the figures marks a failure."""
        # JSON has no NaN
        plain = {
            key: None if isinstance(value, float) and not math.isfinite(value) else value
            for key, value in figures.items()
        }
        self.rows.append({"step": step, **plain})
        self.write()

    def finish(self) -> None:
        """Marks the table as whole."""
        self.is_finished = True
        self.write()

    @property
    def failures(self) -> list[dict[str, object]]:
        """The rows with an error."""
        return [row for row in self.rows if row.get("error")]

    def write(self) -> None:
        """Writes both files, each whole or not at all."""
        told = {**self.about, "finished": self.is_finished, "rows": self.rows}
        write_text_atomically(self.folder / "cuda.json", json.dumps(told, indent=1) + "\n")
        write_text_atomically(self.folder / "cuda.md", self.as_markdown())

    def as_markdown(self) -> str:
        """One table; the note of a failed step is its error."""
        heads = ["step", "what", *(head for head, _ in COLUMNS.values()), "note"]
        lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
        for row in self.rows:
            error, note = row.get("error"), str(row.get("note", ""))
            cells = [str(row["step"]), str(row.get("what", ""))]
            cells += [_cell(row.get(key), form) for key, (_, form) in COLUMNS.items()]
            cells.append(f"**failed:** {error}" if error else note)
            lines.append("| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |")
        ending = "" if self.is_finished else "\nNot finished: the steps below the last row are lacking.\n"
        return "\n".join(lines) + "\n" + ending


def _cell(value: object, form: str) -> str:
    return format(value, form) if isinstance(value, int | float) else ""
