"""Comparison of two groups of patients, such as early and advanced stages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.pairs import KEY, is_constant, numbers, patient_means, rows_of, text, tidy
from avnnet.stats.ranks import delong, has_ties, hodges_lehmann

EARLY = {"I", "II"}
ADVANCED = {"III", "IIIA", "IIIB"}
ROMAN = {"1": "I", "2": "II", "3": "III", "3A": "IIIA", "3B": "IIIB", "4": "IV"}
EXACT_P_UP_TO = 200  # patients per group; the exact distribution takes half a second here

Classify = Callable[[object], str | None]
"""A table cell to the name of its group, or None for no group."""


def arco_stage(stage: object) -> str | None:
    """ "I", "II", "III", "IIIA", "IIIB" or "IV", None for stage 0, unknown and missing stages.

    Args:
        stage: a table cell such as "IIIA", "ARCO II", 2 or NaN.

    Source:
        Yoon BH et al. J Arthroplasty 2020;35:933-940.

    Examples:
        >>> [arco_stage(stage) for stage in ("ARCO IIIA", 2.0, "3b", "unknown", None)]
        ['IIIA', 'II', 'IIIB', None, None]
    """
    word = text(stage).upper().removeprefix("ARCO").removesuffix(".0").replace(" ", "")
    word = ROMAN.get(word, word)
    return word if word in ROMAN.values() else None


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
    name = arco_stage(stage)
    return "early" if name in EARLY else "advanced" if name in ADVANCED else None


def members(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    reader: str | None,
    classify: Classify,
) -> tuple[pd.DataFrame, dict[str, object]]:
    """The cases of one reader that have a group and a finite value, and what was left out.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        group: the column that decides the group.
        reader: whose rows to take, or None where the table has one reader's rows only.
        classify: a cell of `group` to the name of a group, or None.

    Returns:
        patient_id, case_id, side, value and member; and value, reader, n_no_group and n_excluded.

    Raises:
        StatisticsError: if a column or reader is absent, a row stands twice, or readers are mixed.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"], "case_id": [*"abc"], "reader": "manual",
        ...     "arco_stage": ["II", "IIIA", None], "necrosis_cm3": [5.0, 20.0, 9.0]})
        >>> known, found = members(table, "necrosis_cm3", group="arco_stage", reader=None, classify=early_or_advanced)
        >>> known["member"].tolist(), found["n_no_group"]
        (['early', 'advanced'], 1)
    """
    frame = tidy(table, [value, group])
    frame = frame if reader is None else rows_of(frame, reader)
    if frame.duplicated(KEY).any():
        raise StatisticsError(
            f"the table has the readers {frame['reader'].unique().tolist()}, which would count each case "
            "several times; name one with reader=..."
        )
    frame = frame.assign(value=numbers(frame, value), member=frame[group].map(classify))
    grouped = frame[frame["member"].notna()]
    known = grouped[np.isfinite(grouped["value"])]
    found: dict[str, object] = {"value": value, "reader": reader or ", ".join(frame["reader"].unique())}
    found |= {"n_no_group": len(frame) - len(grouped), "n_excluded": len(grouped) - len(known)}
    return known[["patient_id", *KEY, "value", "member"]], found


def mann_whitney(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    reader: str | None = None,
    groups: tuple[str, str] = ("early", "advanced"),
    classify: Classify = early_or_advanced,
) -> pd.DataFrame:
    """One row: the values of two groups and the Mann-Whitney U test between them.

    Mean, SD and median describe all cases. The test has one value per patient, the mean over the patient's
    hips in the group (two hips of one patient are not independent); a patient with a hip in each group fits
    into none of two independent groups and is left out of the test, counted in `n_patients_in_both`
    (`clustered_rank_test` takes all hips). `p` is exact where either group has at most 8 patients and no values
    are tied, else the normal approximation with corrections for ties and continuity (scipy's "auto"); both
    stand beside it. Intervals are 95 % intervals: see `hodges_lehmann` and `delong`.

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
        shift (Hodges-Lehmann, unit of the value), p, method, p_exact (NaN with ties or above 200 patients in a
        group), p_asymptotic, shift_ci_low, shift_ci_high, rank_biserial_ci_low, rank_biserial_ci_high, auc
        (of telling the second group by a high value), auc_ci_low, auc_ci_high, note (why a number is missing).

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Mann HB, Whitney DR. Ann Math Stat 1947;18:50-60. Hodges JL, Lehmann EL. Ann Math Stat
        1963;34:598-611. Kerby DS. The simple difference formula. Compr Psychol 2014;3:1 (rank-biserial
        correlation, which is 2 auc - 1, and so is its interval). DeLong ER et al. Biometrics 1988;44:837-845.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdef"], "case_id": [*"abcdef"], "reader": "manual",
        ...     "arco_stage": ["I", "II", "II", "IIIA", "IIIB", "IIIA"],
        ...     "necrosis_percent": [1.0, 5, 7, 9, 20, 30]})
        >>> row = mann_whitney(table, "necrosis_percent", group="arco_stage").iloc[0]
        >>> row[["u", "p"]].astype(float).round(3).tolist()
        [9.0, 0.1]
    """

    def one_of(cell: object) -> str | None:
        name = classify(cell)
        return name if name in groups else None

    known, found = members(table, value, group=group, reader=reader, classify=one_of)
    row: dict[str, object] = {name: found[name] for name in ("value", "reader")}
    alone, n_in_both = _of_one_group(known)
    samples = []
    for place, name in zip(("first", "second"), groups, strict=True):
        cases = known[known["member"] == name]
        tested = patient_means(alone[alone["member"] == name], ["value"])["value"].to_numpy(float)
        samples.append(tested)
        row |= {f"{place}_group": name, f"{place}_n_cases": len(cases), f"{place}_n_patients": len(tested)}
        row |= {f"{place}_mean": cases["value"].mean(), f"{place}_sd": cases["value"].std()}
        row[f"{place}_median"] = cases["value"].median()
    row |= {name: found[name] for name in ("n_no_group", "n_excluded")}
    return pd.DataFrame([row | {"n_patients_in_both": n_in_both} | _test(*samples)])


def _of_one_group(known: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The cases of patients whose hips are all in one group, and how many patients are in several."""
    several = known.groupby("patient_id")["member"].transform("nunique") > 1
    return known[~several], int(known.loc[several, "patient_id"].nunique())


def _test(first: np.ndarray, second: np.ndarray) -> dict[str, object]:
    """The test of two independent samples, or the reason why there is none."""
    row: dict[str, object] = {"u": np.nan, "rank_biserial": np.nan, "shift": np.nan, "p": np.nan, "method": ""}
    intervals = [f"{name}_ci_{end}" for name in ("shift", "rank_biserial") for end in ("low", "high")]
    row |= dict.fromkeys(["p_exact", "p_asymptotic", *intervals, "auc", "auc_ci_low", "auc_ci_high"], np.nan)
    if min(len(first), len(second)) < 2:
        return row | {"note": "fewer than 2 patients in a group"}
    if is_constant(np.concatenate([first, second])):
        return row | {"note": "all patients have the same value"}
    u, p = stats.mannwhitneyu(second, first, method="auto")
    tied = has_ties(first, second)
    row |= {"u": float(u), "rank_biserial": float(2 * u / (len(first) * len(second)) - 1), "p": float(p)}
    row["method"] = "asymptotic" if tied or min(len(first), len(second)) > 8 else "exact"
    if not tied and max(len(first), len(second)) <= EXACT_P_UP_TO:
        row["p_exact"] = float(stats.mannwhitneyu(second, first, method="exact").pvalue)
    row["p_asymptotic"] = float(stats.mannwhitneyu(second, first, method="asymptotic").pvalue)
    shift, shift_low, shift_high = hodges_lehmann(first, second)
    row |= {"shift": shift, "shift_ci_low": shift_low, "shift_ci_high": shift_high}
    auc, _, low, high = delong(first, second)
    row |= {"auc": auc, "auc_ci_low": low, "auc_ci_high": high}
    row |= {"rank_biserial_ci_low": 2 * low - 1, "rank_biserial_ci_high": 2 * high - 1}
    notes = ["no 95 % interval of the shift: too few patients or no spread"] if np.isnan(shift_low) else []
    notes += ["no interval of the auc: the groups do not overlap"] if np.isnan(low) else []
    return row | {"note": "; ".join(notes)}


def kruskal_wallis(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    reader: str | None = None,
    classify: Classify = arco_stage,
) -> pd.DataFrame:
    """One row: the Kruskal-Wallis test of a value over all stages that the table has.

    One value per patient, the mean over the patient's hips of the stage; a patient with hips of different stages
    is left out and counted, as in `mann_whitney`. A stage without a patient takes no part. The p value is that of
    the chi-squared approximation with correction for ties, which is rough with fewer than 5 patients in a stage.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        group: the column that decides the stage, such as `arco_stage`.
        reader: whose rows to take; not needed where the table has one reader's rows only.
        classify: a cell of `group` to the name of its stage, or None for no stage.

    Returns:
        value, reader, stages (how many), n_per_stage (patients, such as "I 4, II 9, IIIA 7"), n_patients,
        n_cases, n_no_group, n_excluded (no finite value), n_patients_in_several, h, df, p, note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Kruskal WH, Wallis WA. Use of ranks in one-criterion variance analysis. J Am Stat Assoc 1952;47:583-621.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdef"], "case_id": [*"abcdef"], "reader": "manual",
        ...     "arco_stage": ["I", "I", "II", "II", "IIIA", "IIIA"], "necrosis_percent": [1.0, 2, 3, 4, 5, 6]})
        >>> row = kruskal_wallis(table, "necrosis_percent", group="arco_stage").iloc[0]
        >>> row["n_per_stage"], float(round(row["h"], 2)), float(round(row["p"], 3))
        ('I 2, II 2, IIIA 2', 4.57, 0.102)
    """
    known, found = members(table, value, group=group, reader=reader, classify=classify)
    alone, n_in_several = _of_one_group(known)
    samples = {
        str(name): patient_means(cases, ["value"])["value"].to_numpy(float)
        for name, cases in alone.groupby("member", sort=True)
    }
    sizes = [len(values) for values in samples.values()]
    row: dict[str, object] = {name: found[name] for name in ("value", "reader")}
    row |= {"stages": len(samples), "n_per_stage": ", ".join(f"{name} {len(x)}" for name, x in samples.items())}
    row |= {"n_patients": sum(sizes), "n_cases": len(alone)}
    row |= {name: found[name] for name in ("n_no_group", "n_excluded")}
    row |= {"n_patients_in_several": n_in_several, "h": np.nan, "df": np.nan, "p": np.nan, "note": ""}
    if len(samples) < 2:
        row["note"] = "fewer than 2 stages with a patient"
    elif max(sizes) < 2:
        row["note"] = "no stage has 2 patients"
    elif is_constant(np.concatenate([*samples.values()])):
        row["note"] = "all patients have the same value"
    else:
        h, p = stats.kruskal(*samples.values())
        row |= {"h": float(h), "df": float(len(samples) - 1), "p": float(p)}
    return pd.DataFrame([row])
