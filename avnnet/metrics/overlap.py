"""Overlap of two masks."""

from __future__ import annotations

import numpy as np

from avnnet.errors import GeometryMismatch, InvalidLabelValues


def check_masks(manual: np.ndarray, automatic: np.ndarray) -> None:
    """Refuse arrays that are no masks of one shape.

    Args:
        manual: booleans of any shape.
        automatic: booleans of the same shape.

    Raises:
        InvalidLabelValues: if an array is not of booleans; a label map given by mistake would count every
            label.
        GeometryMismatch: if the shapes differ.
    """
    if manual.dtype != bool or automatic.dtype != bool:
        raise InvalidLabelValues(
            f"masks must be boolean; found {manual.dtype} (manual) and {automatic.dtype} (automatic). "
            "Take one structure with labels.mask(name)"
        )
    if manual.shape != automatic.shape:
        raise GeometryMismatch(
            f"masks must have one shape; found {manual.shape} (manual) and {automatic.shape} (automatic). "
            "Resample the automatic mask onto the manual one's grid"
        )


def dice(manual: np.ndarray, automatic: np.ndarray) -> float:
    """The Dice coefficient, 0 to 1: twice the common voxels over the sum of both.

    Args:
        manual: `(z, y, x)` booleans (any number of axes).
        automatic: booleans of the same shape.

    Returns:
        NaN where both masks are empty (undefined, not perfect), 0 where only one is.

    Raises:
        InvalidLabelValues: if an array is not of booleans.
        GeometryMismatch: if the shapes differ.

    Source:
        Dice LR. Measures of the amount of ecologic association between species. Ecology 1945;26:297-302.

    Examples:
        >>> dice(np.array([True, True, False]), np.array([True, False, False]))
        0.6666666666666666
    """
    check_masks(manual, automatic)
    total = int(np.count_nonzero(manual)) + int(np.count_nonzero(automatic))
    return 2 * int(np.count_nonzero(manual & automatic)) / total if total else float("nan")
