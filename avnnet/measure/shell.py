"""A head's surface and the border of its lesion, looked up along rays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from avnnet.grid import Grid
from avnnet.measure.mesh import HALF, Mesh, level_mesh, smoothed, smoothing_mm

RAY_STEP_MM = 0.3
FAR_MM = 1e3
BELOW, FURTHER = 1.3, 0.8
"""Among the best of 220 rules tried on 136 digital hips of four seeds, which differ little (docs/measuring.md)."""


@dataclass(frozen=True, eq=False)
class Shell:
    """The smoothed head, and which bone is nearest, at any point.

    Args:
        grid: where they lie.
        head: `(z, y, x)` float32; 0.5 is the surface.
        toward_necrosis_mm: `(z, y, x)` float32; distance to vital bone less that to necrosis.

    Examples:
        >>> head = np.zeros((9, 9, 9), bool)
        >>> head[2:7, 2:7, 2:7] = True
        >>> vital = head & (np.indices(head.shape)[2] < 4)
        >>> shell = Shell.of(head, vital, Grid((9, 9, 9)))
        >>> shell.toward_necrosis_mm[4, 4, 2:7].tolist()
        [-2.0, -1.0, 1.0, 2.0, 3.0]
        >>> shell.is_head(np.array([[4.0, 4.0, 4.0], [0.0, 0.0, 0.0]])).tolist()
        [True, False]
        >>> shell.is_necrotic(np.array([[6.0, 4.0, 4.0], [2.0, 4.0, 4.0]])).tolist()
        [True, False]
        >>> middle, right_and_left = np.array([4.0, 4.0, 4.0]), np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]])
        >>> shell.surface_mm(middle, right_and_left, 8.0).round(1).tolist()
        [2.5, 2.5]
        >>> shell.holds_necrosis(middle, right_and_left, 8.0).tolist()
        [True, False]
        >>> border = shell.interface  # between the voxels of x = 3 and x = 4
        >>> round(float(np.median(border.vertices_mm[:, 0])), 1)
        3.5
    """

    grid: Grid
    head: np.ndarray
    toward_necrosis_mm: np.ndarray

    @classmethod
    def of(cls, head: np.ndarray, vital: np.ndarray, grid: Grid) -> Shell:
        """The shell of a head `(z, y, x)` and the vital bone in it; what else is in the head is necrosis."""
        vital = head & vital

        def away_mm(mask: np.ndarray) -> np.ndarray:
            if not mask.any():
                return np.full(mask.shape, FAR_MM, np.float32)
            return ndimage.distance_transform_edt(~mask, sampling=grid.spacing).astype(np.float32)

        return cls(grid, smoothed(head, grid), away_mm(vital) - away_mm(head & ~vital))

    def _at(self, field: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
        index = np.moveaxis(self.grid.to_index(points_mm), -1, 0)
        values: np.ndarray = ndimage.map_coordinates(field, index, order=1, mode="nearest")
        return values

    def is_head(self, points_mm: np.ndarray) -> np.ndarray:
        """`(...)` whether points `(..., 3)` lie in the head."""
        values = self._at(self.head, points_mm)
        return values >= HALF

    def is_necrotic(self, points_mm: np.ndarray, outward: np.ndarray | None = None) -> np.ndarray:
        """`(...)` whether necrosis is nearer than vital bone at points `(..., 3)` of the head.

        For a point of the surface the difference of the distances is extrapolated along `outward`, from 1.3 and 0.3 of
        `smoothing_mm` below the surface to 0.5 above it: voxels whose centre lies inside stop short of the surface, so
        that under a slanting border the bone below would seem to be that at the surface.

        Args:
            points_mm: where.
            outward: `(..., 3)` unit vectors out of the head, for points of its surface.
        """
        if outward is None:
            values = self._at(self.toward_necrosis_mm, points_mm)
            return values > 0
        step = smoothing_mm(self.grid) * outward
        below, above = (self._at(self.toward_necrosis_mm, points_mm + place * step) for place in (-BELOW, 1 - BELOW))
        extrapolated = above + FURTHER * (above - below)
        return extrapolated > 0

    @cached_property
    def interface(self) -> Mesh | None:
        """The border of necrosis and vital bone within the head, smoothed by `smoothing_mm`; None where it has none.

        The difference of the distances is smoothed, not the lesion: it runs on outside of the head, so that the sharp
        edge of a lesion at the surface stays.
        """
        sigma = smoothing_mm(self.grid) / np.asarray(self.grid.spacing)
        field = ndimage.gaussian_filter(self.toward_necrosis_mm, sigma, truncate=3.0)
        if not field.min() < 0 < field.max():
            return None
        mesh = level_mesh(field, 0.0, self.grid)
        inside = self.is_head(mesh.centres_mm)
        return Mesh(mesh.vertices_mm, mesh.faces[inside]) if inside.any() else None

    def surface_mm(self, origin_mm: np.ndarray, directions: np.ndarray, reach_mm: float) -> np.ndarray:
        """`(n,)` distance of the outermost surface along rays; NaN where a ray meets none.

        Args:
            origin_mm: `(3,)` where the rays start.
            directions: `(n, 3)` unit vectors.
            reach_mm: how far they are followed.
        """
        steps = np.arange(0.0, reach_mm + RAY_STEP_MM, RAY_STEP_MM)
        values = self._at(self.head, origin_mm + steps[:, None, None] * directions)
        inside = values >= HALF
        last = len(steps) - 1 - np.argmax(inside[::-1], axis=0)
        rays = np.arange(len(directions))
        following = np.minimum(last + 1, len(steps) - 1)
        here, there = values[last, rays], values[following, rays]
        part = np.clip((here - HALF) / np.maximum(here - there, 1e-6), 0, 1)
        found: np.ndarray = np.where(inside.any(axis=0), steps[last] + part * RAY_STEP_MM, np.nan)
        return found

    def holds_necrosis(self, origin_mm: np.ndarray, directions: np.ndarray, reach_mm: float) -> np.ndarray:
        """`(n,)` whether there is necrosis anywhere along rays."""
        steps = np.arange(2 * RAY_STEP_MM, reach_mm + RAY_STEP_MM, RAY_STEP_MM)
        points = origin_mm + steps[:, None, None] * directions
        met: np.ndarray = np.any(self.is_head(points) & self.is_necrotic(points), axis=0)
        return met
