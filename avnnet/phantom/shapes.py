"""Signed distances, smooth noise and sampling: the alphabet that digital hips are written in.

A signed distance is negative inside, in mm. Points are three arrays `(x, y, z)` of one shape: mm from the
centre of the femoral head in the right-hip frame, x medial, y posterior, z superior (LPS of a right hip).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avnnet.grid import Grid

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
Vector = tuple[float, float, float]
Box = tuple[slice, slice, slice]

LATTICE_MM = 1.8  # linear interpolation of a sphere's distance (radius 24 mm) is then off by less than 0.05 mm


def unit(vector: Sequence[float] | np.ndarray) -> Vector:
    """The vector `(x, y, z)` scaled to length 1.

    Examples:
        >>> [round(part, 6) for part in unit((0.0, 3.0, 4.0))]
        [0.0, 0.6, 0.8]
    """
    array = np.asarray(vector, float)
    x, y, z = (array / np.linalg.norm(array)).tolist()
    return x, y, z


def along_mm(points: Points, axis: Vector) -> np.ndarray:
    """The coordinate of points along a unit axis, mm.

    Examples:
        >>> along_mm((np.array([1.0]), np.array([2.0]), np.array([3.0])), (0.0, 0.0, 1.0)).tolist()
        [3.0]
    """
    return _dot(points, axis)


def length_mm(points: Points) -> np.ndarray:
    """The distance of points from the head centre, mm.

    Examples:
        >>> length_mm((np.array([2.0]), np.array([3.0]), np.array([6.0]))).tolist()
        [7.0]
    """
    return _length(points)


def _dot(points: Points, vector: Vector) -> np.ndarray:
    x, y, z = points
    return x * np.float32(vector[0]) + y * np.float32(vector[1]) + z * np.float32(vector[2])


def _length(points: Points) -> np.ndarray:
    x, y, z = points
    length: np.ndarray = np.sqrt(x * x + y * y + z * z)
    return length


def ellipsoid_mm(points: Points, centre_mm: Vector, radii_mm: Vector) -> np.ndarray:
    """The approximate signed distance to an ellipsoid: exact in sign, and in mm near the surface.

    Source: the value over its gradient, Quilez, https://iquilezles.org/articles/ellipsoids.
    """
    x, y, z = ((p - np.float32(c)) / np.float32(r) for p, c, r in zip(points, centre_mm, radii_mm, strict=True))
    a, b, c = (np.float32(1 / r) for r in radii_mm)
    level = _length((x, y, z))
    distance: np.ndarray = level * (level - 1) / np.maximum(_length((x * a, y * b, z * c)), np.float32(1e-6))
    return distance


def capsule_mm(points: Points, start_mm: Vector, end_mm: Vector, radius_mm: float) -> np.ndarray:
    """The signed distance to a tube with round ends.

    Examples:
        >>> beside_and_above = np.zeros(2), np.array([5.0, 0.0]), np.array([4.0, 13.0])
        >>> capsule_mm(beside_and_above, (0.0, 0.0, 0.0), (0.0, 0.0, 10.0), 2.0).tolist()
        [3.0, 1.0]
    """
    x, y, z = (p - np.float32(s) for p, s in zip(points, start_mm, strict=True))
    ex, ey, ez = (np.float32(e - s) for s, e in zip(start_mm, end_mm, strict=True))
    share = np.clip((x * ex + y * ey + z * ez) / (ex * ex + ey * ey + ez * ez), 0, 1)
    return length_mm((x - share * ex, y - share * ey, z - share * ez)) - np.float32(radius_mm)


def smooth_union_mm(first: np.ndarray, second: np.ndarray, fillet_mm: float) -> np.ndarray:
    """The signed distance to both shapes together, with a fillet where they meet, a quarter of it deep.

    Source: the quadratic polynomial smooth minimum, Quilez, https://iquilezles.org/articles/smin.
    """
    near = np.maximum(np.float32(fillet_mm) - np.abs(first - second), 0)
    union: np.ndarray = np.minimum(first, second) - near * near * np.float32(0.25 / fillet_mm)
    return union


def ramp(values: np.ndarray) -> np.ndarray:
    """A smooth step: 0 below 0, 1 above 1.

    Examples:
        >>> ramp(np.array([-1.0, 0.5, 2.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    t = np.clip(values, 0, 1)
    step: np.ndarray = t * t * (3 - 2 * t)
    return step


def fraction_inside(distance_mm: np.ndarray, width_mm: float) -> np.ndarray:
    """The share (0 to 1) of voxels about `width_mm` wide inside a shape: the partial volume effect.

    Examples:
        >>> fraction_inside(np.array([-2.0, 0.0, 0.25, 2.0]), 1.0).tolist()
        [1.0, 0.5, 0.25, 0.0]
    """
    share = distance_mm * np.asarray(-1 / width_mm, distance_mm.dtype)
    share += np.asarray(0.5, distance_mm.dtype)
    inside: np.ndarray = np.clip(share, 0, 1, out=share)
    return inside


@dataclass(frozen=True, eq=False)
class Waves:
    """Smooth noise as a sum of plane waves: standard deviation about 1, defined everywhere in space.

    Args:
        vectors: `(n, 3)` wave vectors, radians per mm.
        phases: `(n,)` radians.
    """

    vectors: np.ndarray
    phases: np.ndarray

    @classmethod
    def draw(cls, generator: np.random.Generator, *, wavelengths_mm: tuple[float, float], count: int = 8) -> Waves:
        """Waves of random direction and phase, wavelengths drawn log-uniformly from the range in mm.

        Examples:
            >>> waves = Waves.draw(np.random.default_rng(1), wavelengths_mm=(10.0, 20.0), count=50)
            >>> wavelengths_mm = 2 * np.pi / np.linalg.norm(waves.vectors, axis=1)
            >>> bool((wavelengths_mm >= 10).all() and (wavelengths_mm <= 20).all())
            True
        """
        directions = generator.normal(size=(count, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lengths = np.exp(generator.uniform(np.log(wavelengths_mm[0]), np.log(wavelengths_mm[1]), size=(count, 1)))
        return cls(directions * 2 * np.pi / lengths, generator.uniform(0, 2 * np.pi, count))

    def __call__(self, points: Points) -> np.ndarray:
        """The noise at points, in the shape of their arrays."""
        total = np.zeros(np.shape(points[0]), np.float32)
        for vector, phase in zip(self.vectors, self.phases, strict=True):
            total += np.cos(_dot(points, (vector[0], vector[1], vector[2])) + np.float32(phase))
        return total * np.float32(np.sqrt(2 / len(self.phases)))


def points_of(grid: Grid, centre_mm: Vector, box: Sequence[slice | range] | None = None) -> Points:
    """The voxel centres of a grid, or of a box of it, as `(x, y, z)` arrays in mm from the head centre.

    Args:
        grid: of the image.
        centre_mm: the head centre, LPS mm.
        box: per axis a slice of the voxels, or a range of indices, which may lie outside the image.

    Examples:
        >>> x, y, z = points_of(Grid((1, 1, 3), (1.0, 1.0, 2.0)), (2.0, 0.0, 0.0))
        >>> x.ravel().tolist()
        [-2.0, 0.0, 2.0]
    """
    ranges = [
        np.arange(n)[part] if isinstance(part, slice) else np.asarray(part)
        for n, part in zip(grid.shape, box or (slice(None),) * 3, strict=True)
    ]
    return _points(grid, centre_mm, [r.astype(float) for r in ranges])


def _points(grid: Grid, centre_mm: Vector, indices: Sequence[np.ndarray]) -> Points:
    affine = grid.affine
    k, j, i = np.ix_(*indices)
    x, y, z = (
        (affine[a, 0] * k + (affine[a, 3] - centre_mm[a]) + affine[a, 1] * j).astype(np.float32)
        + (affine[a, 2] * i).astype(np.float32)
        for a in range(3)
    )
    return x, y, z


class Lattice:
    """A coarser grid over the same space, on which smooth fields are computed and then interpolated.

    Args:
        grid: the grid of the image.
        centre_mm: the head centre, LPS mm.
        step_mm: the distance of lattice points, at most, as far as the voxels allow.
    """

    def __init__(self, grid: Grid, centre_mm: Vector, *, step_mm: float = LATTICE_MM) -> None:
        self.shape = grid.shape
        self.steps = [max(1, int(step_mm / spacing)) for spacing in grid.spacing]
        knots = [np.arange(0, n - 1 + step, step).astype(float) for n, step in zip(grid.shape, self.steps, strict=True)]
        self.points = _points(grid, centre_mm, knots)
        self._weights = [_hats(n, step) for n, step in zip(grid.shape, self.steps, strict=True)]

    def expand(self, values: np.ndarray, box: Box = (slice(None),) * 3) -> np.ndarray:
        """`(z, y, x)` values on the voxels of a box of the image, interpolated linearly from those on the lattice.

        Examples:
            >>> lattice = Lattice(Grid((9, 9, 9)), (4.0, 4.0, 4.0), step_mm=2.0)
            >>> x, y, z = lattice.points
            >>> lattice.expand(x + 0 * y + 0 * z)[0, 0].tolist()  # a linear field comes back exactly
            [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0]
        """
        values = np.asarray(values, np.float32)
        slow, middle, fast = (
            (weights[part], _knots(part, n, step))
            for weights, part, n, step in zip(self._weights, box, self.shape, self.steps, strict=True)
        )
        values = values[slow[1], middle[1], fast[1]]
        values = np.tensordot(slow[0][:, slow[1]], values, (1, 0))
        values = np.matmul(middle[0][:, middle[1]], values)
        return np.matmul(values, fast[0][:, fast[1]].T)

    def box_of(self, near: np.ndarray) -> Box | None:
        """The smallest box of voxels that holds all lattice cells with a corner where `near` is true, or None.

        Examples:
            >>> lattice = Lattice(Grid((9, 9, 9)), (4.0, 4.0, 4.0), step_mm=2.0)
            >>> lattice.box_of(length_mm(lattice.points) < 1), lattice.box_of(length_mm(lattice.points) > 99)
            ((slice(2, 7, None), slice(2, 7, None), slice(2, 7, None)), None)
        """
        slices = []
        for axis, (n, step) in enumerate(zip(self.shape, self.steps, strict=True)):
            found = np.flatnonzero(near.any(axis=tuple(other for other in range(3) if other != axis)))
            if not len(found):
                return None
            slices.append(slice(max((int(found[0]) - 1) * step, 0), min((int(found[-1]) + 1) * step + 1, n)))
        return slices[0], slices[1], slices[2]


def _knots(part: slice, count: int, step: int) -> slice:
    """The knots between which a range of voxels lies."""
    first, last, _ = part.indices(count)
    return slice(first // step, (max(last - 1, first) + step - 1) // step + 1)


def _hats(count: int, step: int) -> np.ndarray:
    """`(count, knots)` weights of linear interpolation."""
    knots = np.arange(0, count - 1 + step, step)
    weights = 1 - np.abs(np.arange(count)[:, None] - knots[None]) / step
    hats: np.ndarray = np.maximum(weights, 0).astype(np.float32)
    return hats
