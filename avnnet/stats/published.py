"""What published means, standard deviations and correlations imply without saying it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.limits import LIMIT_SD
from avnnet.stats.pairs import CONFIDENCE


@dataclass(frozen=True)
class Published:
    """What a paper says of one quantity, read by hand and automatically in the same hips.

    Args:
        quantity: its name and unit.
        n: how many pairs; taken as independent.
        manual_mean: in the quantity's unit, as all but r.
        manual_sd: standard deviation.
        automatic_mean: in the same unit.
        automatic_sd: standard deviation.
        r: Pearson's correlation.

    Raises:
        StatisticsError: if there are fewer than three pairs, an SD is not above 0, or r is outside -1 to 1.
    """

    quantity: str
    n: int
    manual_mean: float
    manual_sd: float
    automatic_mean: float
    automatic_sd: float
    r: float

    def __post_init__(self) -> None:
        if self.n < 3 or min(self.manual_sd, self.automatic_sd) <= 0 or not -1 <= self.r <= 1:
            raise StatisticsError(
                f"{self.quantity}: at least 3 pairs, SDs above 0 and -1 <= r <= 1 are needed; found n={self.n}, "
                f"SDs {self.manual_sd:g} and {self.automatic_sd:g}, r={self.r:g}"
            )


ABSTRACT = (
    Published("necrosis_cm3", 34, 8.2, 7.4, 7.3, 6.7, 0.90),
    Published("necrosis_percent", 34, 17.0, 15.0, 15.0, 14.0, 0.92),
)
"""The results paragraph of the abstract that avnnet implements (docs/statistics.md)."""


def implied(*papers: Published) -> pd.DataFrame:
    """One row per quantity: bias, limits of agreement, CCC, paired t-test and the equivalence that the numbers imply.

    The means and SDs are rounded, and so is what is implied: a bias of -0.9 cm³ lies between -1.0 and -0.8.

        bias = automatic_mean - manual_mean
        SD = sqrt(manual_sd² + automatic_sd² - 2 r manual_sd automatic_sd)
        limits = bias ± 1.96 SD
        CCC = 2 r manual_sd automatic_sd / (manual_sd² + automatic_sd² + bias²)
        t = bias / (SD / sqrt(n)), n - 1 degrees of freedom
        smallest equivalence margin = |bias| + t(0.95, n - 1) SD / sqrt(n)

    Args:
        *papers: what was published; without any, the abstract's two quantities.

    Returns:
        quantity, n, bias, sd_difference, lower_limit, upper_limit, ccc, t, p, ci_low, ci_high (95 % of the bias),
        ci90_low, ci90_high, smallest_margin (for which two one-sided tests would find equivalence).

    Source:
        Bland JM, Altman DG. Lancet 1986;i:307-310. Lin LI. Biometrics 1989;45:255-268. Schuirmann DJ. J Pharmacokinet
        Biopharm 1987;15:657-680. The SD of a difference: variance of a sum of correlated quantities.

    Examples:
        >>> row = implied().iloc[0]
        >>> row[["lower_limit", "upper_limit", "ccc"]].astype(float).round(2).tolist()
        [-7.22, 5.42, 0.89]
        >>> float(implied()["p"].iloc[1].round(3))
        0.056
    """
    rows = []
    for one in papers or ABSTRACT:
        bias = one.automatic_mean - one.manual_mean
        shared = 2 * one.r * one.manual_sd * one.automatic_sd
        squares = one.manual_sd**2 + one.automatic_sd**2
        sd = float(np.sqrt(max(squares - shared, 0.0)))
        error = sd / np.sqrt(one.n)
        t = bias / error if error else np.nan
        wide, narrow = (float(stats.t.ppf(q, one.n - 1)) * error for q in ((1 + CONFIDENCE) / 2, 0.95))
        rows.append(
            {
                "quantity": one.quantity, "n": one.n, "bias": bias, "sd_difference": sd,
                "lower_limit": bias - LIMIT_SD * sd, "upper_limit": bias + LIMIT_SD * sd,
                "ccc": shared / (squares + bias**2),
                "t": t, "p": 2 * float(stats.t.sf(abs(t), one.n - 1)),
                "ci_low": bias - wide, "ci_high": bias + wide,
                "ci90_low": bias - narrow, "ci90_high": bias + narrow, "smallest_margin": abs(bias) + narrow,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
