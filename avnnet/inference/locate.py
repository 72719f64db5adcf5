"""Where the femoral heads lie in an image, how large they are, and which side each is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from scipy import ndimage

from avnnet.data.softmax import Softmax
from avnnet.errors import Unmeasurable
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.member import Member, check_channels
from avnnet.labels import LabelScheme, Side
from avnnet.measure.head import measured_head
from avnnet.measure.rows import KEY

LEAST_CM3 = 6.0
"""A third of a small woman's head: what is smaller is no head, or too little of one to find its centre."""
LEAST_OF_SPHERE = 0.2
"""Share of its sphere that a piece must fill."""
LEAST_APART_MM = 110.0
"""Between two heads of one body, across it: adults have 160 to 220 mm, and children of school age more than this."""
LEAST_LATERAL = 0.25
"""Of the neck's axis, across the body: below it the neck does not say which side the hip is of."""
LEAST_X_MM, SURE_X_MM = 25.0, 60.0
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
    flags: tuple[str, ...] = ()


class Locator:
    """Networks that see a whole image and mark the heads in it.

    Args:
        members: trained on whole images, not on crops, with mirrored hips.
        scheme: names of the label ids.
    """

    def __init__(self, members: Sequence[Member], scheme: LabelScheme) -> None:
        self.members, self.scheme = list(members), scheme

    def find(self, image: Image) -> list[FoundHead]:
        """The heads in an image, at most two, the right one first; none if there is no head.

        Raises:
            NonFiniteVoxels, ConstantImage, NotAVolume: if there is nothing to see.
        """
        probabilities = self._probabilities(image)
        values = probabilities.values
        # a voxel that is head with more than half is one, whichever part of the head it is
        marked = np.where(values[0] < 0.5, values[1:].argmax(axis=0) + 1, 0)
        array = np.zeros(image.grid.shape, np.uint8)
        array[probabilities.box] = marked
        return heads_in(LabelMap(array, image.grid, self.scheme))

    def _probabilities(self, image: Image) -> Softmax:
        """The members' mean; of those that prepare images alike before it goes back to the image's grid.

        A mean of interpolated values is the interpolated mean, and the way back takes most of the time.
        """
        check_channels(self.members, len(image.channels))
        groups: dict[str, list[Member]] = {}
        for member in self.members:
            groups.setdefault(member.preparation, []).append(member)
        restored, shares = [], []
        for group in groups.values():
            prepared = group[0].preprocess.prepare(image)
            total = torch.stack([member.probabilities(prepared) for member in group]).mean(dim=0)
            restored.append(group[0].preprocess.restore(total, prepared.placement))
            shares += [len(restored) - 1] * len(group)
        return restored[0] if len(restored) == 1 else mean_softmax([restored[share] for share in shares])


def located_row(
    case: pd.DataFrame, manual: LabelMap, heads: Sequence[FoundHead], head: FoundHead | None
) -> pd.DataFrame:
    """One row: the case's key, and how far what was found lies from the sphere of its manual mask.

    Args:
        case: one row with patient_id, case_id and side.
        manual: the manual mask.
        heads: all that were found in the image.
        head: the one that was taken for this case, or None.
    """
    drawn = heads_in(manual)
    found = {
        "heads": len(heads),
        "side_found": "" if head is None else head.side or "",
        "centre_error_mm": np.nan,
        "radius_error_mm": np.nan,
    }
    if head is not None and drawn:
        off = np.asarray(head.centre_mm) - np.asarray(drawn[0].centre_mm)
        found |= {"centre_error_mm": float(np.linalg.norm(off)), "radius_error_mm": head.radius_mm - drawn[0].radius_mm}
    key = case[KEY].reset_index(drop=True)
    return key.assign(**found, flags=str(Flag.HEAD_NOT_FOUND) if head is None else " ".join(head.flags))


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
    sizes_cm3 = np.bincount(pieces.ravel(), minlength=count + 1)[1:] * labels.grid.voxel_mm3 / 1000
    heads: list[tuple[FoundHead, float]] = []
    for piece in np.argsort(-sizes_cm3, kind="stable"):
        if sizes_cm3[piece] < LEAST_CM3 or len(heads) == 2:
            break
        head = _head(labels, pieces == piece + 1)
        if head is not None and all(_is_other_hip(head, other) for other, _ in heads):
            heads.append((head, float(sizes_cm3[piece])))
    if len(heads) == 2:
        right, left = sorted((head for head, _ in heads), key=lambda head: head.centre_mm[0])
        return [replace(right, side=Side.RIGHT, flags=_sure(right)), replace(left, side=Side.LEFT, flags=_sure(left))]
    return [head for head, _ in heads]


def _sure(head: FoundHead) -> tuple[str, ...]:
    return tuple(flag for flag in head.flags if flag != Flag.SIDE_UNVERIFIED)


def _is_other_hip(one: FoundHead, other: FoundHead) -> bool:
    return abs(one.centre_mm[0] - other.centre_mm[0]) >= LEAST_APART_MM


def _head(labels: LabelMap, piece: np.ndarray) -> FoundHead | None:
    try:
        head = measured_head(LabelMap(np.where(piece, labels.array, 0), labels.grid, labels.scheme))
    except Unmeasurable:
        return None
    sphere = head.sphere
    if piece.sum() * labels.grid.voxel_mm3 < LEAST_OF_SPHERE * sphere.volume_mm3:
        return None
    side, is_sure = _side(sphere.centre_mm[0], head.neck.axis[0] if head.neck is not None else 0.0)
    flags = [] if is_sure else [Flag.SIDE_UNVERIFIED]
    if not holds(labels.grid, sphere.centre_mm, sphere.radius_mm):
        flags.append(Flag.FOV_TRUNCATED)
    return FoundHead(sphere.centre_mm, sphere.radius_mm, side, tuple(flags))


def _side(x_mm: float, neck_x: float) -> tuple[Side | None, bool]:
    """The side of a single head, and whether nothing speaks against it."""
    by_place = None if abs(x_mm) < LEAST_X_MM else Side.LEFT if x_mm > 0 else Side.RIGHT
    by_neck = None if abs(neck_x) < LEAST_LATERAL else Side.LEFT if neck_x > 0 else Side.RIGHT
    if abs(x_mm) >= SURE_X_MM:
        return by_place, by_neck in (None, by_place)
    return by_neck or by_place, by_neck is not None and by_place in (None, by_neck)


def holds(grid: Grid, centre_mm: Sequence[float], radius_mm: float) -> bool:
    """Whether a ball lies inside a grid, to a millimetre.

    Args:
        grid: of the image.
        centre_mm: of the ball, LPS mm.
        radius_mm: of the ball.
    """
    index = grid.to_index(centre_mm)
    reach = (radius_mm - INSIDE_MM) / np.asarray(grid.spacing)
    return bool(np.all(index - reach >= -0.5) and np.all(index + reach <= np.asarray(grid.shape) - 0.5))
