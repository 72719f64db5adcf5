"""Segmentation results with intervals: overall, by stage, by lesion size, and whether lesions are found at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from avnnet.errors import StatisticsError
from avnnet.readers import MANUAL
from avnnet.stats.bootstrap import DRAWS, SEED, bootstrap_interval
from avnnet.stats.pairs import KEY, numbers, rows_of, text, tidy
from avnnet.stats.proportions import wilson_interval

METRICS = ("dice", "surface_dice_1mm", "hd95_mm", "assd_mm")
SIZE_CLASSES = (("small (< 15 %)", 15.0), ("medium (15 to 30 %)", 30.0), ("large (> 30 %)", np.inf))
"""Steinberg's A, B and C: docs/sources.md#stages-and-extent."""
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
                rows += [common | _row(kept, metric, name, draws, seed) for metric in METRICS if metric in kept]
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
        values, low = numbers(known, size), 0.0
        for name, high in SIZE_CLASSES:
            # Steinberg: A < 15, B 15 to 30, C > 30; no lesion has no size
            inside = (values > low if low != 15.0 else values >= low) & (
                values < high if high == 15.0 else values <= high
            )
            low = high
            strata.append((name, set(_keys(known[inside & (values > 0)]))))
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
    row |= {f"n_{name}": int((outcome == name).sum()) for name in ("missed", "false_positive")}
    row["n_undefined"] = int((outcome == "both_empty").sum())
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
            int(counts.get(name, 0)) for name in ("both_present", "missed", "both_empty", "false_positive")
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
