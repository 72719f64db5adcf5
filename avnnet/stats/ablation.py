"""Variants of a network against their base: differences with intervals that know of patients and of seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.paired import holm
from avnnet.stats.pairs import CONFIDENCE, KEY, is_constant, numbers, text, tidy

MIN_SEEDS = 2
MIN_PATIENTS = 3
FEW_SEEDS = 3  # below it the error of the seeds rests on one difference
COLUMNS = (
    "variant", "label", "metric", "n_patients", "n_cases", "n_seeds", "n_undefined", "n_excluded", "mean", "base_mean",
    "difference", "sd_patients", "sd_seeds", "ci_low", "ci_high", "df", "p", "p_holm", "note",
)  # fmt: skip


def ablation_table(table: pd.DataFrame, *, base: str, metrics: Sequence[str] = ("dice",)) -> pd.DataFrame:
    """One row per variant, label and metric: its mean, and the difference variant - base with a 95 % interval.

    Differences are taken case by case and seed by seed, then averaged over the cases of a patient: two hips of one
    patient are not independent. Patients and seeds are both random, and crossed: another study would have other
    patients and other seeds. `crossed_interval` gives interval and p, `p_holm` is adjusted over all variants and labels
    of a metric.

    A case counts where variant and base have a finite value for every seed; the others are in `n_excluded`.
    `n_undefined` are the variant's values that are not defined (both masks empty): they are in no mean.

    Args:
        table: one row per case, variant, seed and label, with patient_id and the metrics.
        base: the variant that the others are compared with; its rows come first and have no difference.
        metrics: columns to compare; differences have their unit.

    Returns:
        `COLUMNS`; sd_patients and sd_seeds are those of the means of the differences by patient and by seed. `note`
        says why where there is no interval.

    Raises:
        StatisticsError: if a column or the base is absent, or a row stands twice.

    Source:
        `crossed_interval`. Holm S. Scand J Stat 1979;6:65-70.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abc"] * 4, "case_id": [*"abc"] * 4, "label": "necrosis",
        ...     "variant": ["plain"] * 6 + ["residual"] * 6, "seed": ([1] * 3 + [2] * 3) * 2,
        ...     "dice": [0.5, 0.6, 0.7, 0.6, 0.7, 0.8, 0.6, 0.7, 0.9, 0.7, 0.8, 0.9]})
        >>> row = ablation_table(table, base="plain").iloc[1]
        >>> row[["difference", "ci_low", "ci_high"]].astype(float).round(3).tolist()
        [0.117, -0.095, 0.328]
    """
    frame = _known(table, base, metrics)
    variants = [base, *(name for name in frame["variant"].unique() if name != base)]
    rows = []
    for metric in metrics:
        wide = frame.assign(value=numbers(frame, metric)).pivot(
            index=["label", "patient_id", *KEY], columns=["variant", "seed"], values="value"
        )
        for variant in variants:
            for label in frame["label"].unique():
                values = wide.loc[[label]].droplevel("label")
                of_both = (frame["variant"] == variant) & (frame["label"] == label)
                row = {"variant": variant, "label": label, "metric": metric} | _row(values, variant, base)
                rows.append(row | {"n_undefined": int(numbers(frame[of_both], metric).isna().sum())})
    result = pd.DataFrame(rows, columns=list(COLUMNS))
    for of_metric in result.groupby("metric").groups.values():
        result.loc[of_metric, "p_holm"] = holm(result.loc[of_metric, "p"].to_numpy(float))
    return result


def _known(table: pd.DataFrame, base: str, metrics: Sequence[str]) -> pd.DataFrame:
    missing = [name for name in ("variant", "seed", "label", *metrics) if name not in table.columns]
    if missing:
        raise StatisticsError(f"the table has no column {missing}; it has {list(table.columns)}")
    variant, seeds = table["variant"].map(text), table["seed"].map(text)
    # a row stands for a variant and a seed, which take the reader's place
    frame = tidy(table.assign(reader=variant + " seed " + seeds, variant=variant, seed=seeds), metrics)
    if base not in set(frame["variant"]):
        raise StatisticsError(
            f"no variant {base!r} to compare with; the table has {frame['variant'].unique().tolist()}"
        )
    return frame


def _row(values: pd.DataFrame, variant: str, base: str) -> dict[str, object]:
    """The numbers of a variant; `values` has a row per case and a column per variant and seed."""
    seeds = [one for one in values[variant].columns if one in values[base].columns]
    own, other = values[variant][seeds], values[base][seeds]
    whole = (np.isfinite(own) & np.isfinite(other)).all(axis=1)
    own, other = own[whole], other[whole]
    by_patient = (own - other).groupby(level="patient_id").mean().to_numpy(float)
    row: dict[str, object] = {"n_patients": len(by_patient), "n_cases": int(whole.sum()), "n_seeds": len(seeds)}
    row["n_excluded"] = len(values) - int(whole.sum())
    row |= {"mean": _patient_mean(own), "base_mean": _patient_mean(other)}
    if variant == base:
        return row | {"base_mean": np.nan, "note": "the base"}
    row["difference"] = float(by_patient.mean()) if by_patient.size else np.nan
    if by_patient.size:
        row["sd_patients"] = float(by_patient.mean(axis=1).std(ddof=1)) if len(by_patient) > 1 else np.nan
        row["sd_seeds"] = float(by_patient.mean(axis=0).std(ddof=1)) if len(seeds) > 1 else np.nan
    scale = float(np.abs(np.stack([own, other])).max(initial=0.0)) if by_patient.size else 0.0
    low, high, df, p, note = crossed_interval(by_patient, scale=scale)
    return row | {"ci_low": low, "ci_high": high, "df": df, "p": p, "note": note}


def _patient_mean(values: pd.DataFrame) -> float:
    means = values.groupby(level="patient_id").mean().to_numpy(float)
    return float(means.mean()) if means.size else np.nan


def crossed_interval(
    differences: np.ndarray, *, scale: float = 0.0, confidence: float = CONFIDENCE
) -> tuple[float, float, float, float, str]:
    """Lower and upper end, degrees of freedom, p and a note, of a mean over patients and seeds, both random.

    The error of the mean has three parts: patients, seeds, and the rest. They are estimated from the mean squares of
    a two-way table without replicates, as readers and cases are in studies of many readers. Where the seeds agree, the
    interval is that of a paired t test by patient; where they alone differ, that of a t test of the seeds' means. The
    degrees of freedom are Hillis's, with those of the patients counted too, because cohorts are small. With 10 to 100
    patients 93 to 96 % of the intervals of 5 seeds cover the truth, 91 to 96 % of 3 seeds, and 86 to 96 % of 2 seeds,
    whatever the three parts, and whether a seed changes all folds alike or each training in its own way. Of a bootstrap
    that draws patients and seeds 81 to 99 % do, because three seeds can be drawn in ten ways only.

    Args:
        differences: `(patients, seeds)`.
        scale: size of the numbers whose differences they are: what is smaller by far is rounding.
        confidence: of the two-sided interval.

    Returns:
        NaN for all numbers and a note with fewer than two seeds or three patients. Equal differences give an interval
        without width and no p.

    Source:
        Dorfman DD, Berbaum KS, Metz CE. Invest Radiol 1992;27:723-731. Hillis SL. A comparison of denominator degrees
        of freedom methods for multiple observer ROC analysis. Stat Med 2007;26:596-619.

    Examples:
        >>> low, high, df, p, note = crossed_interval(np.array([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]]))
        >>> round(low, 4), round(high, 4), df  # the seeds agree: t with 2 degrees of freedom
        (-0.0484, 0.4484, 2.0)
        >>> crossed_interval(np.array([[0.1], [0.2], [0.3]]))[4]
        'no interval: 1 seed says nothing of what another seed would change; give 3 seeds'
    """
    patients, seeds = differences.shape
    nothing = (np.nan, np.nan, np.nan, np.nan)
    if seeds < MIN_SEEDS:
        return (
            *nothing,
            f"no interval: {seeds} seed says nothing of what another seed would change; give {FEW_SEEDS} seeds",
        )
    if patients < MIN_PATIENTS:
        return *nothing, f"no interval: {patients} patients with all values, {MIN_PATIENTS} are needed at least"
    mean = float(differences.mean())
    if is_constant(differences.ravel(), scale=scale):
        return mean, mean, np.nan, np.nan, "all patients and seeds have the same difference"
    by_patient, by_seed = differences.mean(axis=1) - mean, differences.mean(axis=0) - mean
    rest = differences - mean - by_patient[:, None] - by_seed[None]
    of_patients = seeds * float(by_patient @ by_patient) / (patients - 1)
    of_seeds = patients * float(by_seed @ by_seed) / (seeds - 1)
    of_rest = float((rest**2).sum()) / ((patients - 1) * (seeds - 1))
    more = max(of_patients - of_rest, 0.0)
    error = float(np.sqrt((of_seeds + more) / differences.size))
    note = "2 seeds only: a wide interval, because their error is hardly known" if seeds < FEW_SEEDS else ""
    if error <= np.finfo(float).eps * max(scale, abs(mean)):
        return mean, mean, np.nan, np.nan, "the differences do not vary between patients or seeds"
    df = (of_seeds + more) ** 2 / (of_seeds**2 / (seeds - 1) + more**2 / (patients - 1))
    half = float(stats.t.ppf((1 + confidence) / 2, df)) * error
    return mean - half, mean + half, float(df), float(2 * stats.t.sf(abs(mean) / error, df)), note


def pareto_front(costs: Sequence[float], values: Sequence[float]) -> list[bool]:
    """Whether each point is on the front: no other one is better and costs no more, or costs less and is as good.

    Args:
        costs: of each, lower is better.
        values: of each, higher is better; NaN is on no front.

    Examples:
        >>> pareto_front([1.0, 2.0, 2.0, 3.0], [0.7, 0.8, 0.75, 0.8])
        [True, True, False, False]
    """
    points = list(zip(costs, values, strict=True))

    def is_beaten(cost: float, value: float) -> bool:
        return any(c <= cost and v >= value and (c, v) != (cost, value) for c, v in points)

    return [not (np.isnan(cost) or np.isnan(value) or is_beaten(cost, value)) for cost, value in points]
