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
    """
    differences, note = _differences(paired)
    if note:
        return np.nan
    # rounding errors would give equal differences different ranks, so ranks are taken of twelve digits
    differences = np.round(differences / np.abs(differences).max(), 12)
    sizes = np.abs(differences)
    exact = len(sizes) <= EXACT_WILCOXON_UP_TO and bool(sizes.all()) and len(np.unique(sizes)) == len(sizes)
    method = "exact" if exact else "asymptotic"
    return float(stats.wilcoxon(differences, method=method, correction=True).pvalue)


def compare_readers(agreement: pd.DataFrame, *, value: str = "dice", readers: list[str] | None = None) -> pd.DataFrame:
    """One row per label and pair of readers: does one network agree better with the expert than the other?

    One value per patient, the mean over the patient's hips; only cases that both readers have. A missed
    structure counts with Dice 0; undefined and infinite values are left out and counted in `n_excluded`. The
    p values are not adjusted for the number of comparisons.

    Args:
        agreement: one row per case, reader and label.
        value: the column to compare, `dice` by default.
        readers: which to compare and in which order; by default all, in the order of the table.

    Returns:
        label, then the columns of `paired_t` (differences are second - first), then wilcoxon_p.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Student 1908; Wilcoxon 1945.
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
                rows.append(row | {"wilcoxon_p": wilcoxon_p(paired)})
    columns = ["label", *_t_row(_NOTHING, value, "", "", 0), "wilcoxon_p"]
    return pd.DataFrame(rows, columns=columns)


_NOTHING = pd.DataFrame({"patient_id": [], "first": [], "second": []})
