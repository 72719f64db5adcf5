"""Results of every case by stage."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from avnnet.plots.style import INK, LABEL_COLOURS, new_axes, plain, words
from avnnet.stats.pairs import KEY, numbers, rows_of, text, tidy

ALL = "all"


def stage_plot(
    agreement: pd.DataFrame,
    measurements: pd.DataFrame,
    *,
    reader: str,
    labels: list[str],
    metric: str = "dice",
    stage: str = "arco_stage",
    manual: str = "manual",
    axes: Axes | None = None,
) -> Axes:
    """Axes with a metric of every case: all together, then by stage, structures side by side over box plots.

    Args:
        agreement: one row per case, reader and label.
        measurements: whose manual rows have the stage; without that column all cases stand together.
        reader: the network.
        labels: the structures, in this order.
        metric: the column.
        stage: the column of the stages.
        manual: whose stages count.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.
    """
    frame = rows_of(tidy(agreement, ["label", metric]), reader)
    known = rows_of(tidy(measurements), manual)
    stages = known[KEY].assign(stage=known[stage].map(text) if stage in known else "")
    frame = frame.assign(value=numbers(frame, metric)).merge(stages, on=KEY, how="left")
    frame = frame[np.isfinite(frame["value"])]
    strata = [ALL, *sorted(set(frame["stage"].dropna()) - {""})]
    axes = plain(axes if axes is not None else new_axes(min(1.6 + 1.1 * len(strata), 5.6)))
    width = 0.8 / len(labels)
    for place, stratum in enumerate(strata):
        members = frame if stratum == ALL else frame[frame["stage"] == stratum]
        for number, label in enumerate(labels):
            values = np.sort(members.loc[members["label"] == label, "value"].to_numpy(float))
            if not len(values):
                continue
            position, colour = place + (number - (len(labels) - 1) / 2) * width, LABEL_COLOURS[number]
            line = {"color": INK, "linewidth": 0.8}
            axes.boxplot(
                values, positions=[position], widths=0.8 * width, showfliers=False, manage_ticks=False,
                medianprops={"color": INK, "linewidth": 1.6}, boxprops=line, whiskerprops=line, capprops=line,
            )  # fmt: skip
            spread = 0.25 * width * (np.arange(len(values)) % 5 - 2) / 2  # by rank: the same table, the same figure
            axes.scatter(
                position + spread, values, s=14, color=colour, alpha=0.7, linewidths=0, zorder=3,
                label=label if stratum == ALL else None,
            )  # fmt: skip
    counts = [len((frame if s == ALL else frame[frame["stage"] == s])[KEY].drop_duplicates()) for s in strata]
    axes.set_xticks(range(len(strata)), [f"{s}\nn = {n}" for s, n in zip(strata, counts, strict=True)])
    axes.set_ylabel(words(metric))
    axes.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(labels))
    return axes
