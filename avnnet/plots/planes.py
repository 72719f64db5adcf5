"""Planes of the patient through a point, cut out of images of any orientation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from avnnet.image import Image

HALF_MM = 68.0  # from the point to the edge of a picture: a whole hip
STEP_MM = 0.5
Direction = Sequence[float] | np.ndarray


def resliced(
    image: Image,
    centre_mm: Sequence[float],
    down: Direction,
    right: Direction,
    *,
    order: int,
    channel: int = 0,
    half_mm: float = HALF_MM,
) -> np.ndarray:
    """`(rows, columns)` of an image in any plane through a point, 0 outside of it.

    Args:
        image: of any orientation.
        centre_mm: the point in the middle, LPS mm.
        down, right: world unit vectors of the picture's two axes.
        order: of the interpolation; 1 for intensities, 0 for labels.
        channel: of the image.
        half_mm: from the point to the edges of the picture.
    """
    steps = np.arange(-half_mm, half_mm + STEP_MM / 2, STEP_MM)
    points = (
        np.asarray(centre_mm)
        + steps[:, None, None] * np.asarray(down, float)
        + steps[None, :, None] * np.asarray(right, float)
    )
    index = np.moveaxis(image.grid.to_index(points), -1, 0)
    cut: np.ndarray = ndimage.map_coordinates(image.channels[channel].astype(np.float32), index, order=order, cval=0)
    return cut
