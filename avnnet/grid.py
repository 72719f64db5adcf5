"""Where the voxels of an array lie in the patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avnnet.errors import InvalidGeometry, NonOrthogonalDirection

MM3_PER_CM3 = 1000.0
ORTHOGONAL_TOLERANCE = 1e-3  # NIfTI stores directions as float32 and some writers round to four digits


@dataclass(frozen=True)
class Grid:
    """A regular grid in the patient: index `(z, y, x)` to world LPS mm `(x, y, z)`.

    Entry `i` of `shape` and `spacing` and column `i` of `direction` belong to array axis `i`.

    Args:
        shape: voxels per array axis, `(z, y, x)`.
        spacing: distance of voxel centres in mm per array axis, `(z, y, x)`.
        origin: world position of the centre of voxel `(0, 0, 0)`, LPS mm `(x, y, z)`.
        direction: `(3, 3)` rows; column `i` is the world unit vector along array axis `i`.

    Raises:
        InvalidGeometry: if a size or spacing is not positive, or a number is not finite.
        NonOrthogonalDirection: if the direction is not a rotation or reflection (a sheared grid).

    Examples:
        >>> grid = Grid((4, 5, 6), (3.0, 0.5, 0.4), origin=(10.0, 0.0, 0.0))
        >>> grid.to_lps((1, 0, 2)).tolist()
        [10.8, 0.0, 3.0]
        >>> round(grid.voxel_mm3, 6)
        0.6
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))

    def __post_init__(self) -> None:
        matrix = np.asarray(self.direction, float)
        if len(self.shape) != 3 or len(self.spacing) != 3 or len(self.origin) != 3 or matrix.shape != (3, 3):
            raise InvalidGeometry(
                f"a grid has three axes; found shape {self.shape}, spacing {self.spacing}, origin {self.origin}"
            )
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))
        object.__setattr__(self, "spacing", tuple(float(s) for s in self.spacing))
        object.__setattr__(self, "origin", tuple(float(o) for o in self.origin))
        object.__setattr__(self, "direction", tuple(tuple(float(v) for v in row) for row in matrix))
        if min(self.shape) < 1 or not all(0 < s < np.inf for s in self.spacing):
            raise InvalidGeometry(
                f"sizes and spacings must be positive; found shape {self.shape}, spacing {self.spacing} mm"
            )
        if not np.isfinite(matrix).all() or not np.isfinite(self.origin).all():
            raise InvalidGeometry(f"origin and direction must be finite; found {self.origin} and {matrix.tolist()}")
        with np.errstate(over="ignore", invalid="ignore"):  # of numbers that no direction has
            error = float(np.abs(matrix.T @ matrix - np.eye(3)).max())
        if not error <= ORTHOGONAL_TOLERANCE:
            raise NonOrthogonalDirection(
                f"the direction must have orthogonal unit columns, it is off by {error:.2g}; "
                "resample the sheared image onto an orthogonal grid first"
            )

    @property
    def voxel_mm3(self) -> float:
        """The volume of one voxel in mm³."""
        return float(np.prod(self.spacing))

    @property
    def affine(self) -> np.ndarray:
        """The `(4, 4)` matrix from index `(z, y, x, 1)` to world LPS mm `(x, y, z, 1)`.

        Examples:
            >>> Grid((4, 5, 6), (3.0, 0.5, 0.4), origin=(10.0, 0.0, 0.0)).affine.tolist()
            [[0.0, 0.0, 0.4, 10.0], [0.0, 0.5, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
        """
        matrix = np.eye(4)
        matrix[:3, :3] = np.asarray(self.direction) * np.asarray(self.spacing)
        matrix[:3, 3] = self.origin
        return matrix

    def to_lps(self, index: Sequence[float] | np.ndarray) -> np.ndarray:
        """World LPS mm `(..., 3)` as `(x, y, z)` of indices `(..., 3)` as `(z, y, x)`."""
        affine = self.affine
        return np.asarray(index, float) @ affine[:3, :3].T + affine[:3, 3]

    def to_index(self, point_mm: Sequence[float] | np.ndarray) -> np.ndarray:
        """Fractional index `(..., 3)` as `(z, y, x)` of world points `(..., 3)` as LPS mm `(x, y, z)`.

        Examples:
            >>> Grid((4, 5, 6), (3.0, 0.5, 0.4), origin=(10.0, 0.0, 0.0)).to_index((10.8, 1.0, 3.0)).round(6).tolist()
            [1.0, 2.0, 2.0]
        """
        affine = self.affine
        return (np.asarray(point_mm, float) - affine[:3, 3]) @ np.linalg.inv(affine[:3, :3]).T

    def contains(self, point_mm: Sequence[float] | np.ndarray) -> bool:
        """Whether a world point (LPS mm) lies inside the voxels of this grid.

        Examples:
            >>> grid = Grid((4, 5, 6))
            >>> grid.contains((5.4, 0, 0)), grid.contains((5.6, 0, 0))
            (True, False)
        """
        index = self.to_index(point_mm)
        return bool(np.all(index >= -0.5) and np.all(index <= np.asarray(self.shape) - 0.5))

    def is_close(self, other: Grid, *, tolerance_mm: float = 1e-3) -> bool:
        """Whether another grid has the same voxels in the same places.

        Args:
            other: the other grid.
            tolerance_mm: how far apart the centres of the same voxel may lie.

        Examples:
            >>> here, beside = Grid((4, 5, 6)), Grid((4, 5, 6), origin=(0.5, 0.0, 0.0))
            >>> here.is_close(beside), here.is_close(beside, tolerance_mm=0.5)
            (False, True)
        """
        if self.shape != other.shape:
            return False
        corners = np.array(np.meshgrid(*[(0, n - 1) for n in self.shape])).reshape(3, -1).T
        return float(np.abs(self.to_lps(corners) - other.to_lps(corners)).max()) <= tolerance_mm

    def summary(self) -> str:
        """Shape, spacing and origin in one line, for messages.

        Examples:
            >>> Grid((4, 5, 6), (3.0, 0.5, 0.4)).summary()
            '4 x 5 x 6 voxels of 3 x 0.5 x 0.4 mm (z, y, x) at (0, 0, 0) mm LPS'
        """
        spacing = " x ".join(f"{s:.4g}" for s in self.spacing)
        origin = ", ".join(f"{o:.4g}" for o in self.origin)
        return f"{' x '.join(map(str, self.shape))} voxels of {spacing} mm (z, y, x) at ({origin}) mm LPS"
