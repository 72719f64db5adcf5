"""Colours, words and files that all figures share."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from avnnet.atomic import whole_file

LABEL_COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#F0E442", "#D55E00")
"""Okabe and Ito's palette, told apart by readers of every colour vision (jfly.uni-koeln.de/color)."""
INK = "#20303c"
ACCENT = "#0072B2"
GREY = "#8a949b"
UNITS = {"cm3": "cm³", "mm3": "mm³", "mm2": "mm²", "ml": "ml", "percent": "%", "mm": "mm", "deg": "°"}


def words(value: str) -> str:
    """A column name as words with its unit in brackets.

    Examples:
        >>> words("necrosis_cm3"), words("dice")
        ('necrosis (cm³)', 'Dice')
    """
    value = value.replace("steinberg", "Steinberg").replace("kerboul", "Kerboul")
    name, _, unit = value.rpartition("_")
    if name and unit in UNITS:
        return f"{name.replace('_', ' ')} ({UNITS[unit]})"
    return "Dice" if value == "dice" else value.replace("_", " ")


class NotebookFigure(Figure):
    """A figure that a notebook shows as the result of a cell, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self, dots_per_inch=100)


def new_axes(width_inch: float = 4.6, height_inch: float = 3.6) -> Axes:
    """Axes on a figure of their own; a bare figure opens no window and is freed with its last reference."""
    return NotebookFigure(figsize=(width_inch, height_inch), layout="constrained").subplots()


def plain(axes: Axes) -> Axes:
    """The axes without the two spines that carry no scale."""
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def png_bytes(drawn: Axes | Figure, *, dots_per_inch: int = 150) -> bytes:
    """A figure, or the figure of some axes, as a PNG: the same bytes for the same figure.

    Args:
        drawn: what a plot returned.
        dots_per_inch: resolution.
    """
    return _file_bytes(drawn, format="png", dpi=dots_per_inch, metadata={"Software": None})


def svg_bytes(drawn: Axes | Figure) -> bytes:
    """A figure, or the figure of some axes, as an SVG with its letters as outlines: the same bytes for the same figure.

    Args:
        drawn: what a plot returned.
    """
    from matplotlib import rc_context

    with rc_context({"svg.hashsalt": "avnnet", "svg.fonttype": "path"}):
        return _file_bytes(drawn, format="svg", metadata={"Date": None, "Creator": None})


def _file_bytes(drawn: Axes | Figure, **how: Any) -> bytes:
    """A saved figure; `how` leaves out version and date, so that a report can be compared byte by byte."""
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    stream = io.BytesIO()
    if figure is not None:  # axes that were removed from their figure have none
        for text in figure.findobj(Text):  # names of readers and stages may be anything: dollars are no formula
            text.set_parse_math(False)
            text.set_text("".join(c for c in text.get_text() if c.isprintable() or c == "\n"))
        figure.savefig(stream, **how)
    return stream.getvalue()


def save_png(drawn: Axes | Figure, path: str | Path, *, dots_per_inch: int = 150) -> Path:
    """The path written: a figure, or the figure of some axes, as a PNG, whole or not at all.

    Args:
        drawn: what a plot returned.
        path: the file; its folder is made where it is absent.
        dots_per_inch: resolution.
    """
    with whole_file(path) as partial:
        partial.write_bytes(png_bytes(drawn, dots_per_inch=dots_per_inch))
    return Path(path)
