"""What sizes of voxels and of structures a training held, so that an image beyond them can be told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avnnet.grid import Grid

MIN_IMAGES = 4
TOLERANCE = 1.25
"""An image may be this many times larger or smaller than those of the training: so much differs by chance."""


class Scope:
    """The smallest and the largest of a training.

    Args:
        spacing_mm: two triples, voxel spacings in rising order: the smallest of each, and the largest of each.
        whole_cm3: the smallest and the largest whole structure.

    Examples:
        >>> scope = scope_of([Grid((80, 160, 160), (1.0, 0.44, 0.44))] * 4, [38.0, 41.5, 52.0, 60.3])
        >>> scope.is_left_by(Grid((80, 160, 160), (1.0, 0.5, 0.5)), 45.0)
        False
        >>> scope.is_left_by(Grid((30, 160, 160), (4.0, 0.44, 0.44)), 45.0)
        True
        >>> scope.is_left_by(Grid((80, 160, 160), (1.0, 0.44, 0.44)), 12.0)
        True
    """

    def __init__(self, spacing_mm: Sequence[Sequence[float]], whole_cm3: Sequence[float]) -> None:
        self.spacing_mm = [[float(value) for value in triple] for triple in spacing_mm]
        self.whole_cm3 = [float(value) for value in whole_cm3]

    def is_left_by(self, grid: Grid, whole_cm3: float) -> bool:
        """Whether an image's voxels, or the structure found in it, are by a quarter beyond those of the training.

        Args:
            grid: of the image.
            whole_cm3: volume of the whole structure; 0 says nothing.
        """
        found = [*sorted(grid.spacing), *([whole_cm3] if whole_cm3 else [])]
        smallest, largest = ([*spacing, whole] for spacing, whole in zip(self.spacing_mm, self.whole_cm3, strict=True))
        return any(
            value < low / TOLERANCE or value > high * TOLERANCE
            for value, low, high in zip(found, smallest, largest, strict=False)
        )


def scope_of(grids: Sequence[Grid], wholes_cm3: Sequence[float]) -> Scope | None:
    """The scope of a training; None of fewer than four images, which say little about what is usual.

    Args:
        grids: of the training's images.
        wholes_cm3: volume of the whole structure in each.

    Examples:
        >>> scope_of([Grid((80, 160, 160))] * 3, [38.0, 41.5, 52.0]) is None  # too few
        True
        >>> scope_of([Grid((80, 160, 160))] * 4, [38.0, 41.5, 52.0, 60.3]).whole_cm3
        [38.0, 60.3]
    """
    if len(grids) < MIN_IMAGES:
        return None
    spacings = np.sort([grid.spacing for grid in grids], axis=1)
    ends = [spacings.min(axis=0), spacings.max(axis=0)]
    return Scope([np.round(end, 4).tolist() for end in ends], [round(min(wholes_cm3), 2), round(max(wholes_cm3), 2)])
