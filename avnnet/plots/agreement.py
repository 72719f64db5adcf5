"""Figures of the agreement of two readers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from avnnet.plots.style import ACCENT, GREY, INK, new_axes, plain, words
from avnnet.stats import bland_altman, pearson
from avnnet.stats.pairs import pairs


def bland_altman_plot(
    table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str, axes: Axes | None = None
) -> Axes:
    """Axes with the difference automatic - manual of each case over their mean, bias and limits of agreement.

    One point is one case (hip); the lines are those of `avnnet.stats.bland_altman`, the bands their
    intervals.

    Args:
        table: measurements, one row per case and reader.
        value: the column to draw; both axes have its unit.
        manual: the reader that is subtracted.
        automatic: the reader that it is subtracted from.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Bland JM, Altman DG. Lancet 1986;i:307-310.
    """
    paired, _ = pairs(table, value, manual, automatic)
    row = bland_altman(table, value, manual=manual, automatic=automatic).iloc[0]
    axes = plain(axes if axes is not None else new_axes())
    axes.axhline(0, color=GREY, linewidth=0.6)
    mean = (paired["first"] + paired["second"]) / 2
    axes.scatter(mean, paired["second"] - paired["first"], s=18, color=ACCENT, alpha=0.75, linewidths=0)
    lines = {"bias": "bias", "lower_limit": "−1.96 SD", "upper_limit": "+1.96 SD"}
    for name, label in lines.items():
        level = float(row[name])
        if not np.isfinite(level):
            continue
        axes.axhline(level, color=INK, linewidth=1, linestyle="-" if name == "bias" else "--")
        low, high = float(row[f"{name}_ci_low"]), float(row[f"{name}_ci_high"])
        if np.isfinite([low, high]).all():
            axes.axhspan(low, high, color=GREY, alpha=0.15, linewidth=0)
        # beside the axes, where no point can lie under it
        axes.annotate(
            f"{label}\n{level:.2f}".replace("-", "−"), (1.01, level), xycoords=("axes fraction", "data"),
            va="center", fontsize=8, color=INK, annotation_clip=False,
        )  # fmt: skip
    axes.set_xlabel(f"mean of {manual} and {automatic}: {words(value)}")
    axes.set_ylabel(f"{automatic} − {manual}")
    axes.set_title(f"n = {row['n_cases']} cases of {row['n_patients']} patients", fontsize=9, color=INK)
    return axes


def scatter_plot(
    table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str, axes: Axes | None = None
) -> Axes:
    """Axes with automatic over manual values of each case, the line of identity and Pearson's r.

    Args:
        table: measurements, one row per case and reader.
        value: the column to draw; both axes have its unit and one scale.
        manual: the reader on the horizontal axis.
        automatic: the reader on the vertical axis.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.
    """
    paired, _ = pairs(table, value, manual, automatic)
    row = pearson(table, value, manual=manual, automatic=automatic).iloc[0]
    axes = plain(axes if axes is not None else new_axes())
    both = paired[["first", "second"]].to_numpy(float)
    top = 1.05 * float(both.max()) if both.size and both.max() > 0 else 1.0
    bottom = min(0.0, 1.05 * float(both.min())) if both.size else 0.0
    axes.plot([bottom, top], [bottom, top], color=GREY, linewidth=0.8)
    axes.scatter(paired["first"], paired["second"], s=18, color=ACCENT, alpha=0.75, linewidths=0)
    axes.set(xlim=(bottom, top), ylim=(bottom, top), aspect="equal")
    axes.set_xlabel(f"{manual}: {words(value)}")
    axes.set_ylabel(f"{automatic}: {words(value)}")
    title = f"r = {row['r']:.2f}".replace("-", "−") if np.isfinite(row["r"]) else str(row["note"])
    axes.set_title(f"{title}, n = {row['n_cases']} cases of {row['n_patients']} patients", fontsize=9, color=INK)
    return axes
