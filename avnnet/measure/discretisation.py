"""How wrong a volume of voxels can be from sampling alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

OFFSETS = 20


def discretisation_percent(volume_mm3: float, spacing_mm: Sequence[float]) -> float:
    """The largest error in percent of a ball's voxel count, over 20 random offsets of the grid.

    The ball has the volume in question: a body of the same volume with a longer surface is worse. Voxels count when
    their centre is inside.

    Args:
        volume_mm3: of the structure; above 0.
        spacing_mm: of the voxels.

    Examples:
        >>> bool(15 < discretisation_percent(4 / 3 * np.pi * 4**3, (4.0, 0.4, 0.4)) < 35)
        True
    """
    along, *across = sorted(spacing_mm)
    radius_mm = (3 * volume_mm3 / (4 * np.pi)) ** (1 / 3)
    offsets = np.random.default_rng(0).random((OFFSETS, 3))
    counts = []
    for shift in offsets:
        sides = [
            (np.arange(-np.ceil(radius_mm / step) - 1, np.ceil(radius_mm / step) + 2) + part) * step
            for step, part in zip(across, shift[:2], strict=True)
        ]
        left = radius_mm**2 - sides[0][:, None] ** 2 - sides[1] ** 2
        half = np.sqrt(left[left > 0]) / along
        counts.append((np.floor(half - shift[2]) - np.ceil(-half - shift[2]) + 1).sum())
    volumes = np.asarray(counts) * float(np.prod(spacing_mm))
    return float(100 * np.abs(volumes / volume_mm3 - 1).max())
