"""Surfaces of masks as triangles in mm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.optimize import brentq

from avnnet.grid import Grid

SMOOTHING_LIMIT_MM = 2.0
HALF = 0.5


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles that enclose a body.

    Args:
        vertices_mm: `(n, 3)` world points `(x, y, z)`.
        faces: `(m, 3)` indices of vertices, anticlockwise seen from outside.

    Examples:
        >>> corner = Mesh(np.array([[0.0, 0, 0], [3, 0, 0], [0, 3, 0]]), np.array([[0, 1, 2]]))
        >>> corner.area_mm2, corner.areas_mm2.tolist()
        (4.5, [4.5])
        >>> corner.normals.tolist(), corner.centres_mm.tolist()
        ([[0.0, 0.0, 1.0]], [[1.0, 1.0, 0.0]])
    """

    vertices_mm: np.ndarray
    faces: np.ndarray

    @cached_property
    def _doubled_normals(self) -> np.ndarray:
        a, b, c = (self.vertices_mm[self.faces[:, corner]] for corner in range(3))
        return np.cross(b - a, c - a)

    @cached_property
    def areas_mm2(self) -> np.ndarray:
        """`(m,)` area of every triangle."""
        return np.linalg.norm(self._doubled_normals, axis=1) / 2

    @cached_property
    def normals(self) -> np.ndarray:
        """`(m, 3)` unit vectors that point out of the body."""
        return self._doubled_normals / np.maximum(2 * self.areas_mm2, 1e-12)[:, None]

    @cached_property
    def centres_mm(self) -> np.ndarray:
        """`(m, 3)` middle of every triangle."""
        return self.vertices_mm[self.faces].mean(axis=1)

    @property
    def area_mm2(self) -> float:
        """Area of the whole surface.

        Examples:
            >>> corner = Mesh(np.array([[0.0, 0, 0], [3, 0, 0], [0, 3, 0]]), np.array([[0, 1, 2]]))
            >>> corner.area_mm2
            4.5
        """
        return float(self.areas_mm2.sum())

    @property
    def volume_mm3(self) -> float:
        """Volume inside, by the divergence theorem.

        Examples:
            >>> corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
            >>> faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
            >>> round(6 * Mesh(corners, faces).volume_mm3, 6)
            1.0
        """
        return float(np.einsum("ij,ij->", self.centres_mm, self._doubled_normals) / 6)


def smoothing_mm(grid: Grid) -> float:
    """The standard deviation of the Gaussian that a mask is smoothed with: the largest voxel spacing, at most 2 mm.

    Steps of voxels are about one spacing high; a Gaussian of that width makes a plane of them flat, and moves the
    surface of a ball of radius R inwards by only s^2 / R.

    Examples:
        >>> smoothing_mm(Grid((8, 8, 8), (1.0, 0.5, 0.5))), smoothing_mm(Grid((8, 8, 8), (4.0, 0.5, 0.5)))
        (1.0, 2.0)
    """
    return min(max(grid.spacing), SMOOTHING_LIMIT_MM)


def smoothed(mask: np.ndarray, grid: Grid) -> np.ndarray:
    """`(z, y, x)` float32: a mask after the Gaussian of `smoothing_mm`, whose 0.5 level is the surface.

    Args:
        mask: `(z, y, x)` booleans.
        grid: where they lie.

    Examples:
        >>> half = np.zeros((9, 9, 40), bool)
        >>> half[..., 20:] = True
        >>> bool(smoothed(half, Grid(half.shape))[4, 4, 19:21].mean().round(3) == 0.5)
        True
    """
    sigma = smoothing_mm(grid) / np.asarray(grid.spacing)
    result: np.ndarray = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant", truncate=3.0)
    return result


def surface_mesh(mask: np.ndarray, grid: Grid, *, keeps_volume: bool = False) -> Mesh:
    """The surface of a mask, smoothed by `smoothing_mm`; of the mask as it is where smoothing would leave nothing.

    Args:
        mask: `(z, y, x)` booleans, with at least one voxel set. A mask that touches the border of the grid is closed
            there.
        grid: where they lie.
        keeps_volume: take the level that encloses as much as the mask does instead of 0.5, which takes a fifth off a
            thin lesion, but lies closest to the true surface of a head.

    Source:
        Lewiner T et al. J Graph Tools 2003;8:1-15 (marching cubes with consistent topology), as in scikit-image.

    Examples:
        >>> mesh = surface_mesh(np.ones((8, 8, 8), bool), Grid((8, 8, 8)))
        >>> bool(0.7 < mesh.volume_mm3 / 512 < 1)
        True
    """
    margin = int(np.ceil(3 * smoothing_mm(grid) / min(grid.spacing))) + 1
    padded = np.pad(mask, margin)
    field, aimed_mm3 = smoothed(padded, grid), float(mask.sum()) * grid.voxel_mm3

    def excess_mm3(level: float) -> float:
        return level_mesh(field, level, grid, margin).volume_mm3 - aimed_mm3

    level = HALF
    if keeps_volume:
        low, high = 0.02 * float(field.max()), 0.98 * float(field.max())
        level = float(brentq(excess_mm3, low, high, xtol=1e-3)) if excess_mm3(low) * excess_mm3(high) < 0 else level
    if field.max() <= level:
        field = padded.astype(np.float32)
    return level_mesh(field, level, grid, margin)


def level_mesh(field: np.ndarray, level: float, grid: Grid, margin: int = 0) -> Mesh:
    """The surface where a field `(z, y, x)` crosses a level.

    Args:
        field: with values on both sides of the level.
        level: of the surface.
        grid: where the field lies, without its margin.
        margin: how many voxels were put around it.

    Source:
        Lewiner T et al. J Graph Tools 2003;8:1-15.

    Examples:
        >>> z = np.indices((5, 5, 5))[0].astype(float)
        >>> mesh = level_mesh(z, 2.5, Grid((5, 5, 5)))
        >>> mesh.area_mm2, bool((mesh.vertices_mm[:, 2] == 2.5).all())
        (16.0, True)
    """
    from skimage.measure import marching_cubes

    corners, faces, _, _ = marching_cubes(field, level)
    mesh = Mesh(grid.to_lps(corners.astype(float) - margin), faces)
    if mesh.volume_mm3 < 0:  # the grid's axes are left-handed, or the triangles run the other way round
        mesh = Mesh(mesh.vertices_mm, faces[:, ::-1])
    return mesh
