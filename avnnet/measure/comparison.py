"""Agreement of a manual and an automatic label map, structure by structure."""

from __future__ import annotations

import pandas as pd

from avnnet.errors import GeometryMismatch, InvalidScheme
from avnnet.image import LabelMap
from avnnet.measure.volumes import volumes
from avnnet.metrics.catalogue import METRICS, Compared
from avnnet.metrics.outcome import outcome_of


def compare(manual: LabelMap, automatic: LabelMap) -> pd.DataFrame:
    """One row per structure: overlap, surface distances in mm and the volume error in cm³.

    HD95 is the larger of the two directed 95th percentiles. Undefined is not perfect: where both masks are
    empty the Dice and the distances are NaN; where one is, the Dice is 0 and the distances are infinite.
    Voxels that either mask ignores are left out of both; where they touch a structure that both have, its distances
    are NaN.

    Args:
        manual: the reader's labels.
        automatic: the network's labels on the same grid, with the same scheme.

    Returns:
        The columns label, all of `METRICS`, volume_error_cm3 (automatic - manual) and outcome (a word of `Outcome`);
        the scheme's labels first, the whole last.

    Raises:
        GeometryMismatch: if the two do not lie on one grid.
        InvalidScheme: if their schemes differ.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> manual = LabelMap(np.array([[[0, 1, 1, 2]]]), Grid((1, 1, 4)))
        >>> automatic = LabelMap(np.array([[[0, 1, 1, 0]]]), manual.grid)
        >>> compare(manual, automatic)[["label", "dice", "outcome"]].values.tolist()
        [['vital', 1.0, 'both_present'], ['necrosis', 0.0, 'missed'], ['head', 0.8, 'both_present']]
    """
    if manual.scheme != automatic.scheme:
        raise InvalidScheme(
            f"two label maps must share one scheme; found {manual.scheme} (manual) and "
            f"{automatic.scheme} (automatic). Read both with the same scheme"
        )
    if not manual.grid.is_close(automatic.grid):
        raise GeometryMismatch(
            f"two label maps must lie on one grid; manual {manual.grid.summary()}, automatic "
            f"{automatic.grid.summary()}. Resample the automatic labels onto the manual grid, "
            "or predict on the image that the manual labels were drawn on"
        )
    manual, automatic = manual.leaving_out(automatic.ignored), automatic.leaving_out(manual.ignored)
    error_cm3 = volumes(automatic).iloc[0] - volumes(manual).iloc[0]
    rows = []
    for name in manual.scheme.structures:
        is_cut = manual.touches_ignored(name) or automatic.touches_ignored(name)
        two = Compared(manual.mask(name), automatic.mask(name), manual.grid.spacing, is_cut)
        rows.append(
            {
                "label": name,
                **{one.name: one.of(two) for one in METRICS},
                "volume_error_cm3": float(error_cm3[f"{name}_cm3"]),
                "outcome": str(outcome_of(bool(two.manual.any()), bool(two.automatic.any()))),
            }
        )
    return pd.DataFrame(rows)
