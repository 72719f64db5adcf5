"""Prepared cases as training samples and validation images."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from avnnet.data.augment import Augment, cut_patch
from avnnet.data.augmentation import Augmentation, moved, varied
from avnnet.data.cache import load_entry
from avnnet.data.drawn import aimed_centre, checked_sizes, chosen_slices, drawn_case, size_at
from avnnet.data.own_step import class_path
from avnnet.data.sampling import Sampling, seeded
from avnnet.errors import InvalidDataStep

CHECKED_DRAWS = 4


@dataclass(frozen=True)
class Draw:
    """Which case is drawn when: all that a sample's random numbers depend on beside the run's seed."""

    epoch: int
    number: int
    case: int
    progress: float = 1.0  # of the training: the size of the patch depends on it


class EpochSampler(Sampler[Draw]):
    """The draws of an epoch.

    Args:
        cases: how many cases there are.
        draws: draws per epoch.
        seed: the run's seed.
        sampling: which case is drawn; by default all in a new order, again and again until there are enough.
        weights: how often each case is drawn, summing to 1; None for equally often.
        progress: the share of the training that is done before an epoch; all of it by default.
    """

    def __init__(
        self,
        cases: int,
        draws: int,
        seed: int,
        sampling: Sampling = Sampling(),
        weights: Sequence[float] | None = None,
        progress: Callable[[int], float] = lambda epoch: 1.0,
    ) -> None:
        self.cases, self.draws, self.seed = cases, draws, seed
        self.sampling, self.weights, self.progress = sampling, weights, progress
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that is drawn; Lightning calls this at the start of each, also after a resume."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[Draw]:
        first, progress = self.epoch * self.draws, self.progress(self.epoch)
        for number in range(self.draws):
            case = drawn_case(self.sampling, first + number, self.cases, self.seed, self.weights)
            yield Draw(self.epoch, number, case, progress)


class TrainingSet(Dataset):
    """Augmented patches, or slices of augmented patches for a 2D network.

    Args:
        case_ids: one per case.
        entries: the case's cache file.
        patch: `(z, y, x)` voxels, at the end of the training.
        spacing_mm: spacing of the prepared voxels.
        augment: what is drawn.
        foreground_p: probability that a patch is centred on a structure.
        slices: slices per patch for a 2D network; None gives the patch itself.
        seed: the run's seed.
        sampling: where a patch is cut, and how large it is.
        max_id: the largest label id, which no augmentation of a user's own may go beyond; None does not ask.
    """

    def __init__(
        self,
        case_ids: Sequence[str],
        entries: Sequence[Path],
        *,
        patch: Sequence[int],
        spacing_mm: Sequence[float],
        augment: Augmentation,
        foreground_p: float,
        slices: int | None,
        seed: int,
        sampling: Sampling = Sampling(),
        max_id: int | None = None,
    ) -> None:
        self.case_ids, self.entries = list(case_ids), list(entries)
        self.sizes, self.spacing_mm, self.augment = checked_sizes(sampling, patch), tuple(spacing_mm), augment
        self.foreground_p, self.slices, self.seed = foreground_p, slices, seed
        self.sampling, self.max_id = sampling, max_id

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Image `(1, C, *patch)` and label `(1, 1, *patch)`, or `(slices, C, y, x)` and `(slices, 1, y, x)`.

        Raises:
            InvalidDataStep: if a step of a user's own cannot be used.
        """
        try:
            return self._sample(draw)
        except InvalidDataStep as error:
            raise InvalidDataStep(str(error), case_id=self.case_ids[draw.case]) from error

    def _sample(self, draw: Draw) -> tuple[Tensor, Tensor]:
        image, label = load_entry(self.entries[draw.case])
        generator = seeded(self.seed, draw.epoch, draw.number, self.case_ids[draw.case])
        patch = size_at(self.sizes, draw.progress)
        centre = aimed_centre(self.sampling, label, patch, self.foreground_p, generator)
        if type(self.augment) is Augment:
            matrix = self.augment.affine(generator, self.spacing_mm)
            image, label = cut_patch(image, label, patch, centre, matrix)
            image, label = self.augment(image, label, self.spacing_mm, generator)
        else:
            matrix = moved(self.augment, generator, self.spacing_mm)
            sample = cut_patch(image, label, patch, centre, matrix)
            image, label = varied(self.augment, sample, self.spacing_mm, generator, self.max_id)
        if self.slices is None:
            return image[None], label[None]
        chosen = chosen_slices(self.sampling, label, self.slices, self.foreground_p, generator)
        return image[:, chosen].movedim(1, 0).contiguous(), label[:, chosen].movedim(1, 0).contiguous()


def check_repeatable(samples: TrainingSet, draws: EpochSampler) -> None:
    """Makes the first samples twice, and refuses steps that do not give the same again.

    Args:
        samples: of the training.
        draws: of its first epoch.

    Raises:
        InvalidDataStep: if a step of a user's own cannot be used, or gives another sample the second time.
    """
    first = list(draws)
    if first != list(draws):
        raise InvalidDataStep(
            f"the sampler {class_path(draws.sampling)} draws other cases the second time; let what it draws follow "
            "from position and seed alone, without a count or a random state of its own"
        )
    for draw in first[:CHECKED_DRAWS]:
        pairs = zip(samples[draw], samples[draw], strict=True)
        if not all(torch.equal(once, again) for once, again in pairs):
            own = samples.augment if type(samples.augment) is not Augment else samples.sampling
            raise InvalidDataStep(
                f"{class_path(own)} gives another sample the second time, from a generator of the same seed; draw from "
                "the generator that it is called with, and keep no count and no random state of your own",
                case_id=samples.case_ids[draw.case],
            )


class WeightedSet(Dataset):
    """Training samples with the weights of their cases.

    Args:
        samples: image and label of a draw.
        weights: one per case.
    """

    def __init__(self, samples: Dataset, weights: Sequence[float]) -> None:
        self.samples, self.weights = samples, list(weights)

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor, Tensor]:
        """Image and label of a draw, and how often the loss counts each sample of it, `(1,)` or `(slices,)`."""
        image, label = self.samples[draw]
        return image, label, torch.full((len(image),), self.weights[draw.case])


class ValidationSet(Dataset):
    """Whole prepared cases: image `(C, *S)` and label `(1, *S)`.

    Args:
        entries: cache files of the cases.
    """

    def __init__(self, entries: Sequence[Path]) -> None:
        self.entries = list(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Image `(C, *S)` and label `(1, *S)` of a case."""
        return load_entry(self.entries[index])


def concatenate(samples: list[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """One batch: the samples' images `(B, C, *S)`, labels `(B, 1, *S)` and, where they have any, weights `(B,)`.

    Examples:
        >>> samples = [(torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4))] * 3  # two slices of each of three cases
        >>> concatenate(samples)[0].shape
        torch.Size([6, 1, 4, 4])
    """
    return tuple(torch.cat(parts) for parts in zip(*samples, strict=True))
