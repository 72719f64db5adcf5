"""Hips of one patient taken as what they are: clustered tests, and the same difference by five methods."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.stats.bootstrap import DRAWS, bootstrap_interval
from avnnet.stats.groups import Classify, early_or_advanced, members
from avnnet.stats.paired import paired_t
from avnnet.stats.pairs import CONFIDENCE, is_constant, pairs

ONE_HIP_EACH = "every patient has one hip: the same as naive"
NO_VARIANCE = 1e-6  # of the residual variance: the search for the variance between patients ended at zero


def clustered_rank_test(
    table: pd.DataFrame,
    value: str,
    *,
    group: str,
    reader: str | None = None,
    groups: tuple[str, str] = ("early", "advanced"),
    classify: Classify = early_or_advanced,
) -> pd.DataFrame:
    """One row: the rank-sum test of two groups with all hips, also of patients with a hip in each group.

    `mann_whitney` must leave such patients out. Here every patient is a cluster: the test asks for the mean rank of
    the second group when one hip of each patient is drawn by chance, averaged over all such draws. Its variance is
    that between patients, so two hips of one patient do not count as two patients. The p value is a normal
    approximation, which is rough with fewer than about 30 patients. The test has no interval.

    Args:
        table: measurements, one row per case and reader.
        value: the column to compare.
        group: the column that decides the group, such as `arco_stage`.
        reader: whose rows to take; not needed where the table has one reader's rows only.
        groups: the names of the two groups; z is positive where the second has the higher values.
        classify: a cell of `group` to the name of a group, or None for neither.

    Returns:
        value, reader, first_group, second_group, n_patients, n_cases, first_n_cases, second_n_cases,
        n_patients_in_both, n_no_group, n_excluded (no finite value), s (the statistic), s_expected, s_se, z, p,
        note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Datta S, Satten GA. Rank-sum tests for clustered data. J Am Stat Assoc 2005;100:908-915. The distribution
        in the variance is that of all hips pooled, as in the authors' program.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"aabbccddef"], "case_id": range(10), "reader": "manual",
        ...     "arco_stage": ["I", "IIIA"] * 3 + ["II", "I", "IIIB", "IIIA"],
        ...     "necrosis_percent": [5.0, 9, 7, 15, 11, 10, 4, 6, 20, 17]})
        >>> row = clustered_rank_test(table, "necrosis_percent", group="arco_stage").iloc[0]
        >>> int(row["n_patients_in_both"]), round(float(row["z"]), 2), round(float(row["p"]), 3)
        (3, 1.87, 0.061)
    """

    def compared_group(cell: object) -> str | None:
        name = classify(cell)
        return name if name in groups else None

    known, found = members(table, value, group=group, reader=reader, classify=compared_group)
    second = (known["member"] == groups[1]).to_numpy(bool)
    patients = [set(known.loc[second == which, "patient_id"]) for which in (False, True)]
    row: dict[str, object] = {name: found[name] for name in ("value", "reader")}
    row |= {"first_group": groups[0], "second_group": groups[1]}
    row |= {"n_patients": known["patient_id"].nunique(), "n_cases": len(known)}
    row |= {"first_n_cases": int((~second).sum()), "second_n_cases": int(second.sum())}
    row["n_patients_in_both"] = len(patients[0] & patients[1])
    row |= {name: found[name] for name in ("n_no_group", "n_excluded")}
    row |= dict.fromkeys(("s", "s_expected", "s_se", "z", "p"), np.nan)
    values = known["value"].to_numpy(float)
    if min(len(one) for one in patients) < 2:
        return pd.DataFrame([row | {"note": "fewer than 2 patients in a group"}])
    if is_constant(values):
        return pd.DataFrame([row | {"note": "all hips have the same value"}])
    s, expected, error = _rank_sum(known["patient_id"].to_numpy(str), values, second)
    row |= {"s": s, "s_expected": expected, "s_se": error}
    if error <= 0:
        return pd.DataFrame([row | {"note": "the ranks do not vary between patients"}])
    z = (s - expected) / error
    return pd.DataFrame([row | {"z": z, "p": float(2 * stats.norm.sf(abs(z))), "note": ""}])


def _rank_sum(patients: np.ndarray, values: np.ndarray, second: np.ndarray) -> tuple[float, float, float]:
    """The statistic of Datta and Satten, its expectation and its standard error without a difference."""
    _, patient = np.unique(patients, return_inverse=True)
    n = int(patient.max()) + 1
    hips = np.bincount(patient)
    share = np.bincount(patient, second) / hips  # of the patient's hips that are in the second group
    lower = (values[None] < values[:, None]) + (values[None] == values[:, None]) / 2
    by_patient = np.stack([np.bincount(patient, row, n) / hips for row in lower])  # hip x patient
    others = by_patient.sum(axis=1) - by_patient[np.arange(len(values)), patient]
    s = float((np.bincount(patient, second * (1 + others)) / hips).sum()) / (n + 1)
    weight = second * (n - 1) - (share.sum() - share)[patient]
    projected = np.bincount(patient, weight * lower.mean(axis=1)) / hips / (n + 1)
    expected = n / (2 * (n + 1)) * (share - share.mean())
    return s, float(share.sum()) / 2, float(np.sqrt(((projected - expected) ** 2).sum()))


def paired_sensitivity(
    table: pd.DataFrame, value: str, *, readers: tuple[str, str], draws: int = DRAWS
) -> pd.DataFrame:
    """Five rows: the mean difference second - first of two readers, by five ways to treat two hips of a patient.

    "naive, every hip" takes hips for patients and is only shown: it covers 91 % where half the patients have two.
    "patient means" is `paired_t`. "mixed model" has a random intercept per patient (REML; interval and p with t of
    patients - 1 degrees of freedom). "bootstrap by patient" has the mean over hips and a BCa interval, no p. "one hip
    per patient" takes the first hip by case_id, then side, in the order of text. Where they agree, the choice does not
    matter.

    Args:
        table: a long table, one row per case and reader (for an agreement table: of one label).
        value: the column to compare; the differences have its unit.
        readers: (first, second), for example ("manual", "ensemble").
        draws: of the bootstrap.

    Returns:
        method, n_patients, n_cases, n_excluded, mean_difference, se, p, ci_low, ci_high, note.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Bryant D et al. How many patients? How many limbs? J Bone Joint Surg Am 2006;88:41-45. Laird NM, Ware JH.
        Random-effects models for longitudinal data. Biometrics 1982;38:963-974.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"aabccd"] * 2, "case_id": [*"uvwxyz"] * 2,
        ...     "reader": ["manual"] * 6 + ["unet3d"] * 6, "head_cm3": [1.0, 2, 3, 4, 5, 6, 2, 4, 4, 5, 8, 7]})
        >>> rows = paired_sensitivity(table, "head_cm3", readers=("manual", "unet3d"))
        >>> rows[["method", "n_cases", "mean_difference"]].round(2).values.tolist()[:2]
        [['naive, every hip', 6, 1.5], ['patient means', 6, 1.38]]
    """
    first, second = readers
    paired, excluded = pairs(table, value, first, second)
    paired["difference"] = paired["second"] - paired["first"]
    scale = float(paired[["first", "second"]].abs().to_numpy().max(initial=0.0))
    by_patient = paired_t(table, value, readers=readers).iloc[0]
    means = {name: by_patient[name] for name in ("mean_difference", "p", "ci_low", "ci_high", "note")}
    means["se"] = by_patient["sd_difference"] / np.sqrt(max(by_patient["n_patients"], 1))
    one_hip = paired.drop_duplicates("patient_id")
    methods = {
        "naive, every hip": (paired, _t_test(paired, scale)),
        "patient means": (paired, means),
        "mixed model": (paired, _mixed_model(paired, scale)),
        "bootstrap by patient": (paired, _bootstrap(paired, scale, draws)),
        "one hip per patient": (one_hip, _t_test(one_hip, scale) if len(one_hip) < len(paired) else None),
    }
    rows = []
    for method, (cases, row) in methods.items():
        row = row if row is not None else _t_test(paired, scale) | {"note": ONE_HIP_EACH}
        counts = {"n_patients": cases["patient_id"].nunique(), "n_cases": len(cases), "n_excluded": excluded}
        rows.append({"method": method} | counts | row)
    columns = ["method", "n_patients", "n_cases", "n_excluded", "mean_difference", "se", "p", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=[*columns, "note"])


def _estimate(cases: pd.DataFrame) -> dict[str, object]:
    mean = float(cases["difference"].mean()) if len(cases) else np.nan
    return {"mean_difference": mean} | dict.fromkeys(("se", "p", "ci_low", "ci_high"), np.nan) | {"note": ""}


def _t_test(cases: pd.DataFrame, scale: float) -> dict[str, object]:
    """The t test that takes every case for a patient of its own: the wrong way, to be shown."""
    row = _estimate(cases)
    differences = cases["difference"].to_numpy(float)
    if len(differences) < 2:
        return row | {"note": "fewer than 2 hips with both values"}
    if is_constant(differences, scale=scale):
        return row | {"note": "all hips have the same difference"}
    result = stats.ttest_1samp(differences, 0.0)
    low, high = result.confidence_interval(CONFIDENCE)
    row |= {"se": float(stats.sem(differences)), "p": float(result.pvalue)}
    return row | {"ci_low": float(low), "ci_high": float(high)}


def _mixed_model(cases: pd.DataFrame, scale: float) -> dict[str, object]:
    """A random intercept per patient; differences in their SDs, so that the search does not depend on the unit."""
    n_patients = cases["patient_id"].nunique()
    if n_patients == len(cases) and len(cases):
        row = _t_test(cases, scale)
        return row | {"note": row["note"] or ONE_HIP_EACH}
    row = _estimate(cases) | {"mean_difference": np.nan}
    differences = cases["difference"].to_numpy(float)
    if n_patients < 2:
        return row | {"note": "fewer than 2 patients with both values"}
    if is_constant(differences, scale=scale):
        return row | {"note": "all hips have the same difference"}
    from statsmodels.regression.mixed_linear_model import MixedLM  # only this function needs it

    spread = float(differences.std(ddof=1))
    model = MixedLM(differences / spread, np.ones((len(cases), 1)), groups=cases["patient_id"].to_numpy(str))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a variance of zero, which the note says
            # the default search stops away from a variance of zero
            fitted = model.fit(reml=True, method="powell", xtol=1e-10, ftol=1e-12, maxiter=1000)
            converged, ratio = bool(fitted.converged), float(fitted.cov_re[0, 0] / fitted.scale)
            residual = float(fitted.scale) * spread**2
    except (np.linalg.LinAlgError, ValueError) as failure:
        return row | {"note": f"the mixed model could not be fitted ({failure})"}
    if not converged or not np.isfinite([ratio, residual]).all() or residual <= 0:
        return row | {"note": "the mixed model did not converge"}
    # mean and error by least squares with these variances, as lme4 and nlme have them; statsmodels' error is that
    # of the whole Hessian and differs in the fourth digit
    by_patient = cases.groupby("patient_id")["difference"].agg(["mean", "size"])
    weights = (by_patient["size"] / (1 + by_patient["size"] * ratio)).to_numpy(float)
    mean = float(weights @ by_patient["mean"].to_numpy(float) / weights.sum())
    error = float(np.sqrt(residual / weights.sum()))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n_patients - 1)) * error
    row |= {"mean_difference": mean, "se": error, "p": float(2 * stats.t.sf(abs(mean) / error, n_patients - 1))}
    note = "no variance between patients found" if ratio < NO_VARIANCE else ""
    return row | {"ci_low": mean - half, "ci_high": mean + half, "note": note}


def _bootstrap(cases: pd.DataFrame, scale: float, draws: int) -> dict[str, object]:
    """The mean over hips, patients drawn with replacement."""
    row = _estimate(cases)
    differences = cases["difference"].to_numpy(float)
    if is_constant(differences, scale=scale) and len(differences):
        return row | {"note": "all hips have the same difference"}
    low, high = bootstrap_interval(
        cases["patient_id"].to_numpy(str), lambda weights: weights @ differences / weights.sum(axis=1), draws=draws
    )
    note = "fewer than 3 patients with both values" if np.isnan(low) else "an interval only, no test"
    return row | {"ci_low": low, "ci_high": high, "note": note}
