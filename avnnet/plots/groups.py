"""Figures of groups of cases, such as early and advanced stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from avnnet.plots.style import ACCENT, INK, LABEL_COLOURS, new_axes, plain, words
from avnnet.stats import early_or_advanced
from avnnet.stats.pairs import KEY, numbers, rows_of, tidy


def group_plot(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    readers: Sequence[str],
    groups: tuple[str, str] = ("early", "advanced"),
    classify: Callable[[object], str | None] = early_or_advanced,
    axes: Axes | None = None,
) -> Axes:
    """Axes with every case of two groups as a point, side by side for each reader, over box plots.

    Args:
        table: measurements, one row per case and reader.
        value: the column to draw.
        group: the column that decides the group, such as `arco_stage`.
        readers: whose values to draw, in this order.
        groups: the names of the two groups, in this order.
        classify: a cell of `group` to the name of a group, or None for neither.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.
    """
    frame = tidy(table, [value, group])
    frame = frame.assign(value=numbers(frame, value), member=frame[group].map(classify))
    frame = frame[np.isfinite(frame["value"])]
    axes = plain(axes if axes is not None else new_axes())
    ticks: dict[float, str] = {}
    for place, reader in enumerate(readers):
        rows = rows_of(frame, reader)
        for side, name in enumerate(groups):
            found = rows.loc[rows["member"] == name, [*KEY, "value"]].sort_values(KEY)
            position = place * 2.6 + side
            ticks[position] = f"{name}\nn = {len(found)}"
            if found.empty:
                continue
            values = found["value"].to_numpy(float)
            axes.boxplot(
                values, positions=[position], widths=0.55, showfliers=False, manage_ticks=False,
                medianprops={"color": INK, "linewidth": 1.6}, boxprops={"color": INK}, whiskerprops={"color":
                INK}, capprops={"color": INK},
            )  # fmt: skip
            # spread by rank and not by chance, so that the same table gives the same figure
            order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
            spread = 0.16 * ((order % 5) - 2) / 2
            colour = (ACCENT, LABEL_COLOURS[5])[side]
            axes.scatter(position + spread, values, s=16, color=colour, alpha=0.7, linewidths=0, zorder=3)
        axes.text(place * 2.6 + 0.5, 1.01, reader, transform=axes.get_xaxis_transform(), ha="center", color=INK)
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlim(min(ticks) - 0.7, max(ticks) + 0.7)
    axes.set_ylabel(words(value))
    return axes
