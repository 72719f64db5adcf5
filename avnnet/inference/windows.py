"""nnU-Net's own way over an image: its tiles, its weights, and the mean of logits over mirror images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor
from torch.nn.functional import pad

SD_SHARE = 1 / 8


def window_starts(size: int, patch: int, overlap: float) -> list[int]:
    """The first voxels of the tiles along an axis: as few as overlap so much, at even distances.

    Args:
        size: of the image, at least that of a tile.
        patch: of a tile.
        overlap: the least share that neighbours have in common.

    Source: Isensee et al., Nat Methods 2021;18:203 (`compute_steps_for_sliding_window` of nnunetv2 2.8.1).

    Examples:
        >>> window_starts(110, 64, 0.5)
        [0, 23, 46]
    """
    count = math.ceil((size - patch) / (patch * (1 - overlap))) + 1
    return [round(number * (size - patch) / max(count - 1, 1)) for number in range(count)]


def window_weights(patch: Sequence[int]) -> Tensor:
    """The weight of each voxel of a tile: a Gaussian about the voxel behind the middle, 1 there.

    Args:
        patch: voxels of a tile per axis.

    Source: as `window_starts` (`compute_gaussian`).

    Examples:
        >>> [round(weight, 3) for weight in window_weights([8]).tolist()]
        [0.0, 0.011, 0.135, 0.607, 1.0, 0.607, 0.135, 0.011]
    """
    weights = np.ones(())
    for size in patch:
        one = np.zeros(size)
        one[size // 2] = 1
        weights = np.multiply.outer(weights, gaussian_filter1d(one, size * SD_SHARE, mode="constant"))
    weights /= weights.max()
    return torch.from_numpy(np.where(weights > 0, weights, weights[weights > 0].min())).float()


def windowed_logits(
    seen: Callable[[Tensor], Tensor],
    images: Tensor,
    patch: Sequence[int],
    flips: Sequence[Sequence[int]],
    overlap: float,
) -> Tensor:
    """Logits `(B, K, *S)` of images, in tiles that are each seen in every mirror image.

    Args:
        seen: the network.
        images: `(B, C, *S)`.
        patch: voxels of a tile per axis.
        flips: sets of axes of S to mirror, the empty one among them.
        overlap: of neighbouring tiles.

    Examples:
        >>> x = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> torch.allclose(windowed_logits(lambda tile: tile, x, [4, 4], [[], [1]], 0.5), x)
        True
    """
    size = images.shape[2:]
    lacking = [max(tile - n, 0) for tile, n in zip(patch, size, strict=True)]
    before = [n // 2 for n in lacking]
    widths = [
        width for n, first in zip(reversed(lacking), reversed(before), strict=True) for width in (first, n - first)
    ]
    images = pad(images, widths)
    weights = window_weights(patch).to(images.device)
    starts = [window_starts(n, tile, overlap) for n, tile in zip(images.shape[2:], patch, strict=True)]
    total: Tensor | None = None
    share = torch.zeros(images.shape[2:], device=images.device)
    for corner in product(*starts):
        box = tuple(slice(first, first + tile) for first, tile in zip(corner, patch, strict=True))
        inside: tuple[Any, ...] = (..., *box)
        tile = images[inside]
        turned = [[axis + 2 for axis in axes] for axes in flips]
        logits = torch.stack([seen(tile.flip(axes)).float().flip(axes) for axes in turned]).mean(dim=0)
        if total is None:
            total = logits.new_zeros((len(images), logits.shape[1], *images.shape[2:]))
        total[inside] += logits * weights
        share[box] += weights
    inner: tuple[Any, ...] = (..., *(slice(first, first + n) for first, n in zip(before, size, strict=True)))
    return (images.new_zeros(0) if total is None else total / share)[inner]
