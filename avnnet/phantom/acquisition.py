"""How a digital hip is scanned: plane, voxels, field of view, and where the patient lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avnnet.choice import Plane, Size
from avnnet.errors import InvalidConfig
from avnnet.grid import Grid
from avnnet.phantom.anatomy import HEAD_RADIUS_MM
from avnnet.phantom.shapes import Vector

MARGIN_MM = 4.0  # between the head and the edge of the image
BOTH_MM = 340.0  # field of view across the body that holds two hips
TABLE_MM = 40.0  # the body's middle lies up to this far from the scanner's


# World directions (LPS) of the array axes (slice, row, column), as scanners store them.
AXES: dict[Plane, tuple[Vector, Vector, Vector]] = {
    Plane.AXIAL: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    Plane.OBLIQUE: ((0, 0, 1), (0, 1, 0), (1, 0, 0)),
    Plane.CORONAL: ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
    Plane.SAGITTAL: ((-1, 0, 0), (0, 0, -1), (0, 1, 0)),
}


@dataclass(frozen=True)
class Acquisition:
    """The field of view of a scan.

    Args:
        shape: voxels, slices first.
        spacing_mm: voxel distances, slices first.
        plane: of the slices.
        both_hips: whether the field holds both hips; it must then be at least 340 mm wide across the body.

    Raises:
        InvalidConfig: if a size is not positive, or the field cannot hold a femoral head, or both.

    Examples:
        >>> Acquisition().extent_mm
        (104.0, 168.96, 168.96)
    """

    shape: tuple[int, int, int] = (104, 384, 384)
    spacing_mm: tuple[float, float, float] = (1.0, 0.44, 0.44)
    plane: Plane = Plane.OBLIQUE
    both_hips: bool = False

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or min(self.spacing_mm) <= 0:
            raise InvalidConfig(f"shape and spacing_mm must be positive; found {self.shape} and {self.spacing_mm} mm")
        object.__setattr__(self, "plane", Plane(self.plane))
        least = head_field_mm()
        if min(self.extent_mm) < least:
            raise InvalidConfig(
                f"a field of view of {' x '.join(f'{e:.4g}' for e in self.extent_mm)} mm (slices first) does not hold "
                f"a femoral head; each extent must be at least {least:.4g} mm: raise shape or spacing_mm"
            )
        across = self.extent_mm[[abs(axis[0]) for axis in AXES[self.plane]].index(1)]
        if self.both_hips and across < BOTH_MM:
            raise InvalidConfig(
                f"a field of view of {across:.4g} mm across the body does not hold both hips; it must be at least "
                f"{BOTH_MM:.4g} mm: raise shape or spacing_mm, or scan one hip"
            )

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """The field of view, slices first."""
        first, second, third = (round(n * s, 6) for n, s in zip(self.shape, self.spacing_mm, strict=True))
        return first, second, third


def usual(
    size: Size = Size.FULL, *, plane: Plane | None = None, both_hips: bool = False, is_2d: bool = False
) -> Acquisition:
    """The field of view that hips are usually scanned with.

    Args:
        size: how finely it is sampled.
        plane: of the slices; oblique by default, axial with both hips, coronal for a series of 2D slices.
        both_hips: whether the field holds both.
        is_2d: whether it is a series of thick slices, such as a coronal PD-weighted one.

    Source: the abstract (3D); Ruckli 2023 (coronal slices).
    """
    half = 2 if size is Size.LAPTOP else 1
    if is_2d:
        shape, spacing_mm, natural = (36, 448, 448), (3.3, 0.4, 0.4), Plane.CORONAL
        if both_hips:
            shape, spacing_mm = (36, 512, 640), (3.3, 0.6, 0.6)
        return Acquisition(
            (shape[0], shape[1] // half, shape[2] // half),
            (spacing_mm[0], spacing_mm[1] * half, spacing_mm[2] * half),
            plane or natural,
            both_hips,
        )
    slices, thick_mm = (64, 1.6) if size is Size.LAPTOP else (104, 1.0)
    if both_hips:
        return Acquisition(
            (slices, 384 // half, 512 // half), (thick_mm, 0.75 * half, 0.75 * half), plane or Plane.AXIAL, True
        )
    return Acquisition((slices, 384 // half, 384 // half), (thick_mm, 0.44 * half, 0.44 * half), plane or Plane.OBLIQUE)


def head_field_mm() -> float:
    """The least extent that holds the largest head with a margin.

    Examples:
        >>> round(head_field_mm(), 1)  # a head of 24 + 2 x 1.3 mm and 4 mm beside it, twice
        61.2
    """
    mean, sd = HEAD_RADIUS_MM["male"]
    return 2 * (mean + 2 * sd + MARGIN_MM)


def place(
    generator: np.random.Generator, acquisition: Acquisition, *, neck_axis: Vector, midline_mm: float
) -> tuple[Grid, Vector]:
    """The grid of a scan of a right hip, and the place of its head centre in the world, LPS mm.

    The patient lies up to 40 mm beside the middle of the table, so that x says little about the side; the slices
    are turned by a few degrees, as a hand plans them.

    Args:
        generator: the only source of randomness.
        acquisition: plane, voxels and field of view.
        neck_axis: unit vector from the head centre down the neck, along which oblique slices lie.
        midline_mm: from the head centre to the middle of the body.

    Examples:
        >>> axial = Acquisition(plane=Plane.AXIAL)
        >>> grid, centre = place(np.random.default_rng(1), axial, neck_axis=(-0.8, 0.2, -0.6), midline_mm=86.0)
        >>> grid.contains(centre), grid.shape == axial.shape, -126 <= centre[0] <= -46  # the table's middle ± 40 mm
        (True, True, True)
    """
    table = float(generator.uniform(-TABLE_MM, TABLE_MM))
    y, z = generator.uniform((-35, -90), (35, 90)).tolist()
    turns = np.deg2rad(np.clip(generator.normal(0, 2.5, size=3), -6, 6))
    shares = generator.uniform(-1, 1, size=3)
    centre = (table - midline_mm, y, z)
    if acquisition.plane is Plane.OBLIQUE:
        turns[1] += np.arctan2(neck_axis[2], -neck_axis[0])  # about the front-to-back axis, until the neck lies in it
    direction = _rotation(turns) @ np.array(AXES[acquisition.plane], float).T
    extent = np.asarray(acquisition.extent_mm)
    free = np.minimum((extent - head_field_mm()) / 2, np.array((12.0, 20.0, 20.0)))
    offset = shares * free
    if acquisition.both_hips:
        # the middle of the field lies near the middle of the body
        offset = 0.5 * shares * np.minimum(free, 10.0) - direction.T @ np.array([midline_mm, 0, 0])
    first = (np.asarray(acquisition.shape) - 1) / 2 * acquisition.spacing_mm + offset  # voxel 0 to the head centre
    ox, oy, oz = (np.asarray(centre) - direction @ first).tolist()
    grid = Grid(acquisition.shape, acquisition.spacing_mm, (ox, oy, oz), tuple(map(tuple, direction.tolist())))
    return grid, centre


def _rotation(angles: np.ndarray) -> np.ndarray:
    """The rotation by angles (radians) about x, then y, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    rotation: np.ndarray = about_z @ about_y @ about_x
    return rotation
