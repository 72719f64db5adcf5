"""What has changed in a hip between two scans."""

from __future__ import annotations

import pandas as pd

from avnnet.columns import QUANTITIES
from avnnet.flags import Flag, Flags

SAME_HEAD_MM = 1.5


def change(previous: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """One row per quantity: its value before and now, and the difference now - before.

    Where the two heads differ in radius by more than 1.5 mm, every row has the flag `another_head`: it may not be the
    same hip.

    Args:
        previous: one row of `quantities` of the earlier scan.
        now: one row of `quantities` of the later scan.

    Returns:
        The columns quantity, previous, now, difference (empty for grades) and flags.

    Examples:
        >>> before = pd.DataFrame([{"necrosis_cm3": 4.0, "steinberg_grade": "A"}])
        >>> after = pd.DataFrame([{"necrosis_cm3": 6.5, "steinberg_grade": "B"}])
        >>> change(before, after)[["quantity", "previous", "now", "difference"]].values.tolist()
        [['necrosis_cm3', 4.0, 6.5, 2.5], ['steinberg_grade', 'A', 'B', nan]]
    """
    rows = []
    for one in QUANTITIES:
        if one.is_place or one.name not in now or one.name not in previous:
            continue
        before, after = previous[one.name].iloc[0], now[one.name].iloc[0]
        if not one.is_text:
            before, after = float(before), float(after)
        difference = float("nan") if one.is_text else after - before
        rows.append({"quantity": one.name, "previous": before, "now": after, "difference": difference})
    table = pd.DataFrame(rows)
    radii = table.loc[table["quantity"] == "head_radius_mm", "difference"]
    is_other = bool((radii.abs() > SAME_HEAD_MM).any())
    return table.assign(flags=str(Flags([Flag.ANOTHER_HEAD] if is_other else [])))
