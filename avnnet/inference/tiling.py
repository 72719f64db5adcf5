"""A network over a whole prepared image: tiles of the size it was trained on, mirrored if it was."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations, product
from typing import Any, ClassVar

import numpy as np
import torch
from monai.inferers.utils import sliding_window_inference
from scipy.ndimage import gaussian_filter1d
from torch import Tensor
from torch.nn.functional import pad

from avnnet.errors import InvalidConfig
from avnnet.models import NetworkLike
from avnnet.models.paper import check_logits

SD_SHARE = 1 / 8  # of nnU-Net's Gaussian, of the size of a tile


class Tiling:
    """How a prepared image is presented to a network.

    Args:
        patch: voxels per axis `(z, y, x)` that the network was trained on.
        mirror_axes: canonical axes whose mirror images are predicted too and averaged; only axes that were
            mirrored in training.
        overlap: overlap of neighbouring tiles.
        batch: tiles or slices per pass.
        as_nnunet: tiles, weights and mirror images as nnU-Net has them (`windowed_logits`), for its networks.

    Raises:
        InvalidConfig: if the patch does not have three sizes, the overlap is not in [0, 1), or an axis is not one of
            the three.
    """

    # avnnet's own networks are described as they were before there were others
    left_out_at_default: ClassVar[tuple[str, ...]] = ("as_nnunet",)

    def __init__(
        self,
        patch: Sequence[int],
        mirror_axes: Sequence[int] = (),
        overlap: float = 0.5,
        batch: int = 16,
        as_nnunet: bool = False,
    ) -> None:
        self.patch, self.mirror_axes = [int(n) for n in patch], [int(axis) for axis in mirror_axes]
        self.overlap, self.batch, self.as_nnunet = overlap, batch, as_nnunet
        axes = self.mirror_axes
        if len(set(axes)) != len(axes) or not set(axes) <= {0, 1, 2} or batch < 1:
            raise InvalidConfig(f"mirror_axes are some of 0, 1, 2, batch is at least 1; found {axes[:8]} and {batch}")
        if len(self.patch) != 3 or min(self.patch) < 1 or not 0 <= overlap < 1:
            raise InvalidConfig(f"a tiling needs three sizes and an overlap below 1; found {patch} and {overlap}")

    def flips(self) -> list[tuple[int, ...]]:
        """The sets of axes to mirror, the empty set first.

        Examples:
            >>> Tiling([8, 8, 8], mirror_axes=[1, 2]).flips()
            [(), (1,), (2,), (1, 2)]
        """
        axes = self.mirror_axes
        return [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]


@torch.inference_mode()
def class_probabilities(net: NetworkLike, image: Tensor, tiling: Tiling) -> Tensor:
    """Softmax `(K, *S)` float32 of a prepared image, on the image's device.

    A 2D network sees the slices of the first axis as a batch.

    Args:
        net: in evaluation mode, on the image's device; runs under the caller's autocast.
        image: `(C, z, y, x)`.
        tiling: tile size and mirroring.

    Raises:
        InvalidNetwork: if the network gives anything but logits of its classes in the size of a tile.

    Examples:
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]]).eval()
        >>> _ = [torch.nn.init.zeros_(weights) for weights in net.parameters()]  # it says a third of each class
        >>> probabilities = class_probabilities(net, torch.zeros(1, 8, 8, 12), Tiling([8, 8, 8]))
        >>> probabilities.shape, {round(p, 4) for p in probabilities.unique().tolist()}
        (torch.Size([3, 8, 8, 12]), {0.3333})
    """

    def seen(tile: Tensor) -> Tensor:
        return check_logits(net(tile), of=type(net).__name__, classes=net.classes, size=tile.shape[2:])

    if tiling.as_nnunet:
        return _as_nnunet(net, image, tiling, seen)
    total: Tensor | None = None
    for axes in tiling.flips():
        dims = [axis + 1 for axis in axes]
        batch = image.flip(dims) if dims else image
        batch = batch[None] if net.ndim == 3 else batch.movedim(1, 0)
        logits = sliding_window_inference(
            batch,
            tiling.patch[-net.ndim :],
            tiling.batch if net.ndim == 2 else 1,
            seen,
            overlap=tiling.overlap,
            mode="gaussian",
        )
        if not isinstance(logits, Tensor):  # the inferer's type allows several outputs; every tile has given one
            raise InvalidConfig("a window that slides gives one tensor")
        logits = logits[0] if net.ndim == 3 else logits.movedim(0, 1)
        probabilities = logits.float().softmax(dim=0)
        if dims:
            probabilities = probabilities.flip(dims)
        total = probabilities if total is None else total + probabilities
    if total is None:  # flips always gives the empty set
        raise InvalidConfig("a tiling without any pass")
    return total / len(tiling.flips())


def _as_nnunet(net: NetworkLike, image: Tensor, tiling: Tiling, seen: Callable[[Tensor], Tensor]) -> Tensor:
    first = 3 - net.ndim  # a mirrored slice axis changes nothing for a network on slices
    flips = [[axis - first for axis in axes] for axes in tiling.flips() if min(axes, default=first) >= first]
    patch = tiling.patch[-net.ndim :]
    if net.ndim == 3:
        return windowed_logits(seen, image[None], patch, flips, tiling.overlap)[0].softmax(dim=0)
    slices = image.movedim(1, 0).split(tiling.batch)
    logits = torch.cat([windowed_logits(seen, some, patch, flips, tiling.overlap) for some in slices])
    return logits.movedim(0, 1).softmax(dim=0)


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
