"""Figures of a training: how good a network was when."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from avnnet.errors import StatisticsError
from avnnet.plots.style import LABEL_COLOURS, new_axes, plain

COLUMNS = ("network", "fold", "epoch", "seconds")


def training_plot(table: pd.DataFrame, structure: str, *, axes: Axes | None = None) -> Axes:
    """Axes with the validation Dice of a structure over the minutes of the training, a colour per network.

    A thin line is one fold, the thick one the mean of the folds at the same epoch.

    Args:
        table: one row per network, fold and epoch with its `seconds` since the training began and
            `val_dice_STRUCTURE`, empty where an epoch was not validated: a study's `training.csv`.
        structure: the label's name.
        axes: where to draw; new axes on a new figure by default.

    Raises:
        StatisticsError: if a column is absent, or no epoch was validated.
    """
    value = f"val_dice_{structure}"
    missing = [name for name in (*COLUMNS, value) if name not in table.columns]
    if missing:
        raise StatisticsError(f"the table of a training needs the columns {missing}; found {list(table.columns)}")
    rows = table.dropna(subset=value)
    if rows.empty:
        raise StatisticsError(f"no epoch has a validation Dice of {structure}; see trainer.check_val_every_n_epoch")
    rows = rows.assign(minutes=rows["seconds"] / 60)
    axes = plain(axes if axes is not None else new_axes())
    for number, (network, own) in enumerate(rows.groupby("network", sort=False)):
        colour = LABEL_COLOURS[number % len(LABEL_COLOURS)]
        for _, fold in own.groupby("fold"):
            axes.plot(fold["minutes"], fold[value], color=colour, linewidth=0.6, alpha=0.5)
        mean = own.groupby("epoch")[["minutes", value]].mean()
        axes.plot(mean["minutes"], mean[value], color=colour, linewidth=2, marker="o", markersize=3, label=str(network))
    axes.set_xlabel("minutes of training per fold")
    axes.set_ylabel(f"validation Dice, {structure}")
    axes.legend(frameon=False, loc="lower right", fontsize=8)
    return axes
