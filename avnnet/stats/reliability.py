"""Reliability of readers: the six intraclass correlations, and Lin's concordance correlation of two readers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.columns import IDENTITY
from avnnet.errors import StatisticsError
from avnnet.stats.bootstrap import DRAWS, MIN_PATIENTS, bootstrap_interval
from avnnet.stats.pairs import CONFIDENCE, CONSTANT_TOLERANCE, KEY, is_constant, numbers, pairs, rows_of, tidy

FORMS = ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]


def icc(table: pd.DataFrame, value: str, *, readers: Sequence[str] | None = None, draws: int = DRAWS) -> pd.DataFrame:
    """Six rows: the intraclass correlations of Shrout and Fleiss with F test and 95 % interval.

    ICC(1) has other readers for each case, ICC(2) readers drawn from many (absolute agreement: a reader who
    always reads more lowers it), ICC(3) these readers only (consistency). The second number is 1 for one
    reading and k for the mean of the k readers. To compare an automatic with a manual volume take ICC(2,1). A
    negative estimate is given as it is: cases then differ less than the readings of one case.

    Only cases that all readers have are used. The estimates are over cases (hips). Where a patient has more than
    one case, the interval is drawn by patient and there is no p, because the F test counts independent cases; of 30
    patients, half of them with two hips, that interval covers 92 % (docs/statistics.md).

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        readers: at least two; by default all, in the order of the table.
        draws: of the bootstrap, where a patient has several cases.

    Returns:
        value, readers (joined by ", "), form, n_readers, n_patients, n_cases, n_excluded, estimate, F, df1, df2,
        p, ci_low, ci_high, interval ("exact", "approximate" for ICC(2), or "bootstrap by patient"), note.

    Raises:
        StatisticsError: if there are fewer than two readers, a column or reader is absent, a row stands twice, or
            a case changes its patient.

    Source:
        Shrout PE, Fleiss JL. Intraclass correlations: uses in assessing rater reliability. Psychol Bull
        1979;86:420-428. McGraw KO, Wong SP. Forming inferences about some intraclass correlation coefficients.
        Psychol Methods 1996;1:30-46 (intervals; errata 1:390).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcabc"], "case_id": [*"abcabc"],
        ...     "reader": ["manual"] * 3 + ["unet3d"] * 3, "head_cm3": [40.0, 50.0, 60.0, 42.0, 51.0, 63.0]})
        >>> icc(table, "head_cm3").set_index("form")["estimate"].round(3)[["ICC(2,1)", "ICC(3,1)"]].tolist()
        [0.978, 0.995]
    """
    frame = tidy(table, [value])
    names = list(readers) if readers is not None else frame["reader"].unique().tolist()
    cases, readings, excluded = _complete(frame, value, names)
    n, k = readings.shape
    patients = cases["patient_id"].to_numpy()
    common: dict[str, object] = {"value": value, "readers": ", ".join(names)}
    counts = {"n_readers": k, "n_patients": len(set(patients)), "n_cases": n, "n_excluded": excluded}
    rows: list[dict[str, object]] = [common | {"form": form} | counts for form in FORMS]
    note = ""
    if n < 2:
        note = "fewer than 2 cases that all readers have"
    elif is_constant(readings):
        note = "all readings are the same"
    if note:
        empty = dict.fromkeys(["estimate", "F", "df1", "df2", "p", "ci_low", "ci_high"], np.nan)
        return pd.DataFrame([row | empty | {"interval": "", "note": note} for row in rows])
    readings = readings - readings.mean()  # sums of squares of small numbers keep their digits
    whole = np.ones((1, n))
    cases_ms, within_ms, readers_ms, error_ms = (float(square[0]) for square in _mean_squares(whole, readings))
    estimates = [float(_drawn_icc(whole, readings=readings, index=index)[0]) for index in range(len(FORMS))]
    intervals = _analytic_intervals(cases_ms, within_ms, readers_ms, error_ms, n, k)
    clustered = len(set(patients)) < n
    for index, row in enumerate(rows):
        one_way = index % 3 == 0
        error = within_ms if one_way else error_ms
        df1, df2 = n - 1, n * (k - 1) if one_way else (n - 1) * (k - 1)
        f = cases_ms / error if error else np.inf
        row |= {"estimate": estimates[index], "F": f, "df1": df1, "df2": df2, "p": float(stats.f.sf(f, df1, df2))}
        row["ci_low"], row["ci_high"] = intervals[index]
        row |= {"interval": "approximate" if index % 3 == 1 else "exact", "note": ""}
        if clustered:
            drawn = bootstrap_interval(patients, partial(_drawn_icc, readings=readings, index=index), draws=draws)
            row |= {"p": np.nan, "ci_low": drawn[0], "ci_high": drawn[1], "interval": "bootstrap by patient"}
            row["note"] = "no p: the F test needs one case per patient" + _few(patients)
        if not np.isfinite(estimates[index]):
            row |= {"estimate": np.nan, "ci_low": np.nan, "ci_high": np.nan}
            row["note"] = "cases differ too little: the estimated variance of a mean reading is not above 0"
    return pd.DataFrame(rows)


def _complete(frame: pd.DataFrame, value: str, readers: list[str]) -> tuple[pd.DataFrame, np.ndarray, int]:
    """The cases that all readers have, their values `(cases, readers)`, and how many cases were left out."""
    if len(set(readers)) < 2 or len(set(readers)) < len(readers):
        raise StatisticsError(f"at least two different readers are needed; found {readers}")
    rows = pd.concat([rows_of(frame, reader) for reader in readers])
    rows = rows.assign(number=numbers(rows, value))
    if rows.duplicated([*KEY, "reader"]).any():
        raise StatisticsError("a case has several rows of one reader; keep the rows of one label")
    wide = rows.pivot(index=KEY, columns="reader", values="number").reindex(columns=readers)
    complete = np.isfinite(wide.to_numpy(float)).all(axis=1)
    kept = wide[complete]
    identity = rows[IDENTITY].drop_duplicates().set_index(KEY).loc[lambda f: f.index.isin(kept.index)]
    if identity.index.duplicated().any():
        case = identity.index[identity.index.duplicated()][0][0]
        raise StatisticsError(f"case {case} belongs to several patients; give all readers the same patient_id")
    return identity.loc[kept.index].reset_index(), kept.to_numpy(float), int((~complete).sum())


def _mean_squares(weights: np.ndarray, readings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean squares between cases, within cases, between readers and of the error, for each row of weights."""
    n, k = weights.sum(axis=1), readings.shape[1]
    of_cases = readings.mean(axis=1)
    of_readers = weights @ readings / n[:, None]
    mean = of_readers.mean(axis=1)
    cases = k * (weights * (of_cases - mean[:, None]) ** 2).sum(axis=1)
    within = weights @ ((readings - of_cases[:, None]) ** 2).sum(axis=1)
    between = n * ((of_readers - mean[:, None]) ** 2).sum(axis=1)
    error, rounding = within - between, CONSTANT_TOLERANCE * (within + cases)
    cases, error = np.where(cases > rounding, cases, 0.0), np.where(error > rounding, error, 0.0)
    return cases / (n - 1), within / (n * (k - 1)), between / (k - 1), error / ((n - 1) * (k - 1))


def _drawn_icc(weights: np.ndarray, *, readings: np.ndarray, index: int) -> np.ndarray:
    """One of the six coefficients for each row of weights, NaN where the variance below the line is not positive."""
    n, k = weights.sum(axis=1), readings.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        cases, within, readers, error = _mean_squares(weights, readings)
        bias = (readers - error) / n
        above = cases - (within if index % 3 == 0 else error)
        below = [
            cases + (k - 1) * within, cases + (k - 1) * error + k * bias, cases + (k - 1) * error,
            cases, cases + bias, cases,
        ][index]  # fmt: skip
        drawn: np.ndarray = above / np.where(below > 0, below, np.nan)
    return drawn


def _analytic_intervals(
    cases: float, within: float, readers: float, error: float, n: int, k: int
) -> list[tuple[float, float]]:
    """The intervals of the six coefficients, in the order of FORMS."""
    tail = (1 + CONFIDENCE) / 2
    single = []
    for noise, df in ((within, n * (k - 1)), (error, (n - 1) * (k - 1))):
        f = cases / noise if noise else np.inf
        ends = np.array([f / stats.f.ppf(tail, n - 1, df), f * stats.f.ppf(tail, df, n - 1)])
        with np.errstate(invalid="ignore"):
            single.append(np.where(np.isinf(ends), 1.0, (ends - 1) / (ends + k - 1)))
    one, three = single
    two = _agreement_interval(cases, readers, error, n, k)
    order = [one, two, three, *(_of_mean(ends, k) for ends in (one, two, three))]
    return [(float(low), float(high)) for low, high in order]


def _agreement_interval(cases: float, readers: float, error: float, n: int, k: int) -> np.ndarray:
    """The interval of ICC(2,1), by Satterthwaite's degrees of freedom (McGraw and Wong 1996, table 7)."""
    if error == 0 and readers <= CONSTANT_TOLERANCE * cases:
        return np.array([1.0, 1.0])
    rho = (cases - error) / (cases + (k - 1) * error + k * (readers - error) / n)
    a, b = k * rho / (n * (1 - rho)), 1 + k * rho * (n - 1) / (n * (1 - rho))
    spread = (a * readers) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    if spread == 0:
        return np.array([np.nan, np.nan])
    df = (a * readers + b * error) ** 2 / spread
    tail = (1 + CONFIDENCE) / 2
    low_f, high_f = stats.f.ppf(tail, n - 1, df), stats.f.ppf(tail, df, n - 1)
    rest = k * readers + (k * n - k - n) * error
    low = n * (cases - low_f * error) / (low_f * rest + n * cases)
    high = n * (high_f * cases - error) / (rest + n * high_f * cases)
    return np.array([low, high])


def _of_mean(ends: np.ndarray, k: int) -> np.ndarray:
    """Spearman and Brown's formula; an end at or below -1 / (k - 1) has no counterpart."""
    below = 1 + (k - 1) * ends
    return np.where(below > 0, k * ends / np.where(below > 0, below, 1.0), np.nan)


def _few(patients: np.ndarray) -> str:
    few = len(set(patients)) < MIN_PATIENTS
    return f"; an interval by patient needs {MIN_PATIENTS} patients" if few else ""


def concordance(
    table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str, draws: int = DRAWS
) -> pd.DataFrame:
    """One row: Lin's concordance correlation of manual and automatic values, in parts, with 95 % intervals.

    It is r times the bias correction C_b, which is 1 where both readers have the same mean and the same spread.
    Moments have the divisor n, as in the paper and in R. The coefficient is over cases (hips); where a patient
    has more than one, `ci_low` and `ci_high` are drawn by patient, and there is no asymptotic interval. The latter
    is for comparison with other programs: of 30 patients it covers 93.3 %, and the drawn one 91 % where half of them
    have two hips (docs/statistics.md).

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        manual: the reader that shifts are measured from.
        automatic: the other reader.
        draws: of the bootstrap, where a patient has several cases.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, ccc, r, bias_correction, scale_shift (SD of
        automatic over that of manual), location_shift (mean of automatic - manual over the geometric mean of the
        SDs), standard_error, ci_low, ci_high (z-transform or bootstrap), ci_asymptotic_low, ci_asymptotic_high,
        interval ("approximate" or "bootstrap by patient"), note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Lin LI. A concordance correlation coefficient to evaluate reproducibility. Biometrics 1989;45:255-268, with
        the standard error as corrected in Biometrics 2000;56:324-325.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcabc"], "case_id": [*"abcabc"],
        ...     "reader": ["manual"] * 3 + ["unet3d"] * 3, "head_cm3": [40.0, 50.0, 60.0, 42.0, 51.0, 63.0]})
        >>> concordance(table, "head_cm3", automatic="unet3d")["ccc"].round(3).tolist()
        [0.968]
    """
    paired, excluded = pairs(table, value, manual, automatic)
    first, second = paired["first"].to_numpy(float), paired["second"].to_numpy(float)
    n, patients = len(paired), paired["patient_id"].to_numpy()
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": len(set(patients)), "n_cases": n, "n_excluded": excluded}
    parts = ["ccc", "r", "bias_correction", "scale_shift", "location_shift", "standard_error"]
    row |= dict.fromkeys([*parts, "ci_low", "ci_high", "ci_asymptotic_low", "ci_asymptotic_high"], np.nan)
    row |= {"interval": "", "note": ""}
    if n < 3:
        return pd.DataFrame([row | {"note": "fewer than 3 cases with both values"}])
    if is_constant(first) or is_constant(second):
        same = manual if is_constant(first) else automatic
        return pd.DataFrame([row | {"note": f"all cases have the same value for {same}"}])
    ccc = float(_drawn_ccc(np.ones((1, n)), first, second)[0])
    r = float(stats.pearsonr(first, second).statistic)
    u = float((second.mean() - first.mean()) / np.sqrt(first.std() * second.std()))
    v = float(second.std() / first.std())
    row |= {"ccc": ccc, "r": r, "bias_correction": 2 / (v + 1 / v + u**2), "scale_shift": v, "location_shift": u}
    if len(set(patients)) < n:
        low, high = bootstrap_interval(patients, lambda weights: _drawn_ccc(weights, first, second), draws=draws)
        row |= {"ci_low": low, "ci_high": high, "interval": "bootstrap by patient"}
        return pd.DataFrame([row | {"note": _few(patients).removeprefix("; ")}])
    error = lin_standard_error(ccc, r, u, n)
    row |= {"standard_error": error, "interval": "approximate"}
    if not np.isfinite(error):
        return pd.DataFrame([row | {"note": "the standard error is not defined for r = 0"}])
    z = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    row |= {"ci_asymptotic_low": ccc - z * error, "ci_asymptotic_high": ccc + z * error}
    if 1 - ccc**2 <= CONSTANT_TOLERANCE:
        return pd.DataFrame([row | {"ci_low": ccc, "ci_high": ccc}])
    width = z * error / (1 - ccc**2)
    row |= {"ci_low": float(np.tanh(np.arctanh(ccc) - width)), "ci_high": float(np.tanh(np.arctanh(ccc) + width))}
    return pd.DataFrame([row])


def lin_standard_error(ccc: float, r: float, u: float, n: int) -> float:
    """The asymptotic standard error of the concordance correlation, NaN where r is 0.

    Source:
        Lin LI. A note on the concordance correlation coefficient. Biometrics 2000;56:324-325.
    """
    if r == 0 or n < 3:
        return np.nan
    variance = (1 - r**2) * ccc**2 * (1 - ccc**2) / r**2 + 2 * ccc**3 * (1 - ccc) * u**2 / r
    return float(np.sqrt(max(variance - ccc**4 * u**4 / (2 * r**2), 0.0) / (n - 2)))


def _drawn_ccc(weights: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The concordance correlation of each row of weights, from moments with the divisor n."""
    n = weights.sum(axis=1)
    away = [v - v.mean() for v in (first, second)]
    shift = first.mean() - second.mean()
    x, y = (weights @ v / n for v in away)
    xx, yy, xy = (weights @ (p * q) / n for p, q in ((away[0], away[0]), (away[1], away[1]), (away[0], away[1])))
    with np.errstate(divide="ignore", invalid="ignore"):
        ccc: np.ndarray = 2 * (xy - x * y) / (xx - x**2 + yy - y**2 + (x - y + shift) ** 2)
    return ccc
