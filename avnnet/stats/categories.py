"""Agreement of two readers on an ordered grade, such as the Steinberg grade."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.bootstrap import DRAWS, Statistic, bootstrap_interval
from avnnet.stats.pairs import CONFIDENCE, pairs, text, tidy
from avnnet.stats.proportions import wilson_interval

WEIGHTS = {"kappa": None, "kappa_linear": "linear", "kappa_quadratic": "quadratic"}
LARGE_SAMPLE = "Wilson and large-sample"
BY_PATIENT = "bootstrap by patient"


def grade_agreement(
    table: pd.DataFrame,
    value: str,
    *,
    order: Sequence[object],
    manual: str = "manual",
    automatic: str,
    draws: int = DRAWS,
) -> pd.DataFrame:
    """One row: the share of hips that both readers grade alike, and Cohen's kappa, with 95 % intervals.

    Kappa corrects for the agreement of two readers who grade by chance, each with their own shares of grades. It
    depends on how the grades are spread over the patients, so `confusion` belongs beside it. Linear and quadratic
    weights forgive a difference of few grades more than one of many. A case with an empty grade on either side (no
    lesion has no grade) is left out and counted.

    Where every patient has one hip, the intervals are Wilson's for the accuracy and the large-sample ones for
    kappa, cut at -1 and 1. Else patients are drawn with replacement (`bootstrap_interval`); then an accuracy of 0
    or 1, which the draws cannot vary, has Wilson's interval for the number of patients.

    Args:
        table: measurements, one row per case and reader.
        value: the column of grades, such as `steinberg_grade`.
        order: all grades from the lowest to the highest, such as ("A", "B", "C").
        manual: the reader to compare with.
        automatic: the reader to compare.
        draws: of the bootstrap, where a patient has several cases.

    Returns:
        value, manual, automatic, n_patients, n_cases, n_excluded, accuracy, accuracy_ci_low, accuracy_ci_high, then
        kappa, kappa_linear and kappa_quadratic, each followed by its _ci_low and _ci_high, interval (how the
        intervals were made), note. Kappa is NaN where both readers give one and the same grade to all.

    Raises:
        StatisticsError: if a column or reader is absent, a row stands twice, or a grade is not in `order`.

    Source:
        Cohen J. Educ Psychol Meas 1960;20:37-46 (kappa). Cohen J. Psychol Bull 1968;70:213-220 (weights). Fleiss
        JL, Cohen J, Everitt BS. Psychol Bull 1969;72:323-327 (standard errors). Wilson EB. J Am Stat Assoc
        1927;22:209-212.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdef"] * 2, "case_id": [*"abcdef"] * 2,
        ...     "reader": ["manual"] * 6 + ["unet3d"] * 6, "steinberg_grade": [*"AABBCCABBBCC"]})
        >>> row = grade_agreement(table, "steinberg_grade", order="ABC", automatic="unet3d").iloc[0]
        >>> row[["accuracy", "kappa", "kappa_quadratic"]].astype(float).round(3).tolist()
        [0.833, 0.75, 0.857]
    """
    paired, excluded, names = _graded(table, value, order, manual, automatic)
    first, second = paired["first"].to_numpy(int), paired["second"].to_numpy(int)
    patients = paired["patient_id"].to_numpy(str)
    n, n_patients = len(paired), paired["patient_id"].nunique()
    row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
    row |= {"n_patients": n_patients, "n_cases": n, "n_excluded": excluded}
    row |= {f"{name}{end}": np.nan for name in ("accuracy", *WEIGHTS) for end in ("", "_ci_low", "_ci_high")}
    row |= {"interval": "", "note": ""}
    if not n:
        return pd.DataFrame([row | {"note": "no case with both grades"}])
    row["interval"] = LARGE_SAMPLE if n_patients == n else BY_PATIENT
    row["accuracy"] = float((first == second).mean())
    row["accuracy_ci_low"], row["accuracy_ci_high"] = _accuracy_interval(patients, first == second, draws)
    missing = False
    for name, weighting in WEIGHTS.items():
        statistic = _kappa(first, second, _disagreement(len(names), weighting))
        row[name] = float(statistic(np.ones((1, n)))[0])
        if n_patients == n:
            low, high = _large_sample(first, second, len(names), weighting)
        else:
            low, high = bootstrap_interval(patients, statistic, draws=draws)
        if low < high:  # an interval without width would claim to know kappa of all patients
            row |= {f"{name}_ci_low": low, f"{name}_ci_high": high}
        else:
            missing = True
    row["note"] = _note(first, second, missing=missing)
    return pd.DataFrame([row])


def _note(first: np.ndarray, second: np.ndarray, *, missing: bool) -> str:
    """Why kappa or an interval of it is missing."""
    if len(np.unique(np.concatenate([first, second]))) == 1:
        return "both readers give all hips one grade: kappa is undefined"
    if not missing:
        return ""
    return "no interval of kappa: " + ("all grades agree" if (first == second).all() else "too few patients")


def confusion(
    table: pd.DataFrame,
    value: str,
    *,
    order: Sequence[object],
    manual: str = "manual",
    automatic: str,
) -> pd.DataFrame:
    """One row per pair of grades: how many hips the one reader graded so and the other so, zeros included.

    Args:
        table: measurements, one row per case and reader.
        value: the column of grades, such as `steinberg_grade`.
        order: all grades from the lowest to the highest, such as ("A", "B", "C").
        manual: the reader to compare with.
        automatic: the reader to compare.

    Returns:
        value, manual, automatic, manual_grade, automatic_grade, n_patients, n_cases, n_excluded (cases of the
        table with an empty grade on either side, the same in all rows).

    Raises:
        StatisticsError: if a column or reader is absent, a row stands twice, or a grade is not in `order`.

    Source:
        Cohen J. Educ Psychol Meas 1960;20:37-46.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcd"] * 2, "case_id": [*"abcd"] * 2,
        ...     "reader": ["manual"] * 4 + ["unet3d"] * 4, "steinberg_grade": [*"AABBABBB"]})
        >>> counts = confusion(table, "steinberg_grade", order="AB", automatic="unet3d")
        >>> counts.pivot(index="manual_grade", columns="automatic_grade", values="n_cases").values.tolist()
        [[1, 1], [0, 2]]
    """
    paired, excluded, names = _graded(table, value, order, manual, automatic)
    rows = []
    for i, manual_grade in enumerate(names):
        for j, automatic_grade in enumerate(names):
            cell = paired[(paired["first"] == i) & (paired["second"] == j)]
            row: dict[str, object] = {"value": value, "manual": manual, "automatic": automatic}
            row |= {"manual_grade": manual_grade, "automatic_grade": automatic_grade}
            row |= {"n_patients": cell["patient_id"].nunique(), "n_cases": len(cell), "n_excluded": excluded}
            rows.append(row)
    return pd.DataFrame(rows)


def _grade(cell: object) -> str:
    """A grade as text; a column of whole numbers with empty cells comes from a file as 1.0, 2.0."""
    return text(cell).removesuffix(".0")


def _graded(
    table: pd.DataFrame, value: str, order: Sequence[object], manual: str, automatic: str
) -> tuple[pd.DataFrame, int, list[str]]:
    """The paired cases with the place of each grade in the order, the left-out count, and the grades."""
    names = [_grade(name) for name in order]
    if len(set(names)) < 2 or len(set(names)) < len(names) or "" in names:
        raise StatisticsError(f"order must list at least 2 different grades, none empty; found {list(order)}")
    frame = tidy(table, [value])
    frame = frame[frame["reader"].isin([manual, automatic])]
    grades = frame[value].map(_grade)
    unknown = sorted(set(grades) - {"", *names})
    if unknown:
        raise StatisticsError(f"column {value!r} holds the grades {unknown}, which are not in the order {names}")
    place: dict[str, float] = {name: float(place) for place, name in enumerate(names)}
    codes = grades.map(lambda grade: place.get(grade, np.nan)).astype(float)
    paired, excluded = pairs(frame.assign(**{value: codes}), value, manual, automatic)
    return paired, excluded, names


def _accuracy_interval(patients: np.ndarray, agree: np.ndarray, draws: int) -> tuple[float, float]:
    """By patient where patients have several hips and the draws can vary, else Wilson's."""
    n_patients = len(np.unique(patients))
    share = float(agree.mean())
    if n_patients < len(agree) and 0 < share < 1:
        return bootstrap_interval(patients, lambda weights: weights @ agree / weights.sum(axis=1), draws=draws)
    return wilson_interval(round(share * n_patients), n_patients)


def _disagreement(grades: int, weighting: str | None) -> np.ndarray:
    """How bad it is that one reader says i and the other j."""
    steps = np.abs(np.subtract.outer(np.arange(grades), np.arange(grades))).astype(float)
    return steps**2 if weighting == "quadratic" else steps if weighting == "linear" else (steps > 0).astype(float)


def _kappa(first: np.ndarray, second: np.ndarray, disagreement: np.ndarray) -> Statistic:
    """Kappa as a function of how often each case is drawn: 1 - observed / expected disagreement."""
    observed = disagreement[first, second]
    is_first, is_second = np.eye(len(disagreement))[first], np.eye(len(disagreement))[second]

    def statistic(weights: np.ndarray) -> np.ndarray:
        n = weights.sum(axis=1)
        expected = ((weights @ is_first) @ disagreement * (weights @ is_second)).sum(axis=1) / n**2
        values: np.ndarray = 1 - weights @ observed / n / np.where(expected > 0, expected, np.nan)
        return values

    return statistic


def _large_sample(first: np.ndarray, second: np.ndarray, grades: int, weighting: str | None) -> tuple[float, float]:
    """Fleiss, Cohen and Everitt's interval; NaN where kappa is undefined."""
    from statsmodels.stats.inter_rater import cohens_kappa  # only this function needs it

    counts = np.zeros((grades, grades))
    np.add.at(counts, (first, second), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        result = cohens_kappa(counts, wt=weighting)
    half = float(stats.norm.ppf((1 + CONFIDENCE) / 2)) * float(result.std_kappa)
    return max(float(result.kappa) - half, -1.0), min(float(result.kappa) + half, 1.0)
