"""Segmentation results with intervals: overall, by stage, by lesion size, and whether lesions are found at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from avnnet.errors import StatisticsError
from avnnet.grades import STEINBERG
from avnnet.metrics.catalogue import RANKED
from avnnet.metrics.outcome import Outcome
from avnnet.readers import MANUAL
from avnnet.stats.bootstrap import DRAWS, SEED, bootstrap_interval
from avnnet.stats.pairs import KEY, numbers, rows_of, text, tidy
from avnnet.stats.proportions import wilson_interval

LOW, HIGH = STEINBERG.bounds
SIZES = (f"small (< {LOW:g} %)", f"medium ({LOW:g} to {HIGH:g} %)", f"large (> {HIGH:g} %)")
"""Steinberg's classes, in their order: docs/sources.md#stages-and-extent."""
ALL = "all"


def segmentation_results(
    agreement: pd.DataFrame,
    measurements: pd.DataFrame | None = None,
    *,
    manual: str = MANUAL,
    stage: str = "arco_stage",
    size: str = "necrosis_percent",
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """One row per network, structure, metric and stratum: mean ± SD, median and quartiles, and a bootstrap interval.

    The interval is of the mean, patients drawn with all their hips. A missed or false-positive structure counts with
    overlap 0; its distance is infinite: mean, SD and interval of a distance are of the finite values, median and
    quartiles of all, infinity ranked worst. Undefined cases (both masks empty) are in no number but n_undefined.

    Args:
        agreement: one row per case, reader and label.
        measurements: whose manual rows give stage and size; without them there is only the stratum "all".
        manual: the reader whose stage and size decide.
        stage: the column of the stages; may be absent.
        size: the column of the sizes, in percent of the head; may be absent. Its classes are Steinberg's.
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        reader, label, metric, stratum, n, n_patients, n_missed, n_false_positive, n_undefined, mean, sd, median, q1,
        q3, ci_low, ci_high.

    Raises:
        StatisticsError: if a column is absent, or a row stands twice.

    Source:
        Maier-Hein L, Reinke A et al. Metrics reloaded. Nat Methods 2024;21:195-212.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcd"], "case_id": [*"abcd"], "reader": "unet3d",
        ...     "label": "necrosis", "dice": [0.8, 0.6, 0.7, 0.0], "outcome": ["both_present"] * 3 + ["missed"]})
        >>> row = segmentation_results(table, draws=500).iloc[0]
        >>> row[["n", "n_missed", "mean", "median"]].astype(float).round(3).tolist()
        [4.0, 1.0, 0.525, 0.65]
    """
    frame = tidy(agreement, ["label", "outcome", "dice"])
    strata = _strata(frame, measurements, manual, stage, size)
    rows = []
    for (reader, label), cases in frame.groupby(["reader", "label"], sort=False):
        for name, members in strata:
            kept = cases if members is None else cases[_keys(cases).isin(members)]
            if len(kept):
                common = {"reader": reader, "label": label}
                rows += [common | _row(kept, one.name, name, draws, seed) for one in RANKED if one.name in kept]
    return pd.DataFrame(rows)


def _strata(
    frame: pd.DataFrame, measurements: pd.DataFrame | None, manual: str, stage: str, size: str
) -> list[tuple[str, set[tuple[str, str]] | None]]:
    strata: list[tuple[str, set[tuple[str, str]] | None]] = [(ALL, None)]
    if measurements is None:
        return strata
    known = rows_of(tidy(measurements), manual)
    if stage in known:
        stages = known[stage].map(text)
        for name in sorted(set(stages) - {""}):
            strata.append((f"stage {name}", set(_keys(known[stages == name]))))
    if size in known:
        values = numbers(known, size)
        grades = values.where(values > 0).map(STEINBERG.of)  # no lesion has no size
        for name, grade in zip(SIZES, STEINBERG.classes, strict=True):
            strata.append((name, set(_keys(known[grades == grade]))))
    return [(name, members) for name, members in strata if members is None or members]


def _keys(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(list(frame[KEY].itertuples(index=False, name=None)), index=frame.index, dtype=object)


def _row(cases: pd.DataFrame, metric: str, stratum: str, draws: int, seed: int) -> dict[str, object]:
    outcome = cases["outcome"].map(text)
    values = numbers(cases, metric)
    defined = values[values.notna()]
    finite = defined[np.isfinite(defined)]
    row: dict[str, object] = {"metric": metric, "stratum": stratum, "n": len(defined)}
    row["n_patients"] = cases.loc[defined.index, "patient_id"].nunique()
    row |= {f"n_{name}": int((outcome == name).sum()) for name in (Outcome.MISSED, Outcome.FALSE_POSITIVE)}
    row["n_undefined"] = int((outcome == Outcome.BOTH_EMPTY).sum())
    row["mean"] = float(finite.mean()) if len(finite) else np.nan
    row["sd"] = float(finite.std(ddof=1)) if len(finite) > 1 else np.nan
    ranked = np.sort(defined.to_numpy(float))
    for name, share in (("median", 0.5), ("q1", 0.25), ("q3", 0.75)):
        row[name] = _quantile(ranked, share)
    array = finite.to_numpy(float)
    ends = bootstrap_interval(
        cases.loc[finite.index, "patient_id"], lambda w: w @ array / w.sum(axis=1), draws=draws, seed=seed
    )
    return row | dict(zip(("ci_low", "ci_high"), ends, strict=True))


def _quantile(ranked: np.ndarray, share: float) -> float:
    """The linear quantile of sorted values, infinite where its upper neighbour is."""
    if not len(ranked):
        return np.nan
    place = share * (len(ranked) - 1)
    below, part = int(place), place - int(place)
    above = min(below + 1, len(ranked) - 1)
    if part == 0 or ranked[below] == ranked[above]:
        return float(ranked[below])
    return float(ranked[below] + part * (ranked[above] - ranked[below]))


def detection(agreement: pd.DataFrame, *, label: str = "necrosis") -> pd.DataFrame:
    """One row per network: whether a structure is found in the hips that have it, and not in those that have none.

    Args:
        agreement: one row per case, reader and label, with the column outcome.
        label: the structure.

    Returns:
        reader, label, n_with, n_found, sensitivity and its Wilson interval (ci_low, ci_high), n_without, n_clear,
        specificity, specificity_ci_low, specificity_ci_high. Hips count as independent in the intervals.

    Raises:
        StatisticsError: if a column or the label is absent, or a row stands twice.

    Source:
        Ostmeier S et al. USE-Evaluator. Med Image Anal 2023;90:102927. Wilson EB. J Am Stat Assoc 1927;22:209-212.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcd"], "case_id": [*"abcd"], "reader": "unet3d",
        ...     "label": "necrosis", "outcome": ["both_present", "missed", "both_empty", "both_empty"]})
        >>> detection(table)[["sensitivity", "specificity"]].values.tolist()
        [[0.5, 1.0]]
    """
    frame = tidy(agreement, ["label", "outcome"])
    if label not in set(frame["label"]):
        raise StatisticsError(f"no label {label!r} in the table; it has {frame['label'].unique().tolist()}")
    return pd.DataFrame(_detected(frame[frame["label"] == label], label))


def _detected(frame: pd.DataFrame, label: str) -> Iterator[dict[str, object]]:
    for reader, cases in frame.groupby("reader", sort=False):
        counts = cases["outcome"].map(text).value_counts()
        found, missed, clear, wrong = (
            int(counts.get(name, 0))
            for name in (Outcome.BOTH_PRESENT, Outcome.MISSED, Outcome.BOTH_EMPTY, Outcome.FALSE_POSITIVE)
        )
        low, high = wilson_interval(found, found + missed)
        below, above = wilson_interval(clear, clear + wrong)
        yield {
            "reader": reader, "label": label,
            "n_with": found + missed, "n_found": found,
            "sensitivity": found / (found + missed) if found + missed else np.nan, "ci_low": low, "ci_high": high,
            "n_without": clear + wrong, "n_clear": clear,
            "specificity": clear / (clear + wrong) if clear + wrong else np.nan,
            "specificity_ci_low": below, "specificity_ci_high": above,
        }  # fmt: skip
