"""Random changes of a training sample, ours or one's own, and how what an own one gives is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avnnet.data.ignored import structures_of
from avnnet.data.own_step import class_path, named_errors
from avnnet.errors import InvalidDataStep

MAX_SHOWN = 4
MIN_VOLUME = 1e-3
"""The smallest volume, in input voxels, that a voxel of a patch may be cut from."""


class Augmentation:
    """The base of all augmentations: a sample's image and label to a changed image and label of the same shapes.

    Every random number comes from the generator handed over. It follows from (seed, epoch, draw, case), so that a
    resumed training, and one with workers, sees the same samples.

    Attributes:
        mirror_axes: canonical axes (0 slice, 1, 2) that it mirrors, so that a trained network may predict their mirror
            images too; none by default.

    Examples:
        >>> class Brighter(Augmentation):
        ...     def __call__(self, image, label, spacing_mm, generator):
        ...         return image + generator.uniform(0, 1), label
        >>> image, label = torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
        >>> brighter, _ = Brighter()(image, label, (3.0, 0.5, 0.5), np.random.default_rng(1))
        >>> 0 < float(brighter.min()) < 1, Brighter().mirror_axes
        (True, ())
    """

    mirror_axes: Sequence[int] = ()

    def affine(self, generator: np.random.Generator, spacing_mm: Sequence[float]) -> np.ndarray:
        """A `(3, 4)` matrix from output to input voxel offsets around the centre of the patch; here nothing moves.

        The patch is cut and moved in one interpolation, from what lies around it too.

        Args:
            generator: source of randomness.
            spacing_mm: of the voxels `(z, y, x)`.

        Examples:
            >>> Augmentation().affine(np.random.default_rng(1), (3.0, 0.5, 0.5)).tolist()
            [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
        """
        return np.eye(3, 4)

    def __call__(
        self, image: Tensor, label: Tensor, spacing_mm: Sequence[float], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """The changed image `(C, *S)` float32 and label `(1, *S)` uint8; here as they came.

        Args:
            image: `(C, *S)` float32, normalised and cut.
            label: `(1, *S)` uint8 ids.
            spacing_mm: of the voxels `(z, y, x)`.
            generator: source of randomness.
        """
        return image, label


def varied(
    step: Augmentation,
    sample: tuple[Tensor, Tensor],
    spacing_mm: Sequence[float],
    generator: np.random.Generator,
    max_id: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Image and label, changed by a step of a user's own, and looked at.

    Args:
        step: the augmentation.
        sample: image `(C, *S)` and label `(1, *S)`.
        spacing_mm: of the voxels `(z, y, x)`.
        generator: source of randomness.
        max_id: the largest label id there is; None does not ask.

    Raises:
        InvalidDataStep: if it raises an error, draws global random numbers, or changes shape or type, or gives NaN or
            ids that there are not.

    Examples:
        >>> image, label = torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
        >>> same, _ = varied(Augmentation(), (image, label), (1, 1, 1), np.random.default_rng(1))
        >>> torch.equal(same, image)
        True
    """
    name = _named(step)
    with named_errors(name):
        given = step(*sample, spacing_mm, generator)
    if not isinstance(given, tuple) or len(given) != 2:
        raise InvalidDataStep(f"{name} must give (image, label); found {type(given).__name__}. return image, label")
    for kind, before, now in zip(("image", "label"), sample, given, strict=True):
        if not isinstance(now, Tensor) or now.shape != before.shape or now.dtype != before.dtype:
            found = f"{now.dtype} {tuple(now.shape)}" if isinstance(now, Tensor) else type(now).__name__
            raise InvalidDataStep(
                f"{name} must keep the {kind}'s type and shape, {before.dtype} {tuple(before.shape)}; found {found}. "
                "Samples of a batch are of one size: crop and resample by data.patch and data.spacing_mm"
            )
    image, label = given
    if not torch.isfinite(image).all():
        count = int((~torch.isfinite(image)).sum())
        raise InvalidDataStep(
            f"{name} gives {count} voxels that are NaN or infinite; a normalised image has negative values, of which "
            "there is no logarithm or root"
        )
    known = structures_of(label)
    if max_id is not None and int(known.max()) > max_id:
        strange = [one for one in known.unique().tolist() if one > max_id]
        raise InvalidDataStep(
            f"{name} gives label ids {strange[:MAX_SHOWN]} that data.labels has no name for, they go to {max_id}; move "
            "labels to the nearest voxel, without interpolation"
        )
    return image, label


def moved(step: Augmentation, generator: np.random.Generator, spacing_mm: Sequence[float]) -> np.ndarray:
    """The `(3, 4)` matrix by which a step of a user's own moves a patch, looked at.

    Args:
        step: the augmentation.
        generator: source of randomness.
        spacing_mm: of the voxels `(z, y, x)`.

    Raises:
        InvalidDataStep: if it raises an error, draws global random numbers, or gives no such matrix.

    Examples:
        >>> moved(Augmentation(), np.random.default_rng(1), (3.0, 0.5, 0.5)).shape
        (3, 4)
    """
    name = f"affine of {_named(step)}"
    with named_errors(name):
        matrix = np.asarray(step.affine(generator, spacing_mm), dtype=float)
    if matrix.shape != (3, 4) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:, :3])) < MIN_VOLUME:
        raise InvalidDataStep(
            f"{name} must give a finite (3, 4) matrix, from output to input voxels, that does not flatten the patch; "
            f"found {str(matrix.tolist())[:120]}"
        )
    return matrix


def _named(step: Augmentation) -> str:
    return f"the augmentation {class_path(getattr(step, 'transform', step))}"


def checked_mirror_axes(augment: Augmentation) -> list[int]:
    """The mirror axes of an augmentation.

    Args:
        augment: ours or one's own.

    Raises:
        InvalidDataStep: if they are not some of 0, 1 and 2.

    Examples:
        >>> class Mirrored(Augmentation):
        ...     mirror_axes = (1, 2)
        >>> checked_mirror_axes(Mirrored())
        [1, 2]
    """
    axes = augment.mirror_axes
    try:
        found = [int(axis) for axis in axes]
    except (TypeError, ValueError):
        found = [-1]
    if len(set(found)) != len(found) or not set(found) <= {0, 1, 2}:
        raise InvalidDataStep(
            f"mirror_axes of {_named(augment)} must be a list of some of 0, 1, 2; found {axes!r}. "
            "Leave it out where nothing is mirrored"
        )
    return found
