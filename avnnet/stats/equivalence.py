"""Equivalence of two readers: is their mean difference smaller than a margin that was fixed beforehand?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.paired import _differences
from avnnet.stats.pairs import pairs

ALPHA = 0.05  # of each of the two one-sided tests; their interval is the two-sided one of 1 - 2 ALPHA


def tost(table: pd.DataFrame, value: str, *, margin: float, manual: str = "manual", automatic: str) -> pd.DataFrame:
    """One row: two one-sided t-tests of the mean difference automatic - manual against ± margin.

    A paired t-test with p above 0.05 does not show that two readers agree; it may only have seen too few
    patients. Here the mean difference must be shown to lie inside the margin: both one-sided tests have p below
    0.05, which is the same as the 90 % interval inside the margin. The margin must have been fixed before the
    data were seen. One value per patient, the mean of the difference over the patient's hips.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare; the differences have its unit.
        margin: the largest mean difference that does not matter, above 0, in the unit of `value`.
        manual: the reader that is subtracted.
        automatic: the reader that it is subtracted from.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, then the columns of `tost_summary`.

    Raises:
        StatisticsError: if the margin is not above 0, a column or reader is absent, or a row stands twice.

    Source:
        Schuirmann DJ. A comparison of the two one-sided tests procedure and the power approach for assessing the
        equivalence of average bioavailability. J Pharmacokinet Biopharm 1987;15:657-680.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "head_cm3": [40.0, 50, 60, 70, 41, 50, 59, 71]})
        >>> row = tost(table, "head_cm3", margin=2, automatic="unet3d").iloc[0]
        >>> print(row["mean_difference"], round(row["p"], 4), row["is_equivalent"])
        0.25 0.0177 True
    """
    _check(margin)
    paired, excluded = pairs(table, value, manual, automatic)
    differences, note = _differences(paired)
    n = len(differences)
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": n, "n_cases": len(paired), "n_excluded": excluded}
    mean = float(differences.mean()) if n else np.nan
    sd = float(differences.std(ddof=1)) if n > 1 else np.nan
    return pd.DataFrame([row | _row(mean, sd, n, margin, note)])


def tost_summary(mean: float, sd: float, n: int, margin: float) -> pd.DataFrame:
    """One row: the two one-sided tests of `tost`, from the numbers that a paper prints.

    Args:
        mean: the mean difference.
        sd: the standard deviation of the differences (n - 1), not of the mean.
        n: how many patients.
        margin: the largest mean difference that does not matter, above 0, in the unit of the mean.

    Returns:
        mean_difference, sd_difference, margin, df, t_lower and p_lower (against a mean of -margin or less),
        t_upper and p_upper (against a mean of margin or more), p (the larger of the two), ci_low, ci_high (the
        90 % interval), is_equivalent (None where there is no test), interval, note.

    Raises:
        StatisticsError: if the margin is not above 0.

    Source:
        Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680.

    Examples:
        >>> row = tost_summary(-0.9, 3.2, 34, margin=2.0).iloc[0]
        >>> print(round(row["ci_low"], 2), round(row["ci_high"], 2), row["is_equivalent"])
        -1.83 0.03 True
    """
    _check(margin)
    note = ""
    if n < 2:
        note = "fewer than 2 patients"
    elif not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        note = f"mean and SD must be finite and the SD above 0; found {mean} and {sd}"
    return pd.DataFrame([_row(mean, sd, n, margin, note)])


def _check(margin: float) -> None:
    if not (np.isfinite(margin) and margin > 0):
        raise StatisticsError(
            f"the margin must be above 0 and finite; found {margin}: fix it before you look at the differences"
        )


def _row(mean: float, sd: float, n: int, margin: float, note: str) -> dict[str, object]:
    row: dict[str, object] = {"mean_difference": mean, "sd_difference": sd, "margin": float(margin)}
    row["df"] = float(n - 1) if n > 1 else np.nan
    row |= dict.fromkeys(("t_lower", "p_lower", "t_upper", "p_upper", "p", "ci_low", "ci_high"), np.nan)
    row |= {"is_equivalent": None, "interval": "exact", "note": note}
    if note:
        return row
    error = sd / np.sqrt(n)
    t_lower, t_upper = (mean + margin) / error, (mean - margin) / error
    p_lower, p_upper = float(stats.t.sf(t_lower, n - 1)), float(stats.t.cdf(t_upper, n - 1))
    width = float(stats.t.ppf(1 - ALPHA, n - 1)) * error
    row |= {"t_lower": float(t_lower), "p_lower": p_lower, "t_upper": float(t_upper), "p_upper": p_upper}
    p = max(p_lower, p_upper)
    return row | {"p": p, "ci_low": mean - width, "ci_high": mean + width, "is_equivalent": p < ALPHA}
