"""Volumes of the structures of a label map."""

from __future__ import annotations

import numpy as np
import pandas as pd

from avnnet.flags import Flags, absent
from avnnet.grid import MM3_PER_CM3
from avnnet.image import LabelMap


def volumes(labels: LabelMap) -> pd.DataFrame:
    """One row with the volume of every structure in cm³ and the part's share of the whole in percent.

    A volume is the number of voxels times the volume of one voxel, on the grid where the labels lie.

    Args:
        labels: `(z, y, x)` label ids with their scheme.

    Returns:
        One row with the columns `labels.scheme.volume_columns`; the percentage is NaN where the whole is
        empty.

    Source:
        Ruckli AC et al. J Pers Med 2023;13:153 (necrosis as a percentage of the femoral head).

    Examples:
        >>> from avnnet.grid import Grid
        >>> labels = LabelMap(np.array([[[0, 1, 1, 2]]]), Grid((1, 1, 4), (10.0, 10.0, 10.0)))
        >>> volumes(labels).round(3).iloc[0].to_dict()
        {'vital_cm3': 2.0, 'necrosis_cm3': 1.0, 'head_cm3': 3.0, 'necrosis_percent': 33.333}
    """
    scheme = labels.scheme
    counts = np.bincount(labels.array.ravel(), minlength=scheme.classes)
    row = {
        f"{name}_cm3": int(counts[scheme.ids(name)].sum()) * labels.grid.voxel_mm3 / MM3_PER_CM3
        for name in scheme.structures
    }
    whole = row[f"{scheme.whole}_cm3"]
    row[f"{scheme.part}_percent"] = 100 * row[f"{scheme.part}_cm3"] / whole if whole else float("nan")
    return pd.DataFrame([row], columns=scheme.volume_columns)


def missing_structures(labels: LabelMap) -> Flags:
    """The flag of an empty mask, or of one without the part; none where both are drawn.

    Args:
        labels: the mask.

    Examples:
        >>> from avnnet.grid import Grid
        >>> str(missing_structures(LabelMap(np.array([[[0, 1]]]), Grid((1, 1, 2)))))
        'no_necrosis'
    """
    if not labels.array.any():
        return Flags([absent(labels.scheme.whole)])
    return Flags([] if labels.mask(labels.scheme.part).any() else [absent(labels.scheme.part)])
