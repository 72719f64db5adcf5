"""What a sampler draws, looked at where it is one of a user's own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avnnet.data.own_step import class_path, named_errors
from avnnet.data.sampling import PreparedCase, Sampling, Size
from avnnet.errors import InvalidDataStep


def checked_weights(sampling: Sampling, cases: Sequence[PreparedCase]) -> list[float] | None:
    """One weight per case, summing to 1, or None where all are drawn equally often.

    Args:
        sampling: ours or one's own.
        cases: of the training fold.

    Raises:
        InvalidDataStep: if there are not as many as cases, one is negative or not finite, or all are 0.

    Examples:
        >>> from pathlib import Path
        >>> from avnnet.data.sampling import WeightedByColumn
        >>> cases = [PreparedCase(name, {"weight": weight}, Path()) for name, weight in (("a", 1), ("b", 3))]
        >>> checked_weights(WeightedByColumn(), cases), checked_weights(Sampling(), cases)
        ([0.25, 0.75], None)
    """
    what = f"the sampler {class_path(sampling)}"
    with named_errors(what):
        given = sampling.weights(cases)
    if given is None:
        return None
    try:
        found = np.asarray(list(given), dtype=float)
    except (TypeError, ValueError):
        found = np.full(0, np.nan)
    if found.shape != (len(cases),):
        raise InvalidDataStep(
            f"the weights of {what} must be one number for each of {len(cases)} cases; found {str(given)[:80]}"
        )
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if len(wrong):
        raise InvalidDataStep(
            f"the weights of {what} must be 0 or above; found {found[wrong[0]]:g}", case_id=cases[wrong[0]].case_id
        )
    if not found.any():
        raise InvalidDataStep(
            f"the weights of {what} are all 0, so that no case can be drawn; give one case of this fold more"
        )
    return (found / found.sum()).tolist()


def drawn_case(sampling: Sampling, position: int, count: int, seed: int, weights: Sequence[float] | None) -> int:
    """The number of a case, 0 to `count` - 1.

    Args:
        sampling: ours or one's own.
        position: of the draw, counted over all epochs.
        count: of the cases.
        seed: the run's.
        weights: as of `checked_weights`.

    Raises:
        InvalidDataStep: if a class of a user's own raises an error, draws global random numbers, or gives no case.

    Examples:
        >>> class Last(Sampling):
        ...     def draw(self, position, count, seed, weights):
        ...         return count - 1
        >>> drawn_case(Last(), 0, 3, 1, None)
        2
    """
    if type(sampling).draw is Sampling.draw:
        return sampling.draw(position, count, seed, weights)
    what = f"the sampler {class_path(sampling)}"
    with named_errors(what):
        given: Any = sampling.draw(position, count, seed, weights)
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not 0 <= given < count:
        raise InvalidDataStep(
            f"{what} must draw the number of a case, 0 to {count - 1}; found {str(given)[:60]} at draw {position}"
        )
    return int(given)


def checked_sizes(sampling: Sampling, patch: Sequence[int]) -> list[tuple[float, Size]]:
    """The sizes of a patch over a training, each with the share of the epochs after which it ends.

    Args:
        sampling: ours or one's own.
        patch: voxels per axis.

    Raises:
        InvalidConfig: if the sizes of ours are larger than the patch.
        InvalidDataStep: if those of a user's own are none, do not rise to the end, or do not end with the patch.

    Examples:
        >>> checked_sizes(Sampling(), [8, 8, 8])
        [(1.0, (8, 8, 8))]
    """
    what = f"the sampler {class_path(sampling)}"
    with named_errors(what):
        given: Any = sampling.sizes(patch)
    try:
        found = [(float(end), tuple(int(n) for n in size)) for end, size in given]
    except (TypeError, ValueError):
        found = []
    ends = [0.0, *(end for end, _ in found)]
    is_rising = all(low < high for low, high in pairwise(ends)) and ends[-1] == 1
    if not is_rising or found[-1][1] != tuple(patch) or any(len(size) != 3 or min(size) < 1 for _, size in found):
        raise InvalidDataStep(
            f"the sizes of {what} must be pairs of a share of the training, rising to 1, and three numbers of voxels, "
            f"the last of them data.patch, as [(0.5, (24, 32, 24)), (1.0, {tuple(patch)})]; found {str(given)[:120]}"
        )
    return found


def size_at(sizes: Sequence[tuple[float, Size]], progress: float) -> Size:
    """The size of a patch at a progress of 0 to 1.

    Args:
        sizes: as of `checked_sizes`.
        progress: the share of the epochs that are done.

    Examples:
        >>> growing = [(0.5, (24, 32, 24)), (1.0, (32, 48, 32))]
        >>> size_at(growing, 0.49), size_at(growing, 0.5), size_at(growing, 1.0)
        ((24, 32, 24), (32, 48, 32), (32, 48, 32))
    """
    return next((size for end, size in sizes if progress < end), sizes[-1][1])


def shares_of(sizes: Sequence[tuple[float, Size]]) -> list[tuple[float, Size]]:
    """The sizes of a patch, each with its share of a training.

    Args:
        sizes: as of `checked_sizes`.

    Examples:
        >>> shares_of([(0.25, (16, 24, 16)), (1.0, (32, 48, 32))])
        [(0.25, (16, 24, 16)), (0.75, (32, 48, 32))]
    """
    ends = [0.0, *(end for end, _ in sizes)]
    return [(high - low, size) for (low, high), (_, size) in zip(pairwise(ends), sizes, strict=True)]


def aimed_centre(
    sampling: Sampling, label: Tensor, patch: Sequence[int], foreground_p: float, generator: np.random.Generator
) -> np.ndarray:
    """The voxel `(3,)` at the middle of a patch, inside the image.

    Args:
        sampling: ours or one's own.
        label: `(1, *S)` ids.
        patch: voxels per axis.
        foreground_p: probability to aim at a structure.
        generator: source of randomness.

    Raises:
        InvalidDataStep: if a class of a user's own raises an error, draws global random numbers, or gives no voxel.

    Examples:
        >>> class Middle(Sampling):
        ...     def centre(self, label, patch, foreground_p, generator):
        ...         return [(n - 1) / 2 for n in label.shape[1:]]
        >>> aimed_centre(Middle(), torch.zeros(1, 5, 7, 9), (3, 3, 3), 0.5, np.random.default_rng(1)).tolist()
        [2.0, 3.0, 4.0]
    """
    if type(sampling).centre is Sampling.centre:
        return sampling.centre(label, patch, foreground_p, generator)
    what = f"the sampler {class_path(sampling)}"
    with named_errors(what):
        given = np.asarray(sampling.centre(label, patch, foreground_p, generator), dtype=float)
    shape = np.asarray(label.shape[1:])
    if given.shape != (3,) or not (np.isfinite(given) & (given >= 0) & (given <= shape - 1)).all():
        raise InvalidDataStep(
            f"{what} must centre a patch on a voxel (z, y, x) of the image, 0 to {(shape - 1).tolist()}; found "
            f"{given.tolist()}"
        )
    return given


def chosen_slices(
    sampling: Sampling, label: Tensor, count: int, foreground_p: float, generator: np.random.Generator
) -> Tensor:
    """The numbers `(count,)` of the slices that a 2D network sees of a patch.

    Args:
        sampling: ours or one's own.
        label: `(1, *S)` ids of the patch.
        count: of slices.
        foreground_p: probability to take a slice with a structure.
        generator: source of randomness.

    Raises:
        InvalidDataStep: if a class of a user's own raises an error, draws global random numbers, or gives no slices.

    Examples:
        >>> label = torch.zeros(1, 5, 4, 4)
        >>> label[0, 3] = 1
        >>> chosen_slices(Sampling(), label, 2, 1.0, np.random.default_rng(1)).tolist()
        [3, 3]
    """
    if type(sampling).slices is Sampling.slices:
        return sampling.slices(label, count, foreground_p, generator)
    what = f"the sampler {class_path(sampling)}"
    with named_errors(what):
        given = np.asarray(sampling.slices(label, count, foreground_p, generator))
    depth = label.shape[1]
    if given.shape != (count,) or given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= depth:
        raise InvalidDataStep(
            f"{what} must choose {count} slices of 0 to {depth - 1}; found {str(given.tolist())[:80]}"
        )
    return torch.from_numpy(given.astype(np.int64))
