"""How many hips a study needs, and what more training patients would bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from avnnet.errors import StatisticsError
from avnnet.stats.bootstrap import DRAWS, SEED
from avnnet.stats.pairs import CONFIDENCE
from avnnet.stats.segmentation import segmentation_results

MAX_PATIENTS = 100_000
MIN_STUDIES = 4


def sample_size_for_limits(sd: float, width: float, *, confidence: float = CONFIDENCE) -> int:
    """How many patients make the interval of a limit of agreement as narrow as `width`.

    The interval is limit ± t sqrt(3 SD² / n), of the width 2 t sqrt(3 SD² / n).

    Args:
        sd: of the differences, such as that of an earlier study.
        width: from the lower to the upper end, in the same unit.
        confidence: of the interval.

    Raises:
        StatisticsError: if sd or width is not above 0, or more than 100,000 patients would be needed.

    Source:
        Bland JM, Altman DG. Lancet 1986;i:307-310.

    Examples:
        >>> sample_size_for_limits(3.2, 4.0)
        32
    """
    return _smallest(lambda n: 2 * stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(3 / n) * sd, sd, width)


def sample_size_for_mean(sd: float, width: float, *, confidence: float = CONFIDENCE) -> int:
    """How many patients make the interval of a mean, such as of the Dice, as narrow as `width`.

    The interval is mean ± t SD / sqrt(n).

    Args:
        sd: of the value over patients.
        width: from the lower to the upper end, in the same unit.
        confidence: of the interval.

    Raises:
        StatisticsError: if sd or width is not above 0, or more than 100,000 patients would be needed.

    Source:
        Student. Biometrika 1908;6:1-25; for Dice: El Jurdi R et al. Med Image Anal 2025;103565.

    Examples:
        >>> sample_size_for_mean(0.25, 0.10)
        99
    """
    return _smallest(lambda n: 2 * stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(1 / n) * sd, sd, width)


def _smallest(width_of: Callable[[np.ndarray], np.ndarray], sd: float, width: float) -> int:
    if not (0 < sd < np.inf and 0 < width < np.inf):
        raise StatisticsError(f"SD and width must be above 0; found SD {sd:g} and width {width:g}")
    n = np.arange(2, MAX_PATIENTS + 1)
    enough = np.flatnonzero(width_of(n) <= width)
    if not len(enough):
        raise StatisticsError(f"an interval of {width:g} at an SD of {sd:g} needs more than {MAX_PATIENTS:,} patients")
    return int(n[enough[0]])


def learning_curve(
    studies: Sequence[tuple[int, pd.DataFrame]],
    *,
    label: str = "necrosis",
    metric: str = "dice",
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """One row per network and number of training patients: the mean of a metric, its interval, and a fitted curve.

    With four or more studies of a network the curve mean = ceiling - a n^-b is fitted (b from 0.1 to 2). It says what
    more patients of the same kind might bring, and nothing of other kinds.

    Args:
        studies: number of training patients and agreement table of each; best of the same held-out cases.
        label: the structure.
        metric: the column.
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        reader, n_train, n, n_patients, mean, ci_low, ci_high, fitted, ceiling (both NaN with fewer than four sizes).

    Raises:
        StatisticsError: if there is no study, or a table lacks the label or the metric.

    Source:
        Figueroa RL et al. Predicting sample size required for classification performance. BMC Med Inform Decis Mak
        2012;12:8 (inverse power law).
    """
    if not studies:
        raise StatisticsError("a learning curve needs at least one study; pairs of (training patients, agreement)")
    rows = []
    for n_train, agreement in studies:
        table = segmentation_results(agreement, draws=draws, seed=seed)
        table = table[(table["label"] == label) & (table["metric"] == metric)]
        if table.empty:
            raise StatisticsError(f"no {metric!r} of {label!r} in the study with {n_train} training patients")
        rows.append(table.assign(n_train=n_train))
    together = pd.concat(rows, ignore_index=True).sort_values(["reader", "n_train"], kind="stable")
    kept = ["reader", "n_train", "n", "n_patients", "mean", "ci_low", "ci_high"]
    curves = [_fitted(points[kept].reset_index(drop=True)) for _, points in together.groupby("reader", sort=False)]
    return pd.concat(curves, ignore_index=True)


def _fitted(points: pd.DataFrame) -> pd.DataFrame:
    n, mean = points["n_train"].to_numpy(float), points["mean"].to_numpy(float)
    if len(np.unique(n)) < MIN_STUDIES or not np.isfinite(mean).all():
        return points.assign(fitted=np.nan, ceiling=np.nan)

    def curve(n: np.ndarray, ceiling: float, a: float, b: float) -> np.ndarray:
        return ceiling - a * n**-b

    start = (float(mean.max()), float(np.ptp(mean)) + 1e-3, 0.5)
    low, high = (float(mean.min()) - 1, 0.0, 0.1), (float(mean.max()) + 1, np.inf, 2.0)
    found, _ = optimize.curve_fit(curve, n, mean, p0=start, bounds=(low, high), maxfev=20_000)
    return points.assign(fitted=curve(n, *found), ceiling=float(found[0]))
