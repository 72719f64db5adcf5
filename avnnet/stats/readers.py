"""Does a network agree with a reader as well as a second reader does?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from avnnet.columns import IDENTITY
from avnnet.stats.bootstrap import DRAWS, SEED, bootstrap_interval
from avnnet.stats.limits import LIMIT_SD
from avnnet.stats.pairs import KEY, pairs

Agreement = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def second_reader(
    table: pd.DataFrame,
    value: str,
    *,
    manual: str = "manual",
    second: str,
    automatic: str,
    draws: int = DRAWS,
    seed: int = SEED,
) -> pd.DataFrame:
    """Reader against reader and network against reader, on the same cases, and the difference with its interval.

    The first reader is the reference of both. Only cases with all three values are taken. Patients are drawn with all
    their hips, and both agreements are computed in every draw, so that the interval is that of paired agreements.

    Args:
        table: measurements, one row per case and reader.
        value: the column.
        manual: the reader that both others are held against.
        second: the other human reader.
        automatic: the network.
        draws: of the bootstrap.
        seed: of the draws.

    Returns:
        Four rows, of measure ccc (Lin's), pearson_r, mean_absolute_difference and limits_half_width (1.96 SD of the
        differences): value, measure, manual, second, automatic, n_patients, n_cases, n_excluded, reader_reader,
        automatic_reader, each with its interval (`_ci_low`, `_ci_high`), difference (automatic - second reader),
        ci_low, ci_high, note. Of the last two measures less is better.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Source:
        Lin LI. Biometrics 1989;45:255-268; Efron 1987 (BCa intervals).

    Examples:
        >>> generator = np.random.default_rng(0)
        >>> size = generator.gamma(2, 4, 30)
        >>> rows = [pd.DataFrame({"patient_id": range(30), "case_id": range(30), "reader": name,
        ...     "necrosis_cm3": size + noise * generator.normal(size=30)})
        ...     for name, noise in (("manual", 0), ("second", 1), ("unet3d", 1))]
        >>> found = second_reader(pd.concat(rows), "necrosis_cm3", second="second", automatic="unet3d", draws=500)
        >>> bool((found["ci_low"] < found["ci_high"]).all()), found["measure"].tolist()[0]
        (True, 'ccc')
    """
    of_readers, _ = pairs(table, value, manual, second)
    of_network, _ = pairs(table, value, manual, automatic)
    both = of_readers.merge(of_network[[*KEY, "second"]], on=KEY, suffixes=("", "_automatic"))
    cases = len({tuple(key) for frame in (of_readers, of_network) for key in frame[IDENTITY].itertuples(index=False)})
    reference, other, network = (both[name].to_numpy(float) for name in ("first", "second", "second_automatic"))
    patients = both["patient_id"].to_numpy()
    n = len(set(patients))
    common: dict[str, object] = {"value": value, "manual": manual, "second": second, "automatic": automatic}
    common |= {"n_patients": n, "n_cases": len(both), "n_excluded": cases - len(both)}
    rows = []
    for measure, agreement in MEASURES.items():

        def against(readings: np.ndarray, agreement: Agreement = agreement) -> Callable[[np.ndarray], np.ndarray]:
            return lambda weights: agreement(weights, reference, readings)

        def difference(
            weights: np.ndarray, one: Callable = against(network), two: Callable = against(other)
        ) -> np.ndarray:
            gap: np.ndarray = one(weights) - two(weights)
            return gap

        row = {"measure": measure} | common
        statistics = {"reader_reader": against(other), "automatic_reader": against(network), "difference": difference}
        for name, statistic in statistics.items():
            with np.errstate(invalid="ignore", divide="ignore"):
                row[name] = float(statistic(np.ones((1, len(both))))[0]) if len(both) else np.nan
            prefix = "" if name == "difference" else f"{name}_"
            ends = bootstrap_interval(patients, statistic, draws=draws, seed=seed) if n else (np.nan, np.nan)
            row |= dict(zip((f"{prefix}ci_low", f"{prefix}ci_high"), ends, strict=True))
        row["note"] = "fewer than 3 patients read by all three" if n < 3 else ""
        rows.append(row)
    return pd.DataFrame(rows)


def _moments(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weighted means, 1/n variances and covariance of each draw `(draws,)`."""
    total = w.sum(axis=1)
    mean_x, mean_y = w @ x / total, w @ y / total
    return (
        mean_x, mean_y,
        w @ x**2 / total - mean_x**2, w @ y**2 / total - mean_y**2, w @ (x * y) / total - mean_x * mean_y,
    )  # fmt: skip


def _ccc(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    middle = x.mean()  # differences of large squares would lose digits
    mean_x, mean_y, var_x, var_y, shared = _moments(w, x - middle, y - middle)
    found: np.ndarray = 2 * shared / (var_x + var_y + (mean_x - mean_y) ** 2)
    return found


def _pearson(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    middle = x.mean()
    _, _, var_x, var_y, shared = _moments(w, x - middle, y - middle)
    found: np.ndarray = shared / np.sqrt(var_x * var_y)
    return found


def _mean_absolute(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    found: np.ndarray = w @ np.abs(y - x) / w.sum(axis=1)
    return found


def _half_width(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    n = w.sum(axis=1)
    away = y - x
    variance = (w @ away**2 / n - (w @ away / n) ** 2) * n / (n - 1)
    found: np.ndarray = LIMIT_SD * np.sqrt(np.maximum(variance, 0))
    return found


MEASURES: dict[str, Agreement] = {
    "ccc": _ccc,
    "pearson_r": _pearson,
    "mean_absolute_difference": _mean_absolute,
    "limits_half_width": _half_width,
}
