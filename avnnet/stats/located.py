"""How far from the truth a locator finds the heads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from avnnet.stats.pairs import numbers
from avnnet.stats.proportions import wilson_interval

FAR_MM = 6.0


def locator_table(located: pd.DataFrame) -> pd.DataFrame:
    """One row: heads found, sides right, and the distance of the centres from those of the manual masks.

    Args:
        located: one row per case with side, side_found, heads, centre_error_mm and radius_error_mm; an error is empty
            where no head was found.

    Returns:
        Counts; median, 95th percentile and largest centre error; mean and SD of the radius error (found - manual);
        the share of cases within 6 mm with Wilson's interval, those without a head among the others.

    Examples:
        >>> case = {"side": "left", "side_found": "left", "heads": 1, "centre_error_mm": 1.5, "radius_error_mm": 0.1}
        >>> table = locator_table(pd.DataFrame([case, case | {"side_found": "", "heads": 0, "centre_error_mm": None}]))
        >>> table[["n", "n_found", "n_side_right", "centre_error_median_mm"]].iloc[0].tolist()
        [2.0, 1.0, 1.0, 1.5]
    """
    error, radius = numbers(located, "centre_error_mm"), numbers(located, "radius_error_mm")
    found = error.dropna()
    sided = located["side"].isin(["left", "right"])
    within = int((found <= FAR_MM).sum())
    low, high = wilson_interval(within, len(located))
    has = len(found) > 0
    row = {
        "n": len(located),
        "n_found": len(found),
        "n_two_heads": int((numbers(located, "heads") == 2).sum()),
        "n_sided": int(sided.sum()),
        "n_side_right": int((sided & (located["side"] == located["side_found"])).sum()),
        "n_side_wrong": int(
            (sided & located["side_found"].isin(["left", "right"]) & (located["side"] != located["side_found"])).sum()
        ),
        "centre_error_median_mm": float(found.median()) if has else np.nan,
        "centre_error_p95_mm": float(np.percentile(found, 95)) if has else np.nan,
        "centre_error_max_mm": float(found.max()) if has else np.nan,
        "radius_error_mean_mm": float(radius.mean()),
        "radius_error_sd_mm": float(radius.std()),
        "within_6_mm": within / len(located) if len(located) else np.nan,
        "within_6_mm_ci_low": low,
        "within_6_mm_ci_high": high,
    }
    return pd.DataFrame([row])
