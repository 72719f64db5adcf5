"""Comparison of two groups of patients, such as early and advanced stages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.pairs import KEY, is_constant, numbers, patient_means, rows_of, text, tidy

EARLY = {"I", "II", "1", "2"}
ADVANCED = {"III", "IIIA", "IIIB", "3", "3A", "3B"}


def early_or_advanced(stage: object) -> str | None:
    """ "early" for ARCO I and II, "advanced" for III, IIIA and IIIB, None for IV, unknown and missing stages.

    Args:
        stage: a table cell such as "IIIA", "ARCO II", 2 or NaN.

    Source:
        Yoon BH et al. The 2019 revised version of Association Research Circulation Osseous staging system of
        osteonecrosis of the femoral head. J Arthroplasty 2020;35:933-940.

    Examples:
        >>> [early_or_advanced(stage) for stage in ("II", "ARCO IIIA", "IV", None)]
        ['early', 'advanced', None, None]
    """
    word = text(stage).upper().removeprefix("ARCO").removesuffix(".0").replace(" ", "")
    return "early" if word in EARLY else "advanced" if word in ADVANCED else None


def mann_whitney(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    reader: str | None = None,
    groups: tuple[str, str] = ("early", "advanced"),
    classify: Callable[[object], str | None] = early_or_advanced,
) -> pd.DataFrame:
    """One row: the values of two groups and the Mann-Whitney U test between them.

    Mean, SD and median describe all cases. The test has one value per patient, the mean over the patient's
    hips in the group (two hips of one patient are not independent); a patient with a hip in each group fits
    into none of two independent groups and is left out of the test, counted in `n_patients_in_both`. Exact
    where either group has at most 8 patients and no values are tied, else the normal approximation with
    corrections for ties and continuity (scipy's "auto").

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        group: the column that decides the group, such as `arco_stage`.
        reader: whose rows to take; not needed where the table has one reader's rows only.
        groups: the names of the two groups; differences are second - first.
        classify: a cell of `group` to the name of a group, or None for neither.

    Returns:
        value, reader, then for first and second their group, n_cases, n_patients (in the test), mean, sd and
        median; n_no_group (cases of neither group), n_excluded (no finite value), n_patients_in_both, u
        (pairs of patients of whom the second group's has more, ties as a half), rank_biserial (-1 to 1),
        shift (Hodges-Lehmann, unit of the value), p, method, note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Mann HB, Whitney DR. Ann Math Stat 1947;18:50-60. Hodges JL, Lehmann EL. Ann Math Stat
        1963;34:598-611. Kerby DS. The simple difference formula. Compr Psychol 2014;3:1 (rank-biserial
        correlation).

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdef"], "case_id": [*"abcdef"], "reader": "manual",
        ...     "arco_stage": ["I", "II", "II", "IIIA", "IIIB", "IIIA"],
        ...     "necrosis_percent": [1.0, 5, 7, 9, 20, 30]})
        >>> row = mann_whitney(table, "necrosis_percent", group="arco_stage").iloc[0]
        >>> row[["u", "p"]].astype(float).round(3).tolist()
        [9.0, 0.1]
    """
    frame = tidy(table, [value, group])
    frame = frame if reader is None else rows_of(frame, reader)
    if frame.duplicated(KEY).any():
        raise StatisticsError(
            f"the table has the readers {frame['reader'].unique().tolist()}, which would count each case "
            "several times; name one with reader=..."
        )
    member = frame[group].map(classify)
    frame = frame.assign(value=numbers(frame, value), member=member.where(member.isin(groups), None))
    grouped = frame[frame["member"].notna()]
    known = grouped[np.isfinite(grouped["value"])]
    in_both = set(known.loc[known["member"] == groups[0], "patient_id"]) & set(
        known.loc[known["member"] == groups[1], "patient_id"]
    )
    row: dict[str, object] = {"value": value, "reader": reader or ", ".join(frame["reader"].unique())}
    samples = []
    for place, name in zip(("first", "second"), groups, strict=True):
        cases = known[known["member"] == name]
        tested = patient_means(cases[~cases["patient_id"].isin(in_both)], ["value"])["value"].to_numpy(float)
        samples.append(tested)
        row |= {f"{place}_group": name, f"{place}_n_cases": len(cases), f"{place}_n_patients": len(tested)}
        row |= {f"{place}_mean": cases["value"].mean(), f"{place}_sd": cases["value"].std()}
        row[f"{place}_median"] = cases["value"].median()
    row |= {"n_no_group": len(frame) - len(grouped), "n_excluded": len(grouped) - len(known)}
    return pd.DataFrame([row | {"n_patients_in_both": len(in_both)} | _test(*samples)])


def _test(first: np.ndarray, second: np.ndarray) -> dict[str, object]:
    """The test of two independent samples, or the reason why there is none."""
    row: dict[str, object] = {"u": np.nan, "rank_biserial": np.nan, "shift": np.nan, "p": np.nan}
    if min(len(first), len(second)) < 2:
        return row | {"method": "", "note": "fewer than 2 patients in a group"}
    if is_constant(np.concatenate([first, second])):
        return row | {"method": "", "note": "all patients have the same value"}
    u, p = stats.mannwhitneyu(second, first, method="auto")
    tied = len(np.unique(np.concatenate([first, second]))) < len(first) + len(second)
    row |= {"u": float(u), "rank_biserial": float(2 * u / (len(first) * len(second)) - 1)}
    row |= {"shift": float(np.median(np.subtract.outer(second, first))), "p": float(p)}
    return row | {"method": "asymptotic" if tied or min(len(first), len(second)) > 8 else "exact", "note": ""}
