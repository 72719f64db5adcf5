"""Agreement of a manual and an automatic label map, structure by structure."""

from __future__ import annotations

import pandas as pd

from avnnet.errors import GeometryMismatch, InvalidScheme
from avnnet.image import LabelMap
from avnnet.measure.volumes import volumes
from avnnet.metrics import dice, surface_distances

TOLERANCE_MM = 1.0
"""Of the surface Dice: a voxel, and about the distance between two readers."""
OUTCOMES = {
    (True, True): "both_present",
    (False, False): "both_empty",
    (True, False): "missed",
    (False, True): "false_positive",
}
"""(is in the manual mask, is in the automatic mask) to the word in the agreement table."""


def compare(manual: LabelMap, automatic: LabelMap) -> pd.DataFrame:
    """One row per structure: overlap, surface distances in mm and the volume error in cm³.

    HD95 is the larger of the two directed 95th percentiles. Undefined is not perfect: where both masks are
    empty the Dice and the distances are NaN; where one is, the Dice is 0 and the distances are infinite.

    Args:
        manual: the reader's labels.
        automatic: the network's labels on the same grid, with the same scheme.

    Returns:
        The columns label, dice, hd95_mm, assd_mm, surface_dice_1mm, volume_error_cm3 (automatic - manual) and
        outcome (both_present, both_empty, missed or false_positive); the scheme's labels first, the whole last.

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
    error_cm3 = volumes(automatic).iloc[0] - volumes(manual).iloc[0]
    rows = []
    for name in manual.scheme.structures:
        masks = manual.mask(name), automatic.mask(name)
        surfaces = surface_distances(*masks, manual.grid.spacing)
        rows.append(
            {
                "label": name,
                "dice": dice(*masks),
                "hd95_mm": surfaces.hd95_mm,
                "assd_mm": surfaces.assd_mm,
                "surface_dice_1mm": surfaces.surface_dice(TOLERANCE_MM),
                "volume_error_cm3": float(error_cm3[f"{name}_cm3"]),
                "outcome": OUTCOMES[bool(masks[0].any()), bool(masks[1].any())],
            }
        )
    return pd.DataFrame(rows)
