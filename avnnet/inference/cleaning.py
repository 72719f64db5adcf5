"""What is taken away from a mask after the networks; a study keeps the steps that its held-out cases speak for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
from scipy import ndimage

from avnnet.errors import InvalidConfig
from avnnet.image import LabelMap
from avnnet.labels import LabelScheme

SMALL_SHARE = 0.02  # of a label's largest piece
Step = Callable[[np.ndarray, LabelScheme], np.ndarray]


def largest_piece(ids: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Label ids without all pieces of their whole but the largest; the same array if there is nothing to take away.

    Pieces hang together by faces of voxels. Where the networks look at one structure, another piece is none of it.

    Args:
        ids: label ids, 0 is background.
        scheme: not asked.

    Source: Isensee F et al. Nat Methods 2021;18:203 (all but the largest component are removed).

    Examples:
        >>> from avnnet.labels import HIP
        >>> largest_piece(np.array([[[1, 2, 0, 1]]]), HIP).tolist()
        [[[1, 2, 0, 0]]]
    """
    pieces, count = ndimage.label(ids > 0)
    if count < 2:
        return ids
    largest = int(np.bincount(pieces.ravel())[1:].argmax()) + 1
    return np.where(pieces == largest, ids, 0).astype(ids.dtype)


def part_inside(ids: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Label ids without pieces of the part that touch no other label, such as necrosis away from the rest of a head.

    A part that is the whole, such as a head that is all necrosis, stays.

    Args:
        ids: label ids, 0 is background.
        scheme: which label is the part.

    Examples:
        >>> from avnnet.labels import HIP
        >>> part_inside(np.array([[[1, 2, 0, 2]]]), HIP).tolist(), part_inside(np.array([[[0, 2]]]), HIP).tolist()
        ([[[1, 2, 0, 0]]], [[[0, 2]]])
    """
    (part,) = scheme.ids(scheme.part)
    others = (ids > 0) & (ids != part)
    pieces, count = ndimage.label(ids == part)
    if not count or not others.any():
        return ids
    is_inside = np.zeros(count + 1, bool)
    is_inside[np.unique(pieces[ndimage.binary_dilation(others)])] = True
    is_inside[0] = True
    return ids if is_inside.all() else np.where(is_inside[pieces], ids, 0).astype(ids.dtype)


def no_small_pieces(ids: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Label ids in which small pieces of a label have the id of the nearest voxel that is in none.

    A piece is small if it has less than 2 % of the voxels of its label's largest; what is near is counted in voxels.

    Args:
        ids: label ids, 0 is background.
        scheme: the labels.

    Examples:
        >>> from avnnet.labels import HIP
        >>> row = np.ones((1, 1, 104), int)
        >>> row[..., 50:] = 2
        >>> row[..., 20] = 2
        >>> no_small_pieces(row, HIP)[..., 19:22].tolist()
        [[[1, 1, 1]]]
    """
    is_small = np.zeros(ids.shape, bool)
    for label in scheme.names:
        pieces, count = ndimage.label(ids == label)
        if count < 2:
            continue
        sizes = np.bincount(pieces.ravel())
        sizes[0] = sizes[1:].max()
        is_small |= (sizes < SMALL_SHARE * sizes[0])[pieces]
    if not is_small.any():
        return ids
    nearest = ndimage.distance_transform_edt(is_small, return_distances=False, return_indices=True)
    return np.asarray(ids[tuple(nearest)])


def one_label_per_slice(ids: np.ndarray, scheme: LabelScheme) -> np.ndarray:
    """Label ids in which each slice of one axis has a single label, the most frequent one there.

    For protocols that let a label end with a slice, as the head of the hippocampus ends with a coronal one. The axis is
    that along which labels mix least, whatever the order in which a file stores its axes.

    Args:
        ids: label ids, 0 is background.
        scheme: the labels.

    Examples:
        >>> from avnnet.labels import HIP
        >>> one_label_per_slice(np.array([[[1, 1, 2, 0], [1, 2, 2, 2], [1, 1, 2, 2]]]), HIP).tolist()
        [[[1, 1, 2, 0], [1, 1, 2, 2], [1, 1, 2, 2]]]
    """
    labels = np.array(list(scheme.names))
    found = []
    for axis in range(ids.ndim):
        others = tuple(other for other in range(ids.ndim) if other != axis)
        counts = np.stack([(ids == label).sum(axis=others, keepdims=True) for label in labels])
        found.append((int((counts.sum(axis=0) - counts.max(axis=0)).sum()), counts))
    mixed, counts = min(found, key=lambda one: one[0])
    return np.where(ids > 0, labels[counts.argmax(axis=0)], 0).astype(ids.dtype) if mixed else ids


STEPS: Mapping[str, Step] = {
    "largest_piece": largest_piece,
    "part_inside": part_inside,
    "no_small_pieces": no_small_pieces,
    "one_label_per_slice": one_label_per_slice,
}


@dataclass(frozen=True)
class Cleaning:
    """Steps that are done with the mask of one structure, in the order of `STEPS`.

    Args:
        steps: their names.

    Raises:
        InvalidConfig: if there is no such step.

    Examples:
        >>> from avnnet.grid import Grid
        >>> labels = LabelMap(np.array([[[1, 2, 0, 1]]]), Grid((1, 1, 4)))
        >>> Cleaning(("largest_piece",))(labels).array.tolist(), Cleaning(())(labels) is labels
        ([[[1, 2, 0, 0]]], True)
    """

    steps: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.steps if name not in STEPS]
        if unknown:
            raise InvalidConfig(f"a mask is cleaned by some of {list(STEPS)}; found {unknown}")
        object.__setattr__(self, "steps", tuple(name for name in STEPS if name in self.steps))

    def __call__(self, labels: LabelMap) -> LabelMap:
        """A label map after the steps; the same one if they change nothing.

        Args:
            labels: of one structure, such as a femoral head.
        """
        found = ndimage.find_objects((labels.array > 0).astype(np.uint8))
        if not self.steps or not found:
            return labels
        box = tuple(slice(max(one.start - 1, 0), one.stop + 1) for one in found[0])
        ids = labels.array[box]
        for name in self.steps:
            ids = STEPS[name](ids, labels.scheme)
        if np.array_equal(ids, labels.array[box]):
            return labels
        array = labels.array.copy()
        array[box] = ids
        return LabelMap(array, labels.grid, labels.scheme)


def usual_cleaning(centre_mm: Sequence[float] | None) -> Cleaning:
    """What is done where no study has decided: around one head the largest piece is kept, elsewhere all.

    Args:
        centre_mm: of the head that the networks looked around; None where a window slid over the whole image.

    Examples:
        >>> usual_cleaning((0.0, 0.0, 0.0)).steps, usual_cleaning(None).steps
        (('largest_piece',), ())
    """
    return Cleaning(() if centre_mm is None else ("largest_piece",))


def all_cleanings() -> Iterable[Cleaning]:
    """Every choice of steps, none first.

    Examples:
        >>> [cleaning.steps for cleaning in all_cleanings()][:3], len(list(all_cleanings()))
        ([(), ('largest_piece',), ('part_inside',)], 16)
    """
    chosen = chain.from_iterable(combinations(STEPS, count) for count in range(len(STEPS) + 1))
    return map(Cleaning, chosen)
