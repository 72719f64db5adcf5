"""Lines through two readers that both err: Deming's regression and that of Passing and Bablok."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.bootstrap import CHUNK, DRAWS, bootstrap_interval
from avnnet.stats.pairs import CONFIDENCE, CONSTANT_TOLERANCE, is_constant, pairs

NAMES = ("slope", "intercept")
MIN_CASES = 3  # cases and patients
MAX_NUMBERS = 4_000_000  # weights of pairs held at once


def deming(
    table: pd.DataFrame,
    value: str,
    *,
    manual: str = "manual",
    automatic: str,
    variance_ratio: float = 1.0,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """One row: Deming's line automatic = intercept + slope x manual, with 95 % intervals.

    Both readers err, so the ordinary regression on the manual values would be too flat. A slope whose interval
    holds 1 and an intercept whose interval holds 0 show no systematic difference. The line is over cases (hips).
    The intervals come from leaving out one case at a time, with t of n - 2; where a patient has more than one
    case, they are drawn by patient.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        manual: the reader on the horizontal axis.
        automatic: the reader on the vertical axis.
        variance_ratio: error variance of manual over that of automatic, above 0; 1 is the orthogonal regression.
        draws: of the bootstrap, where a patient has several cases.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, slope, slope_ci_low, slope_ci_high, intercept,
        intercept_ci_low, intercept_ci_high, interval ("jackknife" or "bootstrap by patient"), note.

    Raises:
        StatisticsError: if the ratio is not above 0, a column or reader is absent, or a row stands twice.

    Source:
        Linnet K. Evaluation of regression procedures for methods comparison studies. Clin Chem 1993;39:424-432.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "head_cm3": [40.0, 50, 60, 70, 41, 50, 59, 70]})
        >>> deming(table, "head_cm3", automatic="unet3d")[["slope", "intercept"]].round(3).values.tolist()
        [[0.961, 2.134]]
    """
    if not (np.isfinite(variance_ratio) and variance_ratio > 0):
        raise StatisticsError(f"variance_ratio must be above 0 and finite; found {variance_ratio}")
    row, patients, first, second = _start(table, value, manual, automatic)
    if row["note"]:
        return pd.DataFrame([row])
    line = partial(_deming_line, first=first, second=second, ratio=variance_ratio)
    estimate = line(np.ones((1, len(first))))[0]
    if not np.isfinite(estimate).all():
        return pd.DataFrame([row | {"note": "manual and automatic values do not vary together"}])
    if len(set(patients)) < len(patients):
        return pd.DataFrame([row | _drawn(patients, line, estimate, draws)])
    n = len(first)
    left_out = line(1 - np.eye(n))
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    width = stats.t.ppf((1 + CONFIDENCE) / 2, n - 2) * error
    row |= {"interval": "jackknife"} | _named(estimate, estimate - width, estimate + width)
    if not np.isfinite(error).all():
        row["note"] = "without one of the cases there is no line, so there is no interval"
    return pd.DataFrame([row])


def _deming_line(weights: np.ndarray, *, first: np.ndarray, second: np.ndarray, ratio: float) -> np.ndarray:
    """Slope and intercept `(draws, 2)` for each row of weights."""
    n = weights.sum(axis=1)
    x, y = first - first.mean(), second - second.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean_x, mean_y = weights @ x / n, weights @ y / n
        xx, yy = weights @ x**2 / n - mean_x**2, weights @ y**2 / n - mean_y**2
        xy = weights @ (x * y) / n - mean_x * mean_y
        varies = (xx > CONSTANT_TOLERANCE * x.var()) & (yy > CONSTANT_TOLERANCE * y.var())
        xy = np.where(varies & (xy**2 > CONSTANT_TOLERANCE**2 * xx * yy), xy, np.nan)
        away = ratio * yy - xx
        slope = (away + np.sqrt(away**2 + 4 * ratio * xy**2)) / (2 * ratio * xy)
        return np.stack([slope, mean_y + second.mean() - slope * (mean_x + first.mean())], axis=1)


def passing_bablok(
    table: pd.DataFrame, value: str, *, manual: str = "manual", automatic: str, draws: int = DRAWS
) -> pd.DataFrame:
    """One row: the line of Passing and Bablok automatic = intercept + slope x manual, with 95 % intervals.

    The slope is the median of the slopes of all pairs of cases, shifted by the number of slopes below -1, so that
    it does not matter which reader is on which axis; single wild cases hardly move it. Equal cases and slopes of
    exactly -1 are left out. The line is over cases (hips). The intervals are those of the paper, by the normal
    approximation of Kendall's tau; where a patient has more than one case, they are drawn by patient.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        manual: the reader on the horizontal axis.
        automatic: the reader on the vertical axis.
        draws: of the bootstrap, where a patient has several cases.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, slope, slope_ci_low, slope_ci_high, intercept,
        intercept_ci_low, intercept_ci_high, interval ("approximate" or "bootstrap by patient"), note. There is no
        line where the values do not rise together.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Passing H, Bablok W. A new biometrical procedure for testing the equality of measurements from two
        different analytical methods. J Clin Chem Clin Biochem 1983;21:709-720.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "head_cm3": [40.0, 50, 60, 70, 41, 50, 59, 70]})
        >>> passing_bablok(table, "head_cm3", automatic="unet3d")[["slope", "intercept"]].round(3).values.tolist()
        [[0.933, 3.5]]
    """
    row, patients, first, second = _start(table, value, manual, automatic)
    if row["note"]:
        return pd.DataFrame([row])
    if not stats.kendalltau(first, second).statistic > 0:
        return pd.DataFrame([row | {"note": "manual and automatic values do not rise together"}])
    slopes, ends = _slopes(first, second)
    line = partial(_bablok_line, slopes=slopes, ends=ends, first=first, second=second)
    estimate = line(np.ones((1, len(first))))[0]
    if not np.isfinite(estimate).all():
        return pd.DataFrame([row | {"note": "the shifted median of the slopes is vertical"}])
    if len(set(patients)) < len(patients):
        return pd.DataFrame([row | _drawn(patients, line, estimate, draws)])
    n, count, shift = len(first), len(slopes), int((slopes < -1).sum())
    width = stats.norm.ppf((1 + CONFIDENCE) / 2) * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lowest = int(np.floor((count - width) / 2 + 0.5)) + shift  # counted from 1
    highest = count + 1 - (lowest - shift) + shift
    row |= _named(estimate, np.full(2, np.nan), np.full(2, np.nan)) | {"interval": "approximate"}
    if lowest < 1 or highest > count or np.isinf(slopes[[lowest - 1, highest - 1]]).any():
        return pd.DataFrame([row | {"note": "too few cases: the interval of the slope has no end"}])
    low, high = slopes[lowest - 1], slopes[highest - 1]
    crossing = np.median(second - high * first), np.median(second - low * first)
    return pd.DataFrame([row | _named(estimate, np.array([low, crossing[0]]), np.array([high, crossing[1]]))])


def _slopes(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """The sorted slopes of all pairs that count, vertical ones as infinity, and the two cases of each."""
    one, other = np.triu_indices(len(first), 1)
    rounding = CONSTANT_TOLERANCE * max(float(np.abs(first).max()), float(np.abs(second).max()))
    x, y = first[other] - first[one], second[other] - second[one]
    x, y = (np.where(np.abs(v) <= rounding, 0.0, v) for v in (x, y))
    counts = ((x != 0) | (y != 0)) & (np.abs(x + y) > rounding)
    one, other, x, y = one[counts], other[counts], x[counts], y[counts]
    with np.errstate(divide="ignore"):
        # vertical slopes of both signs are one direction: with the shift, all at the upper end is the same line
        slopes = np.where(x == 0, np.inf, y / np.where(x == 0, 1.0, x))
    order = np.argsort(slopes, kind="stable")
    return slopes[order], (one[order], other[order])


def _bablok_line(
    weights: np.ndarray,
    *,
    slopes: np.ndarray,
    ends: tuple[np.ndarray, np.ndarray],
    first: np.ndarray,
    second: np.ndarray,
) -> np.ndarray:
    """Slope and intercept `(draws, 2)` for each row of weights; a case drawn m times counts as m equal cases."""
    size = max(1, MAX_NUMBERS // max(len(slopes), 1))
    lines = []
    for start in range(0, len(weights), min(size, CHUNK)):
        some = weights[start : start + min(size, CHUNK)]
        counts = np.cumsum(some[:, ends[0]] * some[:, ends[1]], axis=1)
        below = int((slopes < -1).sum())
        slope = _middle(slopes, counts, counts[:, below - 1] if below else np.zeros(len(some)))
        with np.errstate(invalid="ignore"):
            rest = second - slope[:, None] * first
        order = np.argsort(rest, axis=1)
        ranked = np.cumsum(np.take_along_axis(some, order, axis=1), axis=1)
        lines.append(np.stack([slope, _middle(np.take_along_axis(rest, order, axis=1), ranked, 0.0)], axis=1))
    return np.concatenate(lines)


def _middle(values: np.ndarray, counts: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
    """The median, `shift` places further up, of sorted values that stand as often as the steps of `counts`."""
    if not counts.shape[1]:
        return np.full(len(counts), np.nan)
    values = np.broadcast_to(values, counts.shape)
    total, middle = counts[:, -1], []
    for place in (np.floor((total + 1) / 2), np.ceil((total + 1) / 2)):
        index = (counts < (place + shift)[:, None]).sum(axis=1)
        found = np.take_along_axis(values, np.minimum(index, counts.shape[1] - 1)[:, None], axis=1)[:, 0]
        middle.append(np.where((index < counts.shape[1]) & (total > 0), found, np.nan))
    with np.errstate(invalid="ignore"):
        median: np.ndarray = (middle[0] + middle[1]) / 2
    return np.where(np.isfinite(median), median, np.nan)


def _start(
    table: pd.DataFrame, value: str, manual: str, automatic: str
) -> tuple[dict[str, object], np.ndarray, np.ndarray, np.ndarray]:
    """The row before there is a line, with a note where there can be none; the patients; both values."""
    paired, excluded = pairs(table, value, manual, automatic)
    first, second = paired["first"].to_numpy(float), paired["second"].to_numpy(float)
    patients = paired["patient_id"].to_numpy()
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": len(set(patients)), "n_cases": len(paired), "n_excluded": excluded}
    row |= _named(*np.full((3, 2), np.nan)) | {"interval": "", "note": ""}
    if len(set(patients)) < MIN_CASES:
        row["note"] = f"fewer than {MIN_CASES} patients with both values"
    elif is_constant(first) or is_constant(second):
        row["note"] = f"all cases have the same value for {manual if is_constant(first) else automatic}"
    return row, patients, first, second


def _named(estimate: np.ndarray, low: np.ndarray, high: np.ndarray) -> dict[str, object]:
    named: dict[str, object] = {}
    for index, name in enumerate(NAMES):
        ends = {name: estimate[index], f"{name}_ci_low": low[index], f"{name}_ci_high": high[index]}
        named |= {key: float(number) for key, number in ends.items()}
    return named


def _drawn(patients: np.ndarray, line: partial[np.ndarray], estimate: np.ndarray, draws: int) -> dict[str, object]:
    """Intervals of slope and intercept; both see the same draws, so that each line is fitted once."""
    fitted: list[np.ndarray] = []

    def slope(weights: np.ndarray) -> np.ndarray:
        fitted.append(line(weights))
        return fitted[-1][:, 0]

    def intercept(weights: np.ndarray) -> np.ndarray:
        return fitted.pop(0)[:, 1]

    ends = [bootstrap_interval(patients, statistic, draws=draws) for statistic in (slope, intercept)]
    low, high = np.array(ends).T
    return {"interval": "bootstrap by patient"} | _named(estimate, low, high)
