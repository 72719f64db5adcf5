"""Two independent samples by their ranks: the Hodges-Lehmann shift and the area under the ROC curve."""

from __future__ import annotations

from functools import cache
from math import ceil, comb

import numpy as np
from scipy import stats

from avnnet.stats.pairs import CONFIDENCE, is_constant

EXACT_SHIFT_BELOW = 50  # values per group; R's wilcox.test takes the exact interval below the same number
ROUNDING = 1e-9  # a tail probability that equals the wanted one may miss it by this share


def has_ties(*samples: np.ndarray) -> bool:
    """Whether a value stands twice in the samples taken together.

    Examples:
        >>> has_ties(np.array([1, 2]), np.array([3, 4])), has_ties(np.array([1, 2]), np.array([2, 3]))
        (False, True)
    """
    values = np.concatenate(samples)
    return len(np.unique(values)) < len(values)


def hodges_lehmann(
    first: np.ndarray,
    second: np.ndarray,
    confidence: float = CONFIDENCE,
) -> tuple[float, float, float]:
    """The shift second - first, the median of all pairwise differences, and its interval.

    The interval holds the shifts that a two-sided Mann-Whitney test does not reject. It is exact, from the
    distribution of U, without ties and with fewer than 50 values per group. Else it comes from the normal
    approximation with corrections for continuity and for ties within a group: the rule of R's
    `wilcox.test(conf.int = TRUE)`. The shift is the median in both cases; R searches a root where there are ties.
    U is discrete, so that the exact interval is conservative: 96.6 % of 15 against 15 (docs/statistics.md).

    Args:
        first: `(m,)` finite values.
        second: `(n,)` finite values.
        confidence: of the two-sided interval.

    Returns:
        Shift, lower and upper end. The ends are NaN where the groups are too small for the confidence (3 and 3
        values at 95 %) or where all differences are equal; the shift is NaN where a group is empty.

    Source:
        Hodges JL, Lehmann EL. Ann Math Stat 1963;34:598-611. Bauer DF. Constructing confidence sets using rank
        statistics. J Am Stat Assoc 1972;67:687-690.

    Examples:
        >>> [round(x, 2) for x in hodges_lehmann(np.array([1.0, 2, 4, 5]), np.array([6.0, 8, 9, 13]))]
        [5.5, 1.0, 12.0]
    """
    m, n = len(first), len(second)
    if not m or not n:
        return np.nan, np.nan, np.nan
    differences = np.sort(np.subtract.outer(second, first), axis=None)
    shift = float(np.median(differences))
    tail = (1 - confidence) / 2
    if not has_ties(first, second) and max(m, n) < EXACT_SHIFT_BELOW:
        place = _exact_place(m, n, tail)
    else:
        place = _normal_place(first, second, tail)
    if place < 1 or is_constant(differences):
        return shift, np.nan, np.nan
    return shift, float(differences[place - 1]), float(differences[m * n - place])


def _exact_place(m: int, n: int, tail: float) -> int:
    """The largest k with P(U <= k - 1) < tail, so that the k-th difference is the end; 0 where there is none."""
    wanted = tail * comb(m + n, m) * (1 - ROUNDING)
    below = 0
    for place, count in enumerate(_u_counts(m, n)):
        below += count
        if below >= wanted:
            return place
    return 0


@cache
def _u_counts(m: int, n: int) -> tuple[int, ...]:
    """In how many orders of m and n values U is 0, 1, ..., m n: the coefficients of the Gaussian binomial."""
    counts = [1] + [0] * (m * n)
    for j in range(1, m + 1):
        for u in range(m * n, n + j - 1, -1):
            counts[u] -= counts[u - n - j]
        for u in range(j, m * n + 1):
            counts[u] += counts[u - j]
    return tuple(counts)


def _normal_place(first: np.ndarray, second: np.ndarray, tail: float) -> int:
    """As `_exact_place`, by the normal approximation; shifting one group leaves only the ties within groups."""
    m, n = len(first), len(second)
    total = m + n
    repeats = np.concatenate([np.unique(sample, return_counts=True)[1] for sample in (first, second)])
    ties = float((repeats**3 - repeats).sum()) / (total * (total - 1))
    spread = np.sqrt(m * n / 12 * max(total + 1 - ties, 0.0))
    return ceil(m * n / 2 - 0.5 + float(stats.norm.ppf(tail)) * spread)


def delong(
    first: np.ndarray,
    second: np.ndarray,
    confidence: float = CONFIDENCE,
) -> tuple[float, float, float, float]:
    """The area under the ROC curve of telling second from first by a high value, with DeLong's interval.

    The area is the share of pairs in which the second group's value is larger, ties as a half. The interval is
    area ± z SE, cut at 0 and 1, as pROC gives it by default.

    Args:
        first: `(m,)` finite values of those without the condition.
        second: `(n,)` finite values of those with it.
        confidence: of the two-sided interval.

    Returns:
        Area, standard error, lower and upper end. The error and the ends are NaN with fewer than two values in a
        group. Groups that do not overlap have the area 0 or 1 and the error 0; the ends are NaN then, because an
        interval without width would claim to know the area of all patients (pROC prints 1-1 and warns).

    Source:
        DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845.

    Examples:
        >>> [round(x, 3) for x in delong(np.array([1.0, 2, 3, 5]), np.array([4.0, 6, 7, 8]))]
        [0.938, 0.088, 0.764, 1.0]
    """
    m, n = len(first), len(second)
    if not m or not n:
        return np.nan, np.nan, np.nan, np.nan
    ranks = stats.rankdata(np.concatenate([first, second]))
    of_first = 1 - (ranks[:m] - stats.rankdata(first)) / n
    of_second = (ranks[m:] - stats.rankdata(second)) / m
    area = float(of_second.mean())
    if min(m, n) < 2:
        return area, np.nan, np.nan, np.nan
    if is_constant(of_first) and is_constant(of_second):
        return area, 0.0, np.nan, np.nan
    error = float(np.sqrt(of_first.var(ddof=1) / m + of_second.var(ddof=1) / n))
    width = float(stats.norm.ppf((1 + confidence) / 2)) * error
    return area, error, max(area - width, 0.0), min(area + width, 1.0)
