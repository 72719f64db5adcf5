"""Paired comparison of two readers on the same cases."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.pairs import CONFIDENCE, is_constant, pairs, patient_means, tidy

EXACT_WILCOXON_UP_TO = 50  # patients; the exact distribution is fast up to here and R takes the same limit


def paired_t(table: pd.DataFrame, value: str, *, readers: tuple[str, str]) -> pd.DataFrame:
    """One row: the mean difference second - first of two readers with its paired t-test and 95 % interval.

    Cases are joined by case_id and side, never by order. The test has one value per patient, the mean of the
    difference over the patient's hips, because two hips of one patient are not independent: `n_patients`
    counts what the test saw, `n_cases` the hips behind it.

    Args:
        table: a long table, one row per case and reader (for an agreement table: of one label).
        value: the column to compare; the differences have its unit.
        readers: (first, second), for example ("manual", "ensemble").

    Returns:
        value, first, second, n_patients, n_cases, n_excluded, mean_difference, sd_difference, t, df, p,
        ci_low, ci_high and a note, which says why where there is no p.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Student. The probable error of a mean. Biometrika 1908;6:1-25.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcabc"], "case_id": [*"abcabc"],
        ...     "reader": ["manual"] * 3 + ["unet3d"] * 3, "head_cm3": [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]})
        >>> row = paired_t(table, "head_cm3", readers=("manual", "unet3d")).iloc[0]
        >>> row[["mean_difference", "p"]].astype(float).round(4).tolist()
        [2.0, 0.0742]
    """
    first, second = readers
    paired, excluded = pairs(table, value, first, second)
    return pd.DataFrame([_t_row(paired, value, first, second, excluded)])


def _t_row(paired: pd.DataFrame, value: str, first: str, second: str, excluded: int) -> dict[str, object]:
    differences, note = _differences(paired)
    n = len(differences)
    row: dict[str, object] = {"value": value, "first": first, "second": second}
    row |= {"n_patients": n, "n_cases": len(paired), "n_excluded": excluded}
    row["mean_difference"] = float(differences.mean()) if n else np.nan
    row["sd_difference"] = float(differences.std(ddof=1)) if n > 1 else np.nan
    row |= {"t": np.nan, "df": float(n - 1) if n > 1 else np.nan}
    row |= {"p": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    if not note:
        result = stats.ttest_1samp(differences, 0.0)
        interval = result.confidence_interval(CONFIDENCE)
        row |= {"t": float(result.statistic), "p": float(result.pvalue)}
        row |= {"ci_low": float(interval.low), "ci_high": float(interval.high)}
    return row | {"note": note}


def _differences(paired: pd.DataFrame) -> tuple[np.ndarray, str]:
    """One difference second - first per patient, and why they cannot be tested (empty where they can)."""
    means = patient_means(paired, ["first", "second"])
    differences = (means["second"] - means["first"]).to_numpy(float)
    if len(differences) < 2:
        return differences, "fewer than 2 patients with both values"
    if is_constant(differences, scale=float(np.abs(means.to_numpy()).max())):
        return differences, "all patients have the same difference"
    return differences, ""


def wilcoxon_p(paired: pd.DataFrame) -> float:
    """The two-sided p of Wilcoxon's signed-rank test on one difference per patient, NaN where there is none.

    Exact for up to 50 patients without ties and zeros, else the normal approximation with continuity
    correction (zeros left out): the rule of R's `wilcox.test`.

    Args:
        paired: patient_id, first and second, one row per case, as `pairs` gives them.

    Source:
        Wilcoxon F. Individual comparisons by ranking methods. Biometrics Bulletin 1945;1:80-83.

    Examples:
        >>> rising = pd.DataFrame({"patient_id": [*"abcdef"], "first": 0.0, "second": [1.0, 2, 3, 4, 5, 6]})
        >>> wilcoxon_p(rising) == 2 / 2**6
        True
    """
    differences, note = _differences(paired)
    if note:
        return np.nan
    differences = _without_rounding(differences)
    sizes = np.abs(differences)
    exact = len(sizes) <= EXACT_WILCOXON_UP_TO and bool(sizes.all()) and len(np.unique(sizes)) == len(sizes)
    method = "exact" if exact else "asymptotic"
    return float(stats.wilcoxon(differences, method=method, correction=True).pvalue)


def matched_rank_biserial(paired: pd.DataFrame) -> float:
    """The matched-pairs rank-biserial correlation: rank sum for second > first less that against, as a share.

    One difference per patient; zeros are left out, as in Wilcoxon's test. NaN where all are zero or there is none.

    Args:
        paired: patient_id, first and second, one row per case, as `pairs` gives them.

    Returns:
        -1 (second is lower in all patients) to 1 (higher in all).

    Source:
        Kerby DS. The simple difference formula. Compr Psychol 2014;3:1.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"], "first": [1.0, 2, 3], "second": [2.0, 4, 0]})
        >>> matched_rank_biserial(table)
        0.0
    """
    differences, _ = _differences(paired)
    if not len(differences) or is_constant(np.append(differences, 0.0), scale=float(paired["first"].abs().max())):
        return np.nan
    differences = _without_rounding(differences)
    differences = differences[differences != 0]
    ranks = stats.rankdata(np.abs(differences))
    return float((ranks * np.sign(differences)).sum() / ranks.sum())


def cohen_dz(paired: pd.DataFrame) -> float:
    """Cohen's d_z, the mean of the differences second - first in their SDs, one difference per patient.

    Args:
        paired: patient_id, first and second, one row per case, as `pairs` gives them.

    Returns:
        NaN with fewer than two patients or without a spread.

    Source:
        Cohen J. Statistical power analysis for the behavioral sciences, 2nd ed. 1988, section 2.3.5.

    Examples:
        >>> cohen_dz(pd.DataFrame({"patient_id": [*"abc"], "first": 0.0, "second": [1.0, 2.0, 3.0]}))
        2.0
    """
    differences, note = _differences(paired)
    return np.nan if note else float(differences.mean() / differences.std(ddof=1))


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p values in the order of the given ones; NaN stays NaN and is not counted as a comparison.

    Args:
        p: `(comparisons,)` p values.

    Source:
        Holm S. Scand J Stat 1979;6:65-70.

    Examples:
        >>> holm(np.array([0.01, 0.02, np.nan, 0.04])).round(3).tolist()
        [0.03, 0.04, nan, 0.04]
    """
    # statsmodels' multipletests collects garbage at every call, which takes 20 ms and more
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]  # NaN comes last
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1)
    return adjusted


def _without_rounding(differences: np.ndarray) -> np.ndarray:
    """Twelve digits of the differences, in units of the largest: rounding errors would break their ties."""
    rounded: np.ndarray = np.round(differences / np.abs(differences).max(), 12)
    return rounded


def compare_readers(agreement: pd.DataFrame, *, value: str = "dice", readers: list[str] | None = None) -> pd.DataFrame:
    """One row per label and pair of readers: does one network agree better with the expert than the other?

    One value per patient, the mean over the patient's hips; only cases that both readers have. A missed
    structure counts with Dice 0; undefined and infinite values are left out and counted in `n_excluded`. `p`
    and `wilcoxon_p` are not adjusted; `p_holm` and `wilcoxon_p_holm` are, by Holm's method over the pairs of
    readers of a label that have a p.

    Args:
        agreement: one row per case, reader and label.
        value: the column to compare, `dice` by default.
        readers: which to compare and in which order; by default all, in the order of the table.

    Returns:
        label, then the columns of `paired_t` (differences are second - first), then wilcoxon_p, p_holm,
        wilcoxon_p_holm, cohen_dz (mean / SD of the differences) and rank_biserial (-1 to 1; see
        `matched_rank_biserial`).

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Student 1908; Wilcoxon 1945. Holm S. A simple sequentially rejective multiple test procedure. Scand J
        Stat 1979;6:65-70. Cohen J. Statistical power analysis, 2nd ed. 1988, section 2.3.5 (d_z).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"] * 2, "case_id": [*"abc"] * 2, "label": "necrosis",
        ...     "reader": ["unet2d"] * 3 + ["unet3d"] * 3, "dice": [0.5, 0.6, 0.7, 0.6, 0.8, 1.0]})
        >>> row = compare_readers(table).iloc[0]
        >>> row[["mean_difference", "cohen_dz", "rank_biserial"]].astype(float).round(3).tolist()
        [0.2, 2.0, 1.0]
    """
    frame = tidy(agreement, ["label", value])
    present = frame["reader"].unique().tolist()
    unknown = sorted(set(readers or []) - set(present))
    if unknown:
        raise StatisticsError(f"no reader {unknown} in the table; it has {present}")
    rows = []
    for label in frame["label"].unique():
        of_label = frame[frame["label"] == label]
        here = set(of_label["reader"])
        for first, second in combinations(readers or present, 2):
            if {first, second} <= here:
                paired, excluded = pairs(of_label, value, first, second)
                row = {"label": label} | _t_row(paired, value, first, second, excluded)
                row |= {"wilcoxon_p": wilcoxon_p(paired), "p_holm": np.nan, "wilcoxon_p_holm": np.nan}
                rows.append(row | {"cohen_dz": cohen_dz(paired), "rank_biserial": matched_rank_biserial(paired)})
    columns = ["label", *_t_row(_NOTHING, value, "", "", 0), "wilcoxon_p", "p_holm", "wilcoxon_p_holm"]
    compared = pd.DataFrame(rows, columns=[*columns, "cohen_dz", "rank_biserial"])
    for name in ("p", "wilcoxon_p"):
        for of_label in compared.groupby("label").groups.values():
            compared.loc[of_label, f"{name}_holm"] = holm(compared.loc[of_label, name].to_numpy(float))
    return compared


_NOTHING = pd.DataFrame({"patient_id": [], "first": [], "second": []})
