"""Bland and Altman's limits of agreement: absolute, in percent or as ratios, with approximate or exact intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.pairs import CONFIDENCE, is_constant, pairs, patient_means

LIMIT_SD = 1.96
SCALES = ("difference", "percent", "log")
METHODS = ("approximate", "exact")


def bland_altman(
    table: pd.DataFrame,
    value: str,
    *,
    manual: str = "manual",
    automatic: str,
    scale: str = "difference",
    method: str = "approximate",
) -> pd.DataFrame:
    """One row: bias (automatic - manual), SD and the 95 % limits of agreement, bias ± 1.96 SD.

    The bias and its interval have one value per patient, the mean over the patient's hips. The limits are
    meant for ONE hip, and the mean of two hips scatters less than one: the SD therefore adds the variance
    between patients and the variance between hips of one patient. With one hip per patient it is the plain SD
    (n - 1). The approximate interval of a limit has the standard error sqrt(3 SD² / n) of the 1986 paper, n
    counting patients. The exact one is that of a normal quantile, by the noncentral t of each limit alone; it
    needs one hip per patient, and gives way to the approximate one where a patient has two.

    Where the differences grow with the size of the volume, `proportional_slope` is far from 0, and the scales
    "percent" and "log" describe small and large hips better than the plain difference.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        manual: the reader that is subtracted.
        automatic: the reader that it is subtracted from.
        scale: "difference", in the unit of `value`; "percent", 100 times the difference over the mean of the
            two readers; "log", the difference of the natural logarithms: bias and limits are given back as
            ratios automatic / manual, the SD as that of the logarithms.
        method: "approximate" or "exact", for the intervals of the limits.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, bias, bias_ci_low, bias_ci_high, sd,
        lower_limit, lower_limit_ci_low, lower_limit_ci_high, upper_limit, upper_limit_ci_low,
        upper_limit_ci_high, scale, interval ("approximate" or "exact"), proportional_slope, proportional_r,
        proportional_p (the regression of the difference on the mean of the two readers, one value per patient;
        the mean is in the unit of `value`, for "log" that of the logarithms), note.

    Raises:
        StatisticsError: if a column or reader is absent, a row stands twice, or scale or method is unknown.

    Source:
        Bland JM, Altman DG. Lancet 1986;i:307-310 (limits and their standard error). Bland JM, Altman DG.
        Agreement between methods of measurement with multiple observations per individual. J Biopharm Stat
        2007;17:571-582 (the variance where the true value varies). Bland JM, Altman DG. Measuring agreement in
        method comparison studies. Stat Methods Med Res 1999;8:135-160 (percent, logarithms, the regression).
        Carkeet A. Exact parametric confidence intervals for Bland-Altman limits of agreement. Optom Vis Sci
        2015;92:e71-e80.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcabc"], "case_id": [*"abcabc"],
        ...     "reader": ["manual"] * 3 + ["unet3d"] * 3, "head_cm3": [1.0, 2.0, 3.0, 2.0, 4.0, 6.0]})
        >>> bland_altman(table, "head_cm3", automatic="unet3d")[["bias", "lower_limit", "upper_limit"]].values
        array([[2.  , 0.04, 3.96]])
        >>> bland_altman(table, "head_cm3", automatic="unet3d", scale="log")["bias"].round(6).tolist()
        [2.0]
    """
    for name, given, known in (("scale", scale, SCALES), ("method", method, METHODS)):
        if given not in known:
            raise StatisticsError(f"{name} must be one of {list(known)}; found {given!r}")
    paired, excluded = pairs(table, value, manual, automatic)
    scaled, note = _on_scale(paired, scale)
    row = limits_row(scaled, value, manual, automatic, excluded)
    notes = [note, str(row.pop("note"))]
    if note:
        row |= {name: np.nan for name in row if name.startswith(("bias", "sd", "lower", "upper"))}
    row |= {"scale": scale, "interval": "approximate"}
    if method == "exact" and len(paired) > len(set(paired["patient_id"])):
        notes.append("the exact interval needs one hip per patient; the approximate one is given")
    elif method == "exact":
        row |= _exact_intervals(row) | {"interval": "exact"}
    if scale == "log":
        ends = [name for name in row if name.startswith(("bias", "lower", "upper"))]
        row |= {name: float(np.exp(float(str(row[name])))) for name in ends}
    row |= _proportional(scaled if not note else scaled.iloc[:0])
    return pd.DataFrame([row | {"note": "; ".join(text for text in notes if text)}])


def _on_scale(paired: pd.DataFrame, scale: str) -> tuple[pd.DataFrame, str]:
    """The pairs on another scale, and, where a value has no place on it, the reason as a note (else empty)."""
    first, second = paired["first"], paired["second"]
    if scale == "percent":
        mean = (first + second) / 2
        if bool((mean <= 0).any()):
            return paired, f"percent needs means above 0; {int((mean <= 0).sum())} cases have none"
        return paired.assign(first=100 * first / mean, second=100 * second / mean, mean=mean), ""
    if scale == "log":
        bad = (first <= 0) | (second <= 0)
        if bool(bad.any()):
            return paired, f"the logarithm needs values above 0; {int(bad.sum())} cases have none"
        return paired.assign(first=np.log(first), second=np.log(second)), ""
    return paired, ""


def exact_factors(n: int, *, limit_sd: float = LIMIT_SD, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """How many SD above the bias the upper limit's exact interval begins and ends, of n normal differences.

    Args:
        n: how many differences, at least 2.
        limit_sd: how many SD above the mean the limit lies.
        confidence: of the two-sided interval.

    Returns:
        The two factors; those of the lower limit are the same with the other sign.

    Source:
        Carkeet A. Optom Vis Sci 2015;92:e71-e80: the factors of a one-sided tolerance limit, by the noncentral t.

    Examples:
        >>> [round(factor, 3) for factor in exact_factors(17)]
        [1.315, 3.148]
    """
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = stats.nct.ppf(ends, n - 1, limit_sd * np.sqrt(n)) / np.sqrt(n)
    return float(low), float(high)


def _exact_intervals(row: dict[str, object]) -> dict[str, object]:
    n, bias, sd = int(str(row["n_patients"])), float(str(row["bias"])), float(str(row["sd"]))
    low, high = exact_factors(n) if n > 1 else (np.nan, np.nan)
    return {
        "lower_limit_ci_low": bias - high * sd, "lower_limit_ci_high": bias - low * sd,
        "upper_limit_ci_low": bias + low * sd, "upper_limit_ci_high": bias + high * sd,
    }  # fmt: skip


def _proportional(scaled: pd.DataFrame) -> dict[str, object]:
    """Slope, r and p of the difference on the mean, one value per patient; NaN where there is none."""
    mean = scaled["mean"] if "mean" in scaled else (scaled["first"] + scaled["second"]) / 2
    of_cases = scaled.assign(difference=scaled["second"] - scaled["first"], mean=mean)
    means = patient_means(of_cases, ["difference", "mean"])
    difference, size = means["difference"].to_numpy(float), means["mean"].to_numpy(float)
    largest = float(np.abs(of_cases[["first", "second"]].to_numpy(float)).max(initial=0.0))
    if len(means) < 3 or is_constant(size) or is_constant(difference, scale=largest):
        return {"proportional_slope": np.nan, "proportional_r": np.nan, "proportional_p": np.nan}
    fit = stats.linregress(size, difference)
    return {
        "proportional_slope": float(fit.slope),
        "proportional_r": float(fit.rvalue),
        "proportional_p": float(fit.pvalue),
    }


def limits_row(paired: pd.DataFrame, value: str, manual: str, automatic: str, excluded: int) -> dict[str, object]:
    """A row of bias, SD and limits with their approximate intervals.

    Args:
        paired: patient_id, first and second, one row per case, as `pairs` gives them.
        value: names the quantity in the row.
        manual: names the first reader.
        automatic: names the second reader.
        excluded: how many cases could not be paired.

    Examples:
        >>> paired = pd.DataFrame({"patient_id": [*"abc"], "first": [1.0, 2.0, 3.0], "second": [2.0, 4.0, 6.0]})
        >>> row = limits_row(paired, "head_cm3", "manual", "unet3d", excluded=0)
        >>> [row[name] for name in ("n_cases", "bias", "sd", "upper_limit")]
        [3, 2.0, 1.0, 3.96]
    """
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
