"""Means, spreads and counts of the two result tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from avnnet.metrics.catalogue import SUMMARISED
from avnnet.metrics.outcome import Outcome
from avnnet.stats.pairs import KEY, numbers, text, tidy


def summarise_agreement(agreement: pd.DataFrame) -> pd.DataFrame:
    """One row per reader and label: Dice, HD95 and ASSD with the counts that say what the means leave out.

    Values are per case (hip), not per patient: they describe, they do not test. A missed or false-positive
    structure counts with Dice 0. The mean and SD of a distance are of the finite values; its median is of
    all, with infinity ranked worst, so a network cannot score better by missing a structure.

    Args:
        agreement: one row per case, reader and label, with dice, outcome and further metrics.

    Returns:
        reader, label, n (cases with a defined Dice, over which its mean is), n_patients, n_missed,
        n_false_positive, n_undefined (both masks empty), n_failed (cases that stand in the table, but without
        an outcome for this reader and label); dice_mean, dice_sd, dice_median and the same of every other metric that
        is summarised: hd95_mm, assd_mm.

    Raises:
        StatisticsError: if a column is absent, or a row stands twice.

    Source:
        Maier-Hein L, Reinke A et al. Metrics reloaded. Nat Methods 2024;21:195-212 (undefined values).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"], "case_id": [*"abc"], "reader": "unet3d",
        ...     "label": "necrosis", "dice": [0.8, 0.6, 0.0], "hd95_mm": [2.0, 4.0, np.inf],
        ...     "assd_mm": [1.0, 2.0, np.inf], "outcome": ["both_present", "both_present", "missed"]})
        >>> row = summarise_agreement(table).iloc[0]
        >>> row[["dice_mean", "n_missed", "hd95_mm_mean", "hd95_mm_median"]].astype(float).round(3).tolist()
        [0.467, 1.0, 3.0, 4.0]
    """
    frame = tidy(agreement, ["label", "dice", "outcome"])
    known = [one for one in SUMMARISED if one.name in frame]  # a table may be older than a metric
    n_all = len(frame[KEY].drop_duplicates())
    rows = []
    for (reader, label), cases in frame.groupby(["reader", "label"], sort=False):
        outcome = cases["outcome"].map(text)
        dice = numbers(cases, "dice").dropna()
        row: dict[str, object] = {"reader": reader, "label": label, "n": len(dice)}
        row["n_patients"] = cases.loc[dice.index, "patient_id"].nunique()
        row |= {f"n_{name}": int((outcome == name).sum()) for name in (Outcome.MISSED, Outcome.FALSE_POSITIVE)}
        row["n_undefined"] = int((outcome == Outcome.BOTH_EMPTY).sum())
        row["n_failed"] = n_all - int(outcome.isin(list(Outcome)).sum())
        for one in known:
            values = numbers(cases, one.name).dropna()
            row |= _spread(one.name, values[np.isfinite(values)], values)
        rows.append(row)
    return pd.DataFrame(rows)


def summarise_volumes(measurements: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """One row per reader and quantity: mean, SD and median over the cases, with n, n_failed and n_undefined.

    Values are per case (hip), not per patient: they describe, they do not test.

    Args:
        measurements: one row per case and reader; a failed case has no numbers and a text in `error`.
        columns: the quantities, such as `scheme.volume_columns`; results have their units.

    Returns:
        reader, quantity, n, n_patients, n_failed (an error is written), n_undefined (no number and no error,
        such as the share of an empty whole), mean, sd, median.

    Raises:
        StatisticsError: if a column is absent or holds text, or a row stands twice.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"], "case_id": [*"abc"], "reader": "manual",
        ...     "head_cm3": [40.0, 50.0, None], "error": ["", "", "no file"]})
        >>> summarise_volumes(table, ["head_cm3"])[["n", "n_failed", "mean"]].values.tolist()
        [[2.0, 1.0, 45.0]]
    """
    frame = tidy(measurements, columns)
    failed = frame["error"].map(text) != "" if "error" in frame.columns else pd.Series(False, frame.index)
    rows = []
    for reader, cases in frame.groupby("reader", sort=False):
        for column in columns:
            values = numbers(cases, column)
            values = values[np.isfinite(values)]
            row: dict[str, object] = {"reader": reader, "quantity": column, "n": len(values)}
            row["n_patients"] = cases.loc[values.index, "patient_id"].nunique()
            row["n_failed"] = int(failed[cases.index].sum())
            row["n_undefined"] = int((~cases.index.isin(values.index) & ~failed[cases.index]).sum())
            rows.append(row | {name[1:]: value for name, value in _spread("", values, values).items()})
    return pd.DataFrame(rows)


def _spread(name: str, of_mean: pd.Series, of_median: pd.Series) -> dict[str, float]:
    """Mean and SD of one selection and the median of another, NaN where there is nothing to take them of."""
    return {
        f"{name}_mean": float(of_mean.mean()) if len(of_mean) else np.nan,
        f"{name}_sd": float(of_mean.std(ddof=1)) if len(of_mean) > 1 else np.nan,
        # numpy's median of an even number of values keeps infinity, where pandas' may turn it into NaN
        f"{name}_median": float(np.median(of_median)) if len(of_median) else np.nan,
    }
