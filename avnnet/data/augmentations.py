"""Several augmentations one after the other: ours, one's own, and MONAI's transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import Compose, MapTransform, Randomizable, Transform
from torch import Tensor

from avnnet.data.augment import Augment
from avnnet.data.augmentation import Augmentation, checked_mirror_axes, moved, varied
from avnnet.data.own_step import class_path
from avnnet.errors import InvalidDataStep
from avnnet.parts import part

IMAGE, LABEL = "image", "label"
# transforms that move voxels or change their number, whole modules of them and single ones, and one that does neither
MOVING = ("monai.transforms.spatial.", "monai.transforms.croppad.")
MOVING_TOO = ("RandSmoothDeform", "Transpose")
STAYING = ("RandSimulateLowResolution",)

OwnStep = Augmentation | Transform | Callable[[KeysCollection], MapTransform]
"""An augmentation, a transform of MONAI's, or what makes a dictionary transform of its keys."""


class MonaiStep(Augmentation):
    """A transform of MONAI's as an augmentation, with a random state that follows from the sample.

    An array transform changes the image alone. A dictionary transform (its name ends in `d`) changes image and label.

    Args:
        transform: such as `RandBiasField(prob=0.3)`; a dictionary transform has the keys `image` and `label`. A
            `Compose` of array transforms is one, a `Compose` of dictionary transforms a dictionary transform.

    Raises:
        InvalidDataStep: if it would move the image away from its label, or names other keys.

    Examples:
        >>> from monai.transforms import RandGaussianNoise
        >>> noisy = MonaiStep(RandGaussianNoise(prob=1.0))
        >>> image, label = torch.zeros(1, 4, 4, 4), torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
        >>> first, _ = noisy(image, label, (1, 1, 1), np.random.default_rng(1))
        >>> again, _ = noisy(image, label, (1, 1, 1), np.random.default_rng(1))
        >>> torch.equal(first, again), torch.equal(first, image)
        (True, False)
    """

    def __init__(self, transform: Transform) -> None:
        self.transform = transform
        leaves = list(_leaves(transform))
        for leaf in leaves:
            _check_keys(leaf)
        kinds = {isinstance(leaf, MapTransform) for leaf in leaves}
        if len(kinds) > 1:
            names = ", ".join(type(leaf).__name__ for leaf in leaves)
            raise InvalidDataStep(
                f"{class_path(transform)} has array transforms and dictionary transforms, {names}; take one kind: the "
                "names of dictionary transforms end in d"
            )
        self.takes_both = kinds == {True}

    def __call__(
        self, image: Tensor, label: Tensor, spacing_mm: Sequence[float], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """The image and, of a dictionary transform that names it, the label, changed."""
        if isinstance(self.transform, Randomizable):
            self.transform.set_random_state(seed=int(generator.integers(2**32)))
        if not self.takes_both:
            return _plain(self.transform(image)).to(image.dtype), label
        done = self.transform({IMAGE: image, LABEL: label})
        ids = _plain(done[LABEL])
        if not torch.equal(ids, ids.round()):
            between = [round(one, 3) for one in ids[ids != ids.round()].unique()[:3].tolist()]
            raise InvalidDataStep(
                f"{class_path(self.transform)} gives label ids {between}, which lie between ids: labels are "
                "interpolated; give mode: [bilinear, nearest]"
            )
        return _plain(done[IMAGE]).to(image.dtype), ids.to(label.dtype)


def _leaves(transform: object) -> Iterator[object]:
    """The transforms that a transform is made of."""
    if not isinstance(transform, Compose):
        yield transform
        return
    for one in transform.transforms:
        yield from _leaves(one)


def _check_keys(transform: object) -> None:
    name, kind = class_path(transform), type(transform).__name__
    keys = set(getattr(transform, "keys", (IMAGE,)))
    if not keys <= {IMAGE, LABEL}:
        raise InvalidDataStep(f"the keys of {name} must be some of image and label; found {sorted(map(str, keys))}")
    is_of_monai = name.startswith("monai.") and kind.removesuffix("d") in MOVING_TOO
    is_moving = (name.startswith(MOVING) and kind.removesuffix("d") not in STAYING) or is_of_monai
    if is_moving and keys != {IMAGE, LABEL}:
        raise InvalidDataStep(
            f"{name} would move the image away from its label; take {kind.removesuffix('d')}d, "
            "in a config without keys, and where it has a mode with mode: [bilinear, nearest]"
        )


def _plain(given: object) -> Tensor:
    """Without MONAI's record of what was done."""
    return torch.as_tensor(given).as_subclass(Tensor)


class Augmentations(Augmentation):
    """Our augmentation, and after it one's own steps in their order.

    Ours draws first, so that with steps that do nothing the samples are those of ours alone.

    Args:
        own: augmentations, or transforms of MONAI's; a dictionary transform is named without its `keys`.
        ours: the ranges of ours.

    Examples:
        >>> from monai.transforms import RandBiasField
        >>> both = Augmentations([RandBiasField(prob=0.3)], ours=Augment(mirror_axes=[2]))
        >>> both.mirror_axes, [type(step).__name__ for step in both.steps]
        ([2], ['MonaiStep'])
    """

    def __init__(self, own: list[OwnStep], ours: Augment = Augment()) -> None:
        # what jsonargparse makes of a class without its keys holds the whole parser, which no worker can be sent
        self.own = [part(step) if isinstance(step, partial) else step for step in own]
        self.ours = ours

    @cached_property
    def steps(self) -> list[Augmentation]:
        """One's own steps as augmentations.

        Raises:
            InvalidDataStep: if one cannot be used.
        """
        return [as_augmentation(step) for step in self.own]

    @property
    def mirror_axes(self) -> list[int]:  # type: ignore[override]  # of its steps
        """All axes that ours or a step of one's own mirrors."""
        return sorted({axis for step in (self.ours, *self.steps) for axis in checked_mirror_axes(step)})

    def affine(self, generator: np.random.Generator, spacing_mm: Sequence[float]) -> np.ndarray:
        """Ours, then those of the steps.

        Examples:
            >>> ours = Augment(mirror_axes=[2])
            >>> alone = ours.affine(np.random.default_rng(1), (1, 1, 1))
            >>> bool((Augmentations([], ours).affine(np.random.default_rng(1), (1, 1, 1)) == alone).all())
            True
        """
        matrix = self.ours.affine(generator, spacing_mm)
        for step in self.steps:
            matrix = _one_after_the_other(matrix, moved(step, generator, spacing_mm))
        return matrix

    def __call__(
        self, image: Tensor, label: Tensor, spacing_mm: Sequence[float], generator: np.random.Generator
    ) -> tuple[Tensor, Tensor]:
        """Image and label, changed by ours and then by every step."""
        sample = self.ours(image, label, spacing_mm, generator)
        for step in self.steps:
            sample = varied(step, sample, spacing_mm, generator)
        return sample


def _one_after_the_other(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    return np.hstack([outer[:, :3] @ inner[:, :3], outer[:, :3] @ inner[:, 3:] + outer[:, 3:]])


def as_augmentation(step: OwnStep) -> Augmentation:
    """The step itself, or a transform of MONAI's as one.

    Args:
        step: ours, one's own, or MONAI's; or what makes a dictionary transform of its keys.

    Raises:
        InvalidDataStep: if it is neither, or cannot be used.

    Examples:
        >>> from monai.transforms import RandFlipd
        >>> as_augmentation(partial(RandFlipd, prob=0.5)).transform.keys
        ('image', 'label')
    """
    if isinstance(step, Augmentation):
        return step
    if isinstance(step, Transform):
        return MonaiStep(step)
    if isinstance(step, partial) or (isinstance(step, type) and issubclass(step, MapTransform)):
        return MonaiStep(part(step)([IMAGE, LABEL]))
    raise InvalidDataStep(
        "an augmentation is an avnnet.data.augmentation.Augmentation or a transform of MONAI's; found a "
        f"{class_path(step)}"
    )
