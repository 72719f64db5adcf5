"""Correlation of two readers on a quantity, and its table together with the limits of agreement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.stats.limits import limits_row
from avnnet.stats.pairs import CONFIDENCE, is_constant, pairs, patient_means, tidy


def pearson(table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str) -> pd.DataFrame:
    """One row: Pearson's r of manual and automatic values with p and Fisher's 95 % interval.

    One value per patient, the mean over the patient's hips (two hips of one patient are not independent):
    `n_patients` counts what the test saw, `n_cases` the hips behind it.

    Args:
        table: measurements, one row per case and reader.
        value: the column to correlate.
        manual: the reader on the first axis.
        automatic: the reader on the second.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, r, p, ci_low, ci_high, note; with three
        patients the interval is -1 to 1, because Fisher's z then has no finite variance.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Fisher RA. On the "probable error" of a coefficient of correlation deduced from a small sample.
        Metron 1921;1:3-32.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "head_cm3": [1.0, 2, 3, 4, 1, 3, 2, 4]})
        >>> pearson(table, "head_cm3", automatic="unet3d")["r"].round(3).tolist()
        [0.8]
    """
    paired, excluded = pairs(table, value, manual, automatic)
    return pd.DataFrame([_pearson_row(paired, value, manual, automatic, excluded)])


def _pearson_row(paired: pd.DataFrame, value: str, manual: str, automatic: str, excluded: int) -> dict[str, object]:
    means = patient_means(paired, ["first", "second"])
    first, second = means["first"].to_numpy(float), means["second"].to_numpy(float)
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": len(means), "n_cases": len(paired), "n_excluded": excluded}
    row |= {"r": np.nan, "p": np.nan, "ci_low": np.nan, "ci_high": np.nan, "note": ""}
    row["note"] = _why_no_correlation(first, second, manual, automatic)
    if not row["note"]:
        result = stats.pearsonr(first, second)
        with np.errstate(divide="ignore"):  # r = 1 has the interval 1 to 1
            interval = result.confidence_interval(CONFIDENCE)
        row |= {"r": float(result.statistic), "p": float(result.pvalue)}
        row |= {"ci_low": float(interval.low), "ci_high": float(interval.high)}
    return row


def _why_no_correlation(first: np.ndarray, second: np.ndarray, manual: str, automatic: str) -> str:
    if len(first) < 3:
        return "fewer than 3 patients with both values"
    if is_constant(first) or is_constant(second):
        return f"all patients have the same value for {manual if is_constant(first) else automatic}"
    return ""


def spearman(table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str) -> pd.DataFrame:
    """One row: Spearman's rank correlation of manual and automatic values with p and a 95 % interval.

    One value per patient, the mean over the patient's hips, as for `pearson`. The p is that of scipy, from Student's t.
    The interval is Fisher's z with the standard error sqrt((1 + r² / 2) / (n - 3)), which needs four patients.

    Args:
        table: measurements, one row per case and reader.
        value: the column to correlate.
        manual: the reader on the first axis.
        automatic: the reader on the second.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, r, p, ci_low, ci_high, interval, note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Spearman C. The proof and measurement of association between two things. Am J Psychol 1904;15:72-101. Bonett
        DG, Wright TA. Sample size requirements for estimating Pearson, Kendall and Spearman correlations.
        Psychometrika 2000;65:23-28 (the standard error).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "head_cm3": [1.0, 2, 3, 40, 1, 3, 2, 4]})
        >>> spearman(table, "head_cm3", automatic="unet3d")["r"].round(3).tolist()
        [0.8]
    """
    paired, excluded = pairs(table, value, manual, automatic)
    means = patient_means(paired, ["first", "second"])
    first, second = means["first"].to_numpy(float), means["second"].to_numpy(float)
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": len(means), "n_cases": len(paired), "n_excluded": excluded}
    row |= {"r": np.nan, "p": np.nan, "ci_low": np.nan, "ci_high": np.nan, "interval": "approximate", "note": ""}
    row["note"] = _why_no_correlation(first, second, manual, automatic)
    if not row["note"]:
        result = stats.spearmanr(first, second)
        r = float(np.clip(result.statistic, -1, 1))  # scipy gives 1 + 2e-16 for equal ranks
        row |= {"r": r, "p": float(result.pvalue)}
        if len(means) > 3:
            error = np.sqrt((1 + r**2 / 2) / (len(means) - 3)) * stats.norm.ppf((1 + CONFIDENCE) / 2)
            with np.errstate(divide="ignore"):  # r = 1 has the interval 1 to 1
                row |= {"ci_low": float(np.tanh(np.arctanh(r) - error))}
                row |= {"ci_high": float(np.tanh(np.arctanh(r) + error))}
        else:
            row["note"] = "the interval needs 4 patients"
    return pd.DataFrame([row])


def volume_agreement(table: pd.DataFrame, values: Sequence[str], *, manual: str = "manual") -> pd.DataFrame:
    """One row per value and automatic reader: bias, limits of agreement, and Pearson's r with p and interval.

    Every statistic of the correlation and the bias has one value per patient; see `bland_altman` and
    `pearson`.

    Args:
        table: measurements, one row per case and reader.
        values: the columns to compare, such as `scheme.volume_columns`.
        manual: the reader that all others are compared with.

    Returns:
        The columns of `bland_altman` up to the limits and their intervals, note, then r, r_p, r_ci_low, r_ci_high,
        r_note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        As for `bland_altman` and `pearson`.
    """
    readers = [reader for reader in tidy(table, values)["reader"].unique() if reader != manual]
    rows = []
    for value in values:
        for reader in readers:
            paired, excluded = pairs(table, value, manual, reader)
            row = limits_row(paired, value, manual, reader, excluded)
            correlation = _pearson_row(paired, value, manual, reader, excluded)
            row["r"] = correlation["r"]
            row |= {f"r_{name}": correlation[name] for name in ("p", "ci_low", "ci_high", "note")}
            rows.append(row)
    return pd.DataFrame(rows)
