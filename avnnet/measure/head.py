"""A femoral head ready to be measured: in one axis order and one body side, with its surface, sphere and neck plane."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from avnnet.data.orientation import orientation_of
from avnnet.errors import Unmeasurable
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import Side
from avnnet.measure.mesh import Mesh, smoothing_mm, surface_mesh
from avnnet.measure.neck import NeckPlane, neck_plane
from avnnet.measure.shell import Shell
from avnnet.measure.sphere import RADIUS_LIMITS_MM, Sphere, fitted_sphere

REACH_RADII = 1.3
BESIDE_MM, MIN_TRUST = 6.0, 0.1
VITAL_SHARE = 0.3
"""Of the surface must be vital for the sphere to be fitted to vital bone alone."""
WHOLE_SHARE = 0.6
"""Of its sphere's volume is the least that a head without vital bone must have; the neck plane leaves about 0.9."""
MIN_VOXELS = 100


@dataclass(frozen=True, eq=False)
class MeasuredHead:
    """One femoral head in the right-hip frame: x medial, y posterior, z superior; a left hip is mirrored into it.

    Args:
        labels: canonical axis order, cut to the head, in the right-hip frame.
        side: the body side, or None where it is not known.
        shell: the smoothed masks.
        mesh: of the head's largest piece, its holes filled.
        sphere: of the intact surface.
        is_necrotic: `(m,)` whether a triangle of the mesh lies on necrosis.
        neck: where the head ends; None where the surface shows no neck.
        field: the grid that the labels were given on, in the right-hip frame.
        flags: what to look at.

    Examples:
        >>> z, y, x = np.indices((56, 56, 56)) - 27.5
        >>> ball = LabelMap((x**2 + y**2 + z**2 < 24**2).astype(np.uint8), Grid((56, 56, 56)))
        >>> head = measured_head(ball)
        >>> head.centre_mm.round(1).tolist(), bool(head.is_articular.all()), len(head.necrosis_points_mm)
        ([27.5, 27.5, 27.5], True, 0)
    """

    labels: LabelMap
    side: Side | None
    shell: Shell
    mesh: Mesh
    sphere: Sphere
    is_necrotic: np.ndarray
    neck: NeckPlane | None
    field: Grid
    flags: Flags = NO_FLAGS

    @property
    def centre_mm(self) -> np.ndarray:
        """`(3,)` head centre in the right-hip frame."""
        return np.asarray(self.sphere.centre_mm)

    @cached_property
    def is_articular(self) -> np.ndarray:
        """`(m,)` whether a triangle of the mesh is joint surface: all but the neck's."""
        return self.is_joint(self.mesh.centres_mm, self.mesh.normals)

    def is_joint(self, points_mm: np.ndarray, normals: np.ndarray | None = None) -> np.ndarray:
        """`(...)` whether points of the surface are joint surface: neither neck, nor where the field cut the head.

        Args:
            points_mm: `(..., 3)` in the right-hip frame.
            normals: `(..., 3)` of the surface there.
        """
        seen = ~at_border(points_mm, self.field)
        if self.neck is not None:
            seen &= self.neck.is_articular(points_mm - self.centre_mm, normals)
        return seen

    @cached_property
    def necrosis_points_mm(self) -> np.ndarray:
        """`(n, 3)` voxel centres of the necrosis, from the head centre."""
        index = np.argwhere(self.labels.mask("necrosis"))
        return self.labels.grid.to_lps(index) - self.centre_mm

    @property
    def reach_mm(self) -> float:
        """How far rays from the centre are followed."""
        return REACH_RADII * self.sphere.radius_mm


def measured_head(labels: LabelMap, side: Side | None = None) -> MeasuredHead:
    """The surface, the sphere and the neck plane of a head.

    Args:
        labels: vital bone and necrosis of one hip, on any grid.
        side: the body side; without it the head is taken as that of a right hip, and what needs a side is not measured.

    Raises:
        Unmeasurable: if there is no head, or one too small or too odd to have a sphere; if ignored voxels touch it.

    Examples:
        >>> from avnnet.labels import HIP
        >>> z, y, x = np.indices((56, 56, 56)) - 27.5
        >>> ball = (x**2 + y**2 + z**2 < 24**2).astype(np.uint8)
        >>> head = measured_head(LabelMap(ball, Grid((56, 56, 56)), HIP), Side.RIGHT)
        >>> round(head.sphere.radius_mm, 1), head.neck
        (23.9, None)
    """
    found = labels.mask(labels.scheme.whole)
    count = int(found.sum())
    if count < MIN_VOXELS:
        raise Unmeasurable(
            f"a head of {count} voxels has no shape; at least {MIN_VOXELS} are needed"
            if count
            else "the mask is empty: there is no head to measure"
        )
    if labels.touches_ignored(labels.scheme.whole):
        raise Unmeasurable("ignored voxels touch the head: what of it they hold, and its surface there, is not known")
    size_mm = (np.ptp(np.argwhere(found), axis=0) + 1) * np.asarray(labels.grid.spacing)
    if max(size_mm) > 8 * RADIUS_LIMITS_MM[1] or np.sort(size_mm)[1] < RADIUS_LIMITS_MM[0]:
        raise Unmeasurable(f"a head of {' x '.join(f'{one:.0f}' for one in size_mm)} mm is no femoral head")
    field, labels = in_frame(labels.grid, side), canonical(labels, side)
    whole = labels.mask(labels.scheme.whole)
    piece, flags = _one_piece(whole)
    grid = labels.grid
    shell = Shell.of(piece, labels.mask("vital"), grid)
    mesh = surface_mesh(piece, grid)
    necrotic = shell.is_necrotic(mesh.centres_mm, mesh.normals)
    is_cut = at_border(mesh.centres_mm, field)
    trust = _trust(mesh, necrotic) * ~is_cut
    if not trust.any():
        raise Unmeasurable("the image's border cuts all of this head: there is no surface to measure")
    sphere = fitted_sphere(mesh.centres_mm[trust > 0], (trust * mesh.areas_mm2)[trust > 0])
    if not labels.mask("vital").any() and count * grid.voxel_mm3 < WHOLE_SHARE * sphere.volume_mm3:
        share = 100 * count * grid.voxel_mm3 / sphere.volume_mm3
        raise Unmeasurable(
            f"there is no vital bone, and the necrosis fills {share:.0f} % of its sphere: a lesion without the head "
            "around it. Draw the whole head"
        )
    neck = neck_plane(mesh, sphere, necrotic, is_cut)
    if neck is None:
        flags.append(Flag.NO_NECK_PLANE)
    if max(grid.spacing) > smoothing_mm(grid):
        flags.append(Flag.THICK_SLICES)
    return MeasuredHead(labels, side, shell, mesh, sphere, necrotic, neck, field, Flags(flags))


def in_frame(grid: Grid, side: Side | None) -> Grid:
    """The grid in the right-hip frame: that of a left hip with x mirrored.

    Examples:
        >>> in_frame(Grid((4, 4, 4), origin=(80.0, 0.0, 0.0)), Side.LEFT).origin
        (-80.0, 0.0, 0.0)
    """
    if side is not Side.LEFT:
        return grid
    mirror = np.array([-1.0, 1.0, 1.0])
    direction = np.asarray(grid.direction) * mirror[:, None]
    return Grid(grid.shape, grid.spacing, _triple(np.asarray(grid.origin) * mirror), tuple(map(_triple, direction)))


def at_border(points_mm: np.ndarray, field: Grid) -> np.ndarray:
    """`(...)` whether points `(..., 3)` lie in the outermost voxels of a grid, where a head is cut.

    Examples:
        >>> at_border(np.array([[0.0, 4.0, 4.0], [4.0, 4.0, 4.0]]), Grid((9, 9, 9))).tolist()
        [True, False]
    """
    index = field.to_index(points_mm)
    outside: np.ndarray = np.any((index < 0.5) | (index > np.asarray(field.shape) - 1.5), axis=-1)
    return outside


def canonical(labels: LabelMap, side: Side | None) -> LabelMap:
    """The labels cut to what is drawn with a margin, in canonical axis order, in the right-hip frame.

    Args:
        labels: with at least one voxel drawn.
        side: the body side.

    Examples:
        >>> one = LabelMap(np.array([[[0, 1]]]), Grid((1, 1, 2), direction=((0, 0, -1), (0, 1, 0), (1, 0, 0))))
        >>> lying = canonical(one, None)
        >>> (np.asarray(lying.grid.direction) + 0).tolist(), int(lying.array.sum())
        ([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], 1)
    """
    box = []
    margin = int(np.ceil(4 * smoothing_mm(labels.grid) / min(labels.grid.spacing))) + 1
    for axis in range(3):
        drawn = np.flatnonzero(labels.array.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append((int(drawn[0]), int(drawn[-1]) + 1))
    cut = np.pad(labels.array[tuple(slice(*ends) for ends in box)], margin)
    lying = in_frame(labels.grid, side)
    first, direction = lying.to_lps([start - margin for start, _ in box]), np.asarray(lying.direction)
    own = Grid(_shape(cut), lying.spacing, _triple(first), lying.direction)
    turn = orientation_of(own)
    array = np.ascontiguousarray(turn.apply(cut))
    last = np.asarray(own.shape) - 1
    start = [0, 0, 0]
    for place, axis in enumerate(turn.axes):
        start[axis] = int(last[axis]) if turn.flips[place] else 0
    signs = np.where(turn.flips, -1.0, 1.0)
    turned = direction[:, list(turn.axes)] * signs
    spacing = tuple(own.spacing[axis] for axis in turn.axes)
    grid = Grid(_shape(array), _triple(spacing), _triple(own.to_lps(start)), tuple(map(_triple, turned)))
    return LabelMap(array, grid, labels.scheme)


def _trust(mesh: Mesh, necrotic: np.ndarray) -> np.ndarray:
    """`(m,)` how far a triangle shows the head as it was, 0 to 1: growing with its distance from necrosis.

    A plate that has broken over a lesion bends the bone beside it too. To leave all of that out would be worse: the
    third of an oval surface that is then left of a large lesion's head does not hold its centre.
    """
    if not necrotic.any() or mesh.areas_mm2[~necrotic].sum() < VITAL_SHARE * mesh.area_mm2:
        return np.ones(len(necrotic))
    distance, _ = cKDTree(mesh.centres_mm[necrotic]).query(mesh.centres_mm, distance_upper_bound=BESIDE_MM)
    return np.where(necrotic, 0.0, np.clip(distance / BESIDE_MM, MIN_TRUST, 1.0))


def _one_piece(head: np.ndarray) -> tuple[np.ndarray, list[Flag]]:
    """The largest connected piece without holes, and the flags of what was left out or filled."""
    pieces, count = ndimage.label(head)
    flags: list[Flag] = []
    largest = head
    if count > 1:
        sizes = np.bincount(pieces.ravel())[1:]
        largest = pieces == 1 + int(np.argmax(sizes))
        flags.append(Flag.SEVERAL_PIECES)
    filled: np.ndarray = ndimage.binary_fill_holes(largest)
    if int(filled.sum()) > int(largest.sum()):
        flags.append(Flag.HOLES)
    return filled, flags


def _triple(values: np.ndarray | tuple[float, ...]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _shape(array: np.ndarray) -> tuple[int, int, int]:
    return int(array.shape[0]), int(array.shape[1]), int(array.shape[2])
