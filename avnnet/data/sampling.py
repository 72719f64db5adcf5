"""Which case a training patch is cut from, where, and how large: by ours or by a class of one's own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from avnnet.data.augment import patch_centre
from avnnet.data.cache import load_entry
from avnnet.data.ignored import structures_of
from avnnet.errors import InvalidConfig, InvalidDataStep

COLUMNS_SHOWN = 12
Size: TypeAlias = tuple[int, ...]
"""Voxels of a patch, `(z, y, x)`."""


@dataclass(frozen=True)
class PreparedCase:
    """A training case as a sampler sees it.

    Args:
        case_id: of the cohort.
        row: of the cohort's table, every column.
        entry: its prepared voxels in the cache.
    """

    case_id: str
    row: Mapping[str, Any]
    entry: Path

    def label(self) -> Tensor:
        """The prepared label `(1, *S)` uint8, read from the cache."""
        return load_entry(self.entry)[1]


def seeded(*parts: int | str) -> np.random.Generator:
    """A generator that depends on the parts alone, not on what was drawn before or by which worker.

    Examples:
        >>> seeded(1, 0, "case-07").random() == seeded(1, 0, "case-07").random()
        True
    """
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint64))


class Sampling:
    """Every case equally often, in a new order each round; the base of all samplers.

    A sampler of one's own gives `weights`, `draw`, `sizes` or `centre`. What it draws follows from its arguments alone,
    so that a resumed training draws as it would have.

    Examples:
        >>> [Sampling().draw(position, 3, 1, None) for position in range(3)]  # all three, in some order
        [1, 2, 0]
    """

    def weights(self, cases: Sequence[PreparedCase]) -> Sequence[float] | None:
        """How often each case is drawn, relative to the others; None draws all equally often.

        It is asked once, before the first step.

        Args:
            cases: of the training fold.

        Examples:
            >>> Sampling().weights([]) is None
            True
        """
        return None

    def draw(self, position: int, count: int, seed: int, weights: Sequence[float] | None) -> int:
        """The number of the case that is drawn, from 0.

        Args:
            position: of the draw, counted over all epochs, from 0.
            count: of the cases.
            seed: the run's.
            weights: one per case that sum to 1, or None.
        """
        if weights is not None:
            return int(seeded(seed, "weighted", position).choice(count, p=weights))
        # rounds go on over epochs, so that every case is seen equally often when an epoch is not whole rounds
        return int(seeded(seed, "order", position // count).permutation(count)[position % count])

    def sizes(self, patch: Sequence[int]) -> Sequence[tuple[float, Size]]:
        """The sizes of a patch over a training, each with the share of the epochs after which it ends.

        It is asked before the first step. The last one is the patch itself, to the end: that is how images are tiled.

        Args:
            patch: `data.patch`, voxels per axis.

        Examples:
            >>> Sampling().sizes([32, 48, 32])
            [(1.0, (32, 48, 32))]
        """
        return [(1.0, tuple(patch))]

    def centre(
        self, label: Tensor, patch: Sequence[int], foreground_p: float, generator: np.random.Generator
    ) -> np.ndarray:
        """The voxel `(3,)` at the middle of the patch; see `patch_centre`.

        Args:
            label: `(1, *S)` ids.
            patch: voxels per axis.
            foreground_p: probability to aim at a structure.
            generator: source of randomness.

        Examples:
            >>> label = torch.zeros(1, 9, 9, 9)
            >>> label[0, 6, 4, 3] = 1
            >>> Sampling().centre(label, (3, 3, 3), 1.0, np.random.default_rng(1)).tolist()
            [6.0, 4.0, 3.0]
        """
        return patch_centre(label, patch, foreground_p, generator)

    def slices(self, label: Tensor, count: int, foreground_p: float, generator: np.random.Generator) -> Tensor:
        """The numbers `(count,)` of the slices that a 2D network sees of a patch.

        Args:
            label: `(1, *S)` ids of the patch.
            count: of slices.
            foreground_p: probability to take a slice with a structure.
            generator: source of randomness.

        Examples:
            >>> label = torch.zeros(1, 5, 4, 4)
            >>> label[0, 3] = 1
            >>> Sampling().slices(label, 3, 1.0, np.random.default_rng(1)).tolist()
            [3, 3, 3]
        """
        filled = np.flatnonzero(structures_of(label)[0].flatten(1).any(dim=1).numpy())
        depth = label.shape[1]
        anywhere = generator.integers(depth, size=count)
        aimed = generator.choice(filled, size=count) if len(filled) else anywhere
        return torch.from_numpy(np.where(generator.random(count) < foreground_p, aimed, anywhere))


class WeightedByColumn(Sampling):
    """Cases as often as a column of the cohort says: one of weight 2 twice as often as one of weight 1.

    Args:
        column: of numbers, 0 and above; a case of 0 is never drawn.

    Examples:
        >>> cases = [PreparedCase(name, {"weight": weight}, Path()) for name, weight in (("a", 1.0), ("b", 3))]
        >>> WeightedByColumn().weights(cases)
        [1.0, 3.0]
    """

    def __init__(self, column: str = "weight") -> None:
        self.column = column

    def weights(self, cases: Sequence[PreparedCase]) -> list[float]:
        """The column's numbers.

        Raises:
            InvalidDataStep: if the cohort has no such column, or a cell is not a number of 0 or above.
        """
        return [self._of(case) for case in cases]

    def _of(self, case: PreparedCase) -> float:
        if self.column not in case.row:
            raise InvalidDataStep(
                f"the cohort has no column {self.column!r} to draw by; it has "
                f"{', '.join(map(str, list(case.row)[:COLUMNS_SHOWN]))}. Add it, or set data.sampler.init_args.column"
            )
        try:
            found = float(case.row[self.column])
        except (TypeError, ValueError):
            found = float("nan")
        if not 0 <= found < float("inf"):
            shown = str(case.row[self.column])[:40]
            raise InvalidDataStep(
                f"{self.column} must be a number of 0 or above; found {shown!r}", case_id=case.case_id
            )
        return found


class GrowingPatch(Sampling):
    """Smaller patches in the first part of a training; `data.patch` itself in the rest.

    A smaller patch costs less, so that the same operations hold more steps. The last part must be of the whole size,
    that at which images are tiled: a network that has only seen smaller patches is worse on larger ones. Along an axis
    where `data.patch` is less, a smaller patch is cut to it, so that a config with this sampler takes another patch.

    Args:
        sizes: `(z, y, x)` voxels of each smaller patch, in the order of the training.
        until: for each the share of the epochs after which it ends, rising, below 1.

    Raises:
        InvalidConfig: if there are not as many shares as sizes, a size is not three numbers of 1 or more, or the
            shares do not rise from above 0 to below 1.

    Source:
        Fischer SM et al. Progressive growing of patch size: resource-efficient curriculum learning for dense
        prediction tasks. MICCAI 2024, arXiv:2407.07853.

    Examples:
        >>> growing = GrowingPatch([[24, 32, 24]], [0.5])
        >>> growing.sizes([32, 48, 32]), growing.sizes([8, 48, 48])
        ([(0.5, (24, 32, 24)), (1.0, (32, 48, 32))], [(0.5, (8, 32, 24)), (1.0, (8, 48, 48))])
    """

    def __init__(self, sizes: list[list[int]], until: list[float]) -> None:
        if not sizes or any(len(size) != 3 or min(size) < 1 for size in sizes):
            raise InvalidConfig(f"sizes are lists of three numbers of voxels, (z, y, x); found {sizes}")
        if len(until) != len(sizes):
            raise InvalidConfig(f"until has one share of the training for each of {len(sizes)} sizes; found {until}")
        edges = [0.0, *until, 1.0]
        if not all(low < high for low, high in pairwise(edges)):
            raise InvalidConfig(f"until rises from above 0 to below 1, as [0.25, 0.5]; found {until}")
        self.smaller, self.until = [tuple(int(n) for n in size) for size in sizes], [float(end) for end in until]

    def sizes(self, patch: Sequence[int]) -> list[tuple[float, Size]]:
        """The smaller sizes, each with where it ends, and the whole one to the end."""
        smaller = [tuple(map(min, size, patch)) for size in self.smaller]
        return [*zip(self.until, smaller, strict=True), (1.0, tuple(patch))]
