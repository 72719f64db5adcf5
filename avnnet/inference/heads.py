"""The femoral heads that a mask of a whole image marks: where they lie, how large they are, which side each is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from avnnet.errors import Unmeasurable
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.grid import MM3_PER_CM3, Grid
from avnnet.image import LabelMap
from avnnet.labels import Side
from avnnet.measure.head import measured_head

MIN_HEAD_CM3 = 6.0
"""Smaller pieces are ignored: this is a third of a small adult head, and less of one does not hold its centre."""
MIN_SPHERE_SHARE = 0.2
"""Share of its sphere that a piece must fill."""
MIN_APART_MM = 110.0
"""Between two heads of one body, across it: adults have 160 to 220 mm, and children of school age more than this."""
MIN_LATERAL = 0.25
"""Of the neck's axis, across the body: below it the neck does not say which side the hip is of."""
MIN_X_MM, SURE_X_MM = 25.0, 60.0
"""From the middle of the scanner: below the first a head's place says nothing of its side, from the second on more than
its neck. Heads lie 80 to 110 mm beside the middle of a body, and bodies up to some 40 mm beside that of the table."""
INSIDE_MM = 1.0


@dataclass(frozen=True)
class FoundHead:
    """A femoral head in an image.

    Args:
        centre_mm: of the sphere fitted to its intact surface, LPS mm `(x, y, z)`.
        radius_mm: of that sphere.
        side: of the body; None where it is not sure.
        flags: what to look at.
    """

    centre_mm: tuple[float, float, float]
    radius_mm: float
    side: Side | None
    flags: Flags = NO_FLAGS

    def __post_init__(self) -> None:
        object.__setattr__(self, "flags", Flags(self.flags))


def heads_in(labels: LabelMap) -> list[FoundHead]:
    """The femoral heads that are marked in a label map, at most two, the right one first.

    The side of two heads follows from which lies where. That of a single one follows from its place where it lies far
    from the middle of the scanner, else from its neck, which runs outwards; where the two do not agree, that is said.

    Args:
        labels: of a whole image.

    Examples:
        >>> from avnnet.labels import HIP
        >>> z, y, x = np.indices((30, 40, 100)) * 2.0
        >>> balls = [(x - c) ** 2 + (y - 40) ** 2 + (z - 30) ** 2 < 22**2 for c in (30, 170)]
        >>> both = LabelMap((balls[0] | balls[1]).astype(np.uint8), Grid((30, 40, 100), (2.0, 2.0, 2.0)), HIP)
        >>> [(head.side.value, round(head.centre_mm[0])) for head in heads_in(both)]
        [('right', 30), ('left', 170)]
    """
    found = labels.mask(labels.scheme.whole)
    pieces, count = ndimage.label(found)
    sizes_cm3 = np.bincount(pieces.ravel(), minlength=count + 1)[1:] * labels.grid.voxel_mm3 / MM3_PER_CM3
    heads: list[tuple[FoundHead, float]] = []
    for piece in np.argsort(-sizes_cm3, kind="stable"):
        if sizes_cm3[piece] < MIN_HEAD_CM3 or len(heads) == 2:
            break
        head = _head(labels, pieces == piece + 1)
        if head is not None and all(_is_other_hip(head, other) for other, _ in heads):
            heads.append((head, float(sizes_cm3[piece])))
    if len(heads) == 2:
        right, left = sorted((head for head, _ in heads), key=lambda head: head.centre_mm[0])
        return [replace(right, side=Side.RIGHT, flags=_sure(right)), replace(left, side=Side.LEFT, flags=_sure(left))]
    return [head for head, _ in heads]


def _sure(head: FoundHead) -> Flags:
    return head.flags.without(Flag.SIDE_UNVERIFIED)


def _is_other_hip(one: FoundHead, other: FoundHead) -> bool:
    return abs(one.centre_mm[0] - other.centre_mm[0]) >= MIN_APART_MM


def _head(labels: LabelMap, piece: np.ndarray) -> FoundHead | None:
    try:
        head = measured_head(LabelMap(np.where(piece, labels.array, 0), labels.grid, labels.scheme))
    except Unmeasurable:
        return None
    sphere = head.sphere
    if piece.sum() * labels.grid.voxel_mm3 < MIN_SPHERE_SHARE * sphere.volume_mm3:
        return None
    side, is_sure = _side(sphere.centre_mm[0], head.neck.axis[0] if head.neck is not None else 0.0)
    flags = Flags([] if is_sure else [Flag.SIDE_UNVERIFIED])
    if not holds(labels.grid, sphere.centre_mm, sphere.radius_mm):
        flags |= [Flag.FOV_TRUNCATED]
    return FoundHead(sphere.centre_mm, sphere.radius_mm, side, flags)


def _side(x_mm: float, neck_x: float) -> tuple[Side | None, bool]:
    """The side of a single head, and whether nothing speaks against it."""
    by_place = None if abs(x_mm) < MIN_X_MM else _towards(x_mm)
    by_neck = None if abs(neck_x) < MIN_LATERAL else _towards(neck_x)
    if abs(x_mm) >= SURE_X_MM:
        return by_place, by_neck in (None, by_place)
    return by_neck or by_place, by_neck is not None and by_place in (None, by_neck)


def _towards(x: float) -> Side:
    """The side to which the x axis of LPS runs."""
    return Side.LEFT if x > 0 else Side.RIGHT


def side_flags(centre_mm: Sequence[float] | None, side: Side | None) -> Flags:
    """The flag of a head whose side nobody says, or whose place in the scanner says the other side, or none.

    Networks see left hips mirrored: one whose side is not known is segmented as a right one.

    Args:
        centre_mm: of the head, LPS mm `(x, y, z)`; None where nobody says it, and only the side can be wanting.
        side: as a person or the locator says.

    Examples:
        >>> str(side_flags((95.0, 0.0, 0.0), Side.LEFT))
        ''
        >>> str(side_flags((95.0, 0.0, 0.0), Side.RIGHT)), str(side_flags((95.0, 0.0, 0.0), None))
        ('side_unverified', 'side_unverified')
        >>> str(side_flags(None, Side.RIGHT)), str(side_flags(None, None))
        ('', 'side_unverified')
    """
    x_mm = 0.0 if centre_mm is None else centre_mm[0]
    is_elsewhere = abs(x_mm) >= SURE_X_MM and side != _towards(x_mm)
    return Flags([Flag.SIDE_UNVERIFIED] if side is None or is_elsewhere else [])


def holds(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> bool:
    """Whether a ball lies inside a grid, to a millimetre.

    Args:
        grid: of the image.
        centre_mm: of the ball, LPS mm.
        radius_mm: of the ball.

    Examples:
        >>> grid = Grid((50, 50, 50))
        >>> holds(grid, (25.0, 25.0, 25.0), 20.0), holds(grid, (25.0, 25.0, 25.0), 30.0)
        (True, False)
    """
    index = grid.to_index(centre_mm)
    reach = (radius_mm - INSIDE_MM) / np.asarray(grid.spacing)
    return bool(np.all(index - reach >= -0.5) and np.all(index + reach <= np.asarray(grid.shape) - 0.5))
