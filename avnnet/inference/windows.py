"""Tiles over an image, where nnU-Net lays them and as it weighs them; a MONAI bundle carries this file as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

SD_SHARE = 1 / 8  # of the Gaussian, of the size of a tile
FAR_BELOW = -1e4  # a logit whose probability is 0


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

    Source: as `window_starts` (`compute_gaussian`, whose filter of one bright voxel reaches every edge).

    Examples:
        >>> [round(weight, 3) for weight in window_weights([8]).tolist()]
        [0.0, 0.011, 0.135, 0.607, 1.0, 0.607, 0.135, 0.011]
    """
    weights = torch.ones(())
    for size in patch:
        distances = (torch.arange(size) - size // 2) / (size * SD_SHARE)
        weights = weights[..., None] * torch.exp(-(distances**2) / 2)
    return weights


def windowed_logits(
    seen: Callable[[Tensor], Tensor],
    images: Tensor,
    patch: Sequence[int],
    flips: Sequence[Sequence[int]],
    overlap: float,
    where: Tensor | None = None,
) -> Tensor:
    """Logits `(B, K, *S)` of images, in tiles that are each seen in every mirror image.

    An image smaller than a tile lies in the middle of one, between zeros. A voxel of no tile is background.

    Args:
        seen: the network.
        images: `(B, C, *S)`.
        patch: voxels of a tile per axis.
        flips: sets of axes of S to mirror, the empty one among them.
        overlap: of neighbouring tiles.
        where: bool `S`; tiles without any such voxel are left out, but not all of them. None takes all.

    Examples:
        >>> x = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> torch.allclose(windowed_logits(lambda tile: tile, x, [4, 4], [[], [1]], 0.5), x)
        True
        >>> x, last = torch.ones(1, 1, 8), torch.arange(8) == 7
        >>> seen = windowed_logits(lambda tile: tile.expand(-1, 2, -1), x, [4], [[]], 0, last)
        >>> seen.softmax(dim=1)[0, 0].tolist()
        [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    """
    size = images.shape[2:]
    lacking = [max(tile - n, 0) for tile, n in zip(patch, size, strict=True)]
    before = [n // 2 for n in lacking]
    widths = [
        width for n, first in zip(reversed(lacking), reversed(before), strict=True) for width in (first, n - first)
    ]
    images = pad(images, widths)
    where = None if where is None else pad(where, widths)
    weights = window_weights(patch).to(images.device)
    starts = [window_starts(n, tile, overlap) for n, tile in zip(images.shape[2:], patch, strict=True)]
    total: Tensor | None = None
    share = torch.zeros(images.shape[2:], device=images.device)
    for corner in product(*starts):
        box = tuple(slice(first, first + tile) for first, tile in zip(corner, patch, strict=True))
        inside: tuple[Any, ...] = (..., *box)
        if where is not None and not where[box].any():
            continue
        tile = images[inside]
        turned = [[axis + 2 for axis in axes] for axes in flips]
        logits = torch.stack([seen(tile.flip(axes)).float().flip(axes) for axes in turned]).mean(dim=0)
        if total is None:
            total = logits.new_zeros((len(images), logits.shape[1], *images.shape[2:]))
        total[inside] += logits * weights
        share[box] += weights
    inner: tuple[Any, ...] = (..., *(slice(first, first + n) for first, n in zip(before, size, strict=True)))
    if total is None:
        raise ValueError("no tile is left; where there is nothing to look at, do not look")
    if where is not None:
        total[:, 1:].masked_fill_(share == 0, FAR_BELOW)
        share.masked_fill_(share == 0, 1)
    return (total / share)[inner]
