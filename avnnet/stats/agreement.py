"""Agreement of two readers on a quantity: correlation, bias and limits of agreement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.stats.pairs import CONFIDENCE, is_constant, pairs, patient_means, tidy

LIMIT_SD = 1.96


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
    if len(means) < 3:
        row["note"] = "fewer than 3 patients with both values"
    elif is_constant(first) or is_constant(second):
        row["note"] = f"all patients have the same value for {manual if is_constant(first) else automatic}"
    else:
        result = stats.pearsonr(first, second)
        with np.errstate(divide="ignore"):  # r = 1 has the interval 1 to 1
            interval = result.confidence_interval(CONFIDENCE)
        row |= {"r": float(result.statistic), "p": float(result.pvalue)}
        row |= {"ci_low": float(interval.low), "ci_high": float(interval.high)}
    return row


def bland_altman(table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str) -> pd.DataFrame:
    """One row: bias (automatic - manual), SD and the 95 % limits of agreement, bias ± 1.96 SD.

    The bias and its interval have one value per patient, the mean over the patient's hips. The limits are
    meant for ONE hip, and the mean of two hips scatters less than one: the SD therefore adds the variance
    between patients and the variance between hips of one patient. With one hip per patient it is the plain SD
    (n - 1). The interval of a limit has the standard error sqrt(3 SD² / n) of the 1986 paper, n counting
    patients.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare; all results have its unit.
        manual: the reader that is subtracted.
        automatic: the reader that it is subtracted from.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, bias, bias_ci_low, bias_ci_high, sd,
        lower_limit, lower_limit_ci_low, lower_limit_ci_high, upper_limit, upper_limit_ci_low,
        upper_limit_ci_high, note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Bland JM, Altman DG. Lancet 1986;i:307-310 (limits and their standard error). Bland JM, Altman DG.
        Agreement between methods of measurement with multiple observations per individual. J Biopharm Stat
        2007;17:571-582 (the variance where the true value varies).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcabc"], "case_id": [*"abcabc"],
        ...     "reader": ["manual"] * 3 + ["unet3d"] * 3, "head_cm3": [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]})
        >>> bland_altman(table, "head_cm3", automatic="unet3d")[["bias", "lower_limit", "upper_limit"]].values
        array([[2.  , 0.04, 3.96]])
    """
    paired, excluded = pairs(table, value, manual, automatic)
    return pd.DataFrame([_limits_row(paired, value, manual, automatic, excluded)])


def _limits_row(paired: pd.DataFrame, value: str, manual: str, automatic: str, excluded: int) -> dict[str, object]:
    differences = paired.assign(difference=paired["second"] - paired["first"])
    of_patients = patient_means(differences, ["difference"])["difference"].to_numpy(float)
    n = len(of_patients)
    bias = float(of_patients.mean()) if n else np.nan
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": n, "n_cases": len(paired), "n_excluded": excluded}
    if n < 2:
        sd = error = error_of_limit = quantile = np.nan
    else:
        sd = _sd_of_one_case(differences)
        error = float(of_patients.std(ddof=1)) / np.sqrt(n)
        error_of_limit = np.sqrt(3 * sd**2 / n)
        quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1))
    row |= {"bias": bias, "bias_ci_low": bias - quantile * error, "bias_ci_high": bias + quantile * error}
    row["sd"] = sd
    for name, limit in (("lower_limit", bias - LIMIT_SD * sd), ("upper_limit", bias + LIMIT_SD * sd)):
        row[name] = limit
        row[f"{name}_ci_low"] = limit - quantile * error_of_limit
        row[f"{name}_ci_high"] = limit + quantile * error_of_limit
    return row | {"note": "fewer than 2 patients with both values" if n < 2 else ""}


def _sd_of_one_case(differences: pd.DataFrame) -> float:
    """The SD of the difference of a single hip: variance between patients plus variance within a patient.

    A one-way analysis of variance by patient with unequal numbers of hips (Bland and Altman 2007, section 3).
    """
    by_patient = differences.groupby("patient_id")["difference"]
    hips = by_patient.size()
    patients, cases = len(hips), len(differences)
    means = by_patient.mean()
    between = float((hips * (means - differences["difference"].mean()) ** 2).sum()) / (patients - 1)
    if cases == patients:
        return float(np.sqrt(between))
    residuals = differences["difference"] - by_patient.transform("mean")
    within = float((residuals**2).sum()) / (cases - patients)
    hips_per_patient = (cases - float((hips**2).sum()) / cases) / (patients - 1)
    return float(np.sqrt(max(between - within, 0.0) / hips_per_patient + within))


def volume_agreement(table: pd.DataFrame, values: Sequence[str], *, manual: str = "manual") -> pd.DataFrame:
    """One row per value and automatic reader: bias, limits of agreement, and Pearson's r with p and interval.

    Every statistic of the correlation and the bias has one value per patient; see `bland_altman` and
    `pearson`.

    Args:
        table: measurements, one row per case and reader.
        values: the columns to compare, such as `scheme.volume_columns`.
        manual: the reader that all others are compared with.

    Returns:
        The columns of `bland_altman`, then r, r_p, r_ci_low, r_ci_high, r_note.

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
            row = _limits_row(paired, value, manual, reader, excluded)
            correlation = _pearson_row(paired, value, manual, reader, excluded)
            row["r"] = correlation["r"]
            row |= {f"r_{name}": correlation[name] for name in ("p", "ci_low", "ci_high", "note")}
            rows.append(row)
    return pd.DataFrame(rows)
