"""Prepared cases as training samples and validation images."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from avnnet.data.augment import Augment, cut_patch, patch_centre
from avnnet.data.cache import load_entry
from avnnet.data.ignored import structures_of


@dataclass(frozen=True)
class Draw:
    """Which case is drawn when: all that a sample's random numbers depend on beside the run's seed."""

    epoch: int
    number: int
    case: int


def seeded(*parts: int | str) -> np.random.Generator:
    """A generator that depends on the parts alone, not on what was drawn before or by which worker.

    Examples:
        >>> seeded(1, 0, "case-07").random() == seeded(1, 0, "case-07").random()
        True
    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint64))


class EpochSampler(Sampler[Draw]):
    """The draws of an epoch: all cases in a new order, again and again until there are enough.

    Args:
        cases: how many cases there are.
        draws: draws per epoch.
        seed: the run's seed.
    """

    def __init__(self, cases: int, draws: int, seed: int) -> None:
        self.cases, self.draws, self.seed = cases, draws, seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that is drawn; Lightning calls this at the start of each, also after a resume."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.draws

    def __iter__(self) -> Iterator[Draw]:
        # the round is counted over epochs, so that every case is seen equally often when an epoch is not whole rounds
        first = self.epoch * self.draws
        for number in range(self.draws):
            position = first + number
            order = seeded(self.seed, "order", position // self.cases).permutation(self.cases)
            yield Draw(self.epoch, number, int(order[position % self.cases]))


class TrainingSet(Dataset):
    """Augmented patches, or slices of augmented patches for a 2D network.

    Args:
        case_ids: one per case.
        entries: the case's cache file.
        patch: `(z, y, x)` voxels.
        spacing_mm: spacing of the prepared voxels.
        augment: what is drawn.
        foreground_p: probability that a patch is centred on a structure.
        slices: slices per patch for a 2D network; None gives the patch itself.
        seed: the run's seed.
    """

    def __init__(
        self,
        case_ids: Sequence[str],
        entries: Sequence[Path],
        *,
        patch: Sequence[int],
        spacing_mm: Sequence[float],
        augment: Augment,
        foreground_p: float,
        slices: int | None,
        seed: int,
    ) -> None:
        self.case_ids, self.entries = list(case_ids), list(entries)
        self.patch, self.spacing_mm, self.augment = tuple(patch), tuple(spacing_mm), augment
        self.foreground_p, self.slices, self.seed = foreground_p, slices, seed

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, draw: Draw) -> tuple[Tensor, Tensor]:
        """Image `(1, C, *patch)` and label `(1, 1, *patch)`, or `(slices, C, y, x)` and `(slices, 1, y, x)`."""
        image, label = load_entry(self.entries[draw.case])
        generator = seeded(self.seed, draw.epoch, draw.number, self.case_ids[draw.case])
        centre = patch_centre(label, self.patch, self.foreground_p, generator)
        image, label = cut_patch(image, label, self.patch, centre, self.augment.affine(generator, self.spacing_mm))
        image = self.augment.intensities(image, generator)
        if self.slices is None:
            return image[None], label[None]
        chosen = _drawn_slices(label, self.slices, self.foreground_p, generator)
        return image[:, chosen].movedim(1, 0).contiguous(), label[:, chosen].movedim(1, 0).contiguous()


def _drawn_slices(label: Tensor, count: int, foreground_p: float, generator: np.random.Generator) -> Tensor:
    filled = np.flatnonzero(structures_of(label)[0].flatten(1).any(dim=1).numpy())
    depth = label.shape[1]
    anywhere = generator.integers(depth, size=count)
    aimed = generator.choice(filled, size=count) if len(filled) else anywhere
    return torch.from_numpy(np.where(generator.random(count) < foreground_p, aimed, anywhere))


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
