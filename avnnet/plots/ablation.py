"""Figures of an ablation: differences with their intervals, and what they cost."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from avnnet.errors import StatisticsError
from avnnet.metrics.catalogue import metric as metric_of
from avnnet.plots.style import ACCENT, GREY, INK, LABEL_COLOURS, new_axes, plain
from avnnet.stats import pareto_front

MARKERS = "osD^vP*X"
ROOM_LETTERS, INCH_PER_LETTER = 16, 0.075  # of the names beside a plot


def forest_plot(table: pd.DataFrame, *, metric: str = "dice", axes: Axes | None = None) -> Axes:
    """Axes with the difference of every variant from the base, and its 95 % interval, a group of rows per label.

    A hollow point has no interval.

    Args:
        table: of `avnnet.stats.ablation_table`.
        metric: which of its metrics.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if the table has no variant beside the base with this metric.
    """
    rows = table[(table["metric"] == metric) & table["base_mean"].notna()]
    if rows.empty:
        raise StatisticsError(f"the table has no difference of {metric!r}; it has {sorted(set(table['metric']))}")
    labels, variants = list(rows["label"].unique()), list(rows["variant"].unique())
    count = len(labels) * (len(variants) + 1)
    axes = plain(axes if axes is not None else new_axes(6.4 + _beyond(variants), 1.05 + 0.3 * count))
    axes.axvline(0, color=GREY, linewidth=0.8)
    ticks: dict[float, str] = {}
    place = 0.0
    one, decimals = metric_of(metric), metric_of(metric).decimals
    for label in labels:
        ticks[place] = str(label)
        for _, row in rows[rows["label"] == label].iterrows():
            place -= 1
            ticks[place] = str(row["variant"])
            has_interval = bool(np.isfinite(row["ci_low"]))
            words = f"{row['difference']:+.{decimals}f}"
            if has_interval:
                axes.plot([row["ci_low"], row["ci_high"]], [place, place], color=INK, linewidth=1.2)
                words += f" ({row['ci_low']:+.{decimals}f} to {row['ci_high']:+.{decimals}f})"
            face = ACCENT if has_interval else "white"
            axes.scatter([row["difference"]], [place], s=30, color=face, edgecolors=ACCENT, zorder=3)
            words = words.replace("-", "−")
            axes.text(1.02, place, words, transform=axes.get_yaxis_transform(), va="center", color=INK, fontsize=8)
        place -= 1
    axes.set_yticks(list(ticks), list(ticks.values()))
    for number, tick in enumerate(axes.get_yticklabels()):
        if number % (len(variants) + 1) == 0:
            tick.set_color(GREY)
    axes.set_ylim(place + 0.4, 0.6)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.12)
    better = "right" if one.is_higher_better else "left"
    # centred under axes that long names make narrow, one line would leave the figure
    axes.set_xlabel(f"difference in {one.printed}\nvariant − base; better to the {better}")
    return axes


def _beyond(names: Iterable[str]) -> float:
    """Inches that the longest name needs beyond what a figure has room for."""
    return INCH_PER_LETTER * max(0, max(map(len, names), default=0) - ROOM_LETTERS)


def pareto_plot(
    table: pd.DataFrame, costs: pd.DataFrame, label: str, *, cost: str = "forward_gflop", axes: Axes | None = None
) -> Axes:
    """Axes with the Dice of every variant over what it costs; a line joins those that no other one beats.

    Args:
        table: of `avnnet.stats.ablation_table`.
        costs: one row per variant, with the column `cost`.
        label: the structure.
        cost: the column: forward_gflop, train_tflop, parameters, minutes.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if the table has no Dice of the label, or `costs` no such column.
    """
    rows = table[(table["metric"] == "dice") & (table["label"] == label)]
    if rows.empty or cost not in costs.columns:
        raise StatisticsError(
            f"a Dice of {label!r} and the cost {cost!r} are needed; the labels are {sorted(set(table['label']))}, the "
            f"costs {list(costs.columns)}"
        )
    points = rows.merge(costs, on="variant", how="inner")[["variant", "mean", cost]]
    axes = plain(axes if axes is not None else new_axes(5.6 + _beyond(points["variant"]), 3.6))
    front = points[pareto_front(points[cost].tolist(), points["mean"].tolist())].sort_values(cost)
    axes.plot(front[cost], front["mean"], color=GREY, linewidth=1, zorder=1)
    for number, (_, point) in enumerate(points.iterrows()):
        colour, marker = LABEL_COLOURS[number % len(LABEL_COLOURS)], MARKERS[number % len(MARKERS)]
        axes.scatter(
            [point[cost]], [point["mean"]], s=52, color=colour, marker=marker, edgecolors=INK, linewidths=0.6, zorder=3,
            label=str(point["variant"]),
        )  # fmt: skip
    known = points[cost].dropna()
    if len(known) and known.min() > 0 and known.max() / known.min() > 4:
        axes.set_xscale("log")
    axes.margins(0.15)
    axes.set_xlabel(COSTS.get(cost, cost))
    axes.set_ylabel(f"Dice, {label}")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return axes


COSTS = {
    "forward_gflop": "GFLOP of the prediction of one patch",
    "train_tflop": "TFLOP of one training",
    "parameters": "trained parameters",
    "minutes": "minutes of one training",
}
