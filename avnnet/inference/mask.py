"""The mask of one hip out of what the networks say of it, and what a reader should know of that mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from avnnet.data.softmax import Softmax
from avnnet.flags import Flag, Flags
from avnnet.grid import MM3_PER_CM3
from avnnet.image import Image, LabelMap
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.member import Member
from avnnet.inference.quality import agreement_flags, mask_flags, noise_flags
from avnnet.labels import LabelScheme


@dataclass(frozen=True, eq=False)
class Mask:
    """What an ensemble marks in an image.

    Args:
        labels: the mask.
        probabilities: the mean of the networks', from before anything was removed.
        flags: what to look at.
    """

    labels: LabelMap
    probabilities: Softmax
    flags: Flags


def mask_of(
    image: Image, members: Sequence[Member], softmax: Sequence[Softmax], scheme: LabelScheme, *, is_one_head: bool
) -> Mask:
    """The most probable labels of the networks' mean.

    Args:
        image: the scan.
        members: the networks.
        softmax: what each of them says.
        scheme: names of the label ids.
        is_one_head: whether the networks looked around one head; what hangs together with no other piece of it is
            then taken away but for the largest.

    Examples:
        >>> from avnnet.grid import Grid
        >>> from avnnet.labels import HIP
        >>> grid, classes = Grid((1, 1, 4)), np.eye(3, dtype=np.float32)
        >>> softmax = Softmax(classes[:, [1, 2, 0, 1]].reshape(3, 1, 1, 4), (0, 0, 0), grid)
        >>> mask = mask_of(Image(np.zeros((1, 1, 4)), grid), [], [softmax], HIP, is_one_head=True)
        >>> mask.labels.array.tolist(), "components_removed" in mask.flags
        ([[[1, 2, 0, 0]]], True)
    """
    probabilities = mean_softmax(softmax)
    marked = probabilities.labels(scheme)
    labels = largest_piece(marked) if is_one_head else marked
    flags = mask_flags(labels, probabilities)
    flags |= [] if labels is marked else [Flag.COMPONENTS_REMOVED]
    flags |= noise_flags(image, labels)
    flags |= agreement_flags(softmax, labels)
    flags |= scope_flags(members, labels)
    return Mask(labels, probabilities, flags)


def largest_piece(labels: LabelMap) -> LabelMap:
    """A label map without all pieces of its whole but the largest; the same one if there is nothing to take away.

    Pieces hang together by faces of voxels. The networks' crop holds one head, so another piece is none of it.

    Args:
        labels: of one head.

    Source: Isensee F et al. Nat Methods 2021;18:203 (all but the largest component are removed).

    Examples:
        >>> from avnnet.grid import Grid
        >>> largest_piece(LabelMap(np.array([[[1, 2, 0, 1]]]), Grid((1, 1, 4)))).array.tolist()
        [[[1, 2, 0, 0]]]
    """
    pieces, count = ndimage.label(labels.array > 0)
    if count < 2:
        return labels
    largest = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    kept = np.where(pieces == largest, labels.array, 0).astype(labels.array.dtype)
    return LabelMap(kept, labels.grid, labels.scheme)


def scope_flags(members: Sequence[Member], labels: LabelMap) -> Flags:
    """The flag of voxels, or of a structure, beyond what most of the networks were trained on, or none.

    Args:
        members: the networks.
        labels: their mask.

    Examples:
        >>> from avnnet.data.scope import Scope
        >>> from avnnet.grid import Grid
        >>> usual = Scope([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]], [40.0, 60.0])
        >>> member = Member(None, None, None, "unet3d", scope=usual)
        >>> cube = LabelMap(np.ones((10, 10, 10), int), Grid((10, 10, 10)))  # 1 cm³
        >>> [str(flag) for flag in scope_flags([member], cube)]
        ['outside_training_range']
    """
    whole_cm3 = int((labels.array > 0).sum()) * labels.grid.voxel_mm3 / MM3_PER_CM3
    left = [member.scope is not None and member.scope.is_left_by(labels.grid, whole_cm3) for member in members]
    return Flags([Flag.OUTSIDE_TRAINING_RANGE] if 2 * sum(left) > len(members) else [])
