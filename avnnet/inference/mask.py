"""The mask of one hip out of what the networks say of it, and what a reader should know of that mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avnnet.data.softmax import Softmax
from avnnet.flags import Flag, Flags
from avnnet.grid import MM3_PER_CM3
from avnnet.image import Image, LabelMap
from avnnet.inference.agreement import Marks, agreement_flags
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.member import Member
from avnnet.inference.quality import mask_flags, noise_flags
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
    image: Image,
    members: Sequence[Member],
    probabilities: Softmax,
    marks: Sequence[Marks],
    scheme: LabelScheme,
    cleaning: Cleaning,
) -> Mask:
    """The most probable labels of the networks' mean.

    Args:
        image: the scan.
        members: the networks.
        probabilities: the mean of what they say.
        marks: what each of them marks alone.
        scheme: names of the label ids.
        cleaning: what is taken away.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> from avnnet.labels import HIP
        >>> grid, classes = Grid((1, 1, 4)), np.eye(3, dtype=np.float32)
        >>> softmax = Softmax(classes[:, [1, 2, 0, 1]].reshape(3, 1, 1, 4), (0, 0, 0), grid)
        >>> mask = mask_of(Image(np.zeros((1, 1, 4)), grid), [], softmax, [], HIP, Cleaning(("largest_piece",)))
        >>> mask.labels.array.tolist(), "components_removed" in mask.flags
        ([[[1, 2, 0, 0]]], True)
    """
    marked = probabilities.labels(scheme)
    labels = cleaning(marked)
    flags = mask_flags(labels, probabilities)
    is_removed = labels is not marked and bool(((marked.array > 0) & (labels.array == 0)).any())
    flags |= [Flag.COMPONENTS_REMOVED] if is_removed else []
    flags |= noise_flags(image, labels)
    flags |= agreement_flags(marks, labels)
    flags |= scope_flags(members, labels)
    return Mask(labels, probabilities, flags)


def scope_flags(members: Sequence[Member], labels: LabelMap) -> Flags:
    """The flag of voxels, or of a structure, beyond what most of the networks were trained on, or none.

    Args:
        members: the networks.
        labels: their mask.

    Examples:
        >>> import numpy as np
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
