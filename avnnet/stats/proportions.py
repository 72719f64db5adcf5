"""Intervals of a proportion."""

from __future__ import annotations

import numpy as np
from scipy import stats

from avnnet.stats.pairs import CONFIDENCE


def wilson_interval(found: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion; NaN of nothing.

    Args:
        found: how many have it.
        n: how many there are.
        confidence: of the two-sided interval.

    Source:
        Wilson EB. J Am Stat Assoc 1927;22:209-212.

    Examples:
        >>> low, high = wilson_interval(81, 263)
        >>> round(low, 4), round(high, 4)
        (0.2553, 0.3662)
    """
    if n == 0:
        return np.nan, np.nan
    interval = stats.binomtest(found, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)
