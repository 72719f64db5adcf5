"""From the axes of a file, `(x, y, z)` with the first the fastest, to those of an array, `(z, y, x)`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from avnnet.data.limits import check_position, check_spacing
from avnnet.grid import Grid

ROUNDING = 1e-4  # of direction cosines: what writers round away; 0.006 degrees


def grid_of_steps(sizes: Sequence[int], steps_mm: np.ndarray, origin_mm: Sequence[float], name: str) -> Grid:
    """The grid of a file that says how far one voxel leads along each of its axes.

    Args:
        sizes: voxels per axis of the file.
        steps_mm: `(3, 3)`; column `i` is the step along the file's axis `i`, LPS mm.
        origin_mm: of the first voxel, LPS mm.
        name: the file, for messages.

    Raises:
        InvalidGeometry, NonOrthogonalDirection: if the steps cannot be those of a scan.
    """
    spacing_mm = [math.hypot(*step) for step in steps_mm.T]
    check_spacing(spacing_mm, sizes, name)
    return grid_of_directions(sizes, spacing_mm, steps_mm / spacing_mm, origin_mm, name)


def grid_of_directions(
    sizes: Sequence[int],
    spacing_mm: Sequence[float],
    directions: np.ndarray,
    origin_mm: Sequence[float],
    name: str,
) -> Grid:
    """The grid of a file that gives the directions of its axes apart from their spacing.

    Args:
        sizes: voxels per axis of the file.
        spacing_mm: per axis of the file.
        directions: `(3, 3)`; column `i` is the unit vector along the file's axis `i`, LPS.
        origin_mm: of the first voxel, LPS mm.
        name: the file, for messages.

    Raises:
        InvalidGeometry, NonOrthogonalDirection: if they cannot be those of a scan.

    Examples:
        >>> grid_of_directions((96, 112, 28), (0.7, 0.6, 3.3), np.eye(3), (0.0, 0.0, 0.0), "hip.mha").summary()
        '28 x 112 x 96 voxels of 3.3 x 0.6 x 0.7 mm (z, y, x) at (0, 0, 0) mm LPS'
    """
    check_spacing(spacing_mm, sizes, name)
    check_position(origin_mm, name)
    (nx, ny, nz), (dx, dy, dz), (x, y, z) = sizes, spacing_mm, origin_mm
    return Grid((nz, ny, nx), (dz, dy, dx), (x, y, z), tuple(map(tuple, directions[:, ::-1].tolist())))


def upright(grid: Grid) -> Grid:
    """The grid with its axes at right angles, where a slight shear is more than rounding; else itself.

    Source: the rotation nearest to a matrix is U V^T of its singular value decomposition U S V^T; Higham 1989.
    """
    direction = np.asarray(grid.direction)
    if np.abs(direction.T @ direction - np.eye(3)).max() <= ROUNDING:
        return grid
    left, _, right = np.linalg.svd(direction)
    return replace(grid, direction=tuple(map(tuple, (left @ right).tolist())))
