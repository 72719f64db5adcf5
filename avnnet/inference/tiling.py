"""A network over a whole prepared image: tiles of the size it was trained on, mirrored if it was."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from avnnet.errors import InvalidConfig
from avnnet.inference.windows import windowed_logits
from avnnet.models.paper import check_logits


class Seeing(Protocol):
    """What computes the logits of a tile: a network, or what an engine made of one."""

    @property
    def ndim(self) -> int:
        """Axes of what it sees."""

    @property
    def classes(self) -> int:
        """Classes that it tells apart."""

    def __call__(self, x: Tensor) -> Tensor:
        """Logits `(B, K, *S)` of `(B, C, *S)`."""


class Tiling:
    """How a prepared image is presented to a network: as nnU-Net does it, so that equal weights give equal masks.

    Args:
        patch: voxels per axis `(z, y, x)` that the network was trained on.
        mirror_axes: canonical axes whose mirror images are predicted too and averaged; only axes that were
            mirrored in training.
        overlap: overlap of neighbouring tiles.
        batch: slices per pass, up to twice as many.

    Raises:
        InvalidConfig: if the patch does not have three sizes, the overlap is not in [0, 1), or an axis is not one of
            the three.
    """

    # models imported from nnU-Net say it, of the time when other networks had tiles of another kind
    no_longer: ClassVar[tuple[str, ...]] = ("as_nnunet",)

    def __init__(
        self, patch: Sequence[int], mirror_axes: Sequence[int] = (), overlap: float = 0.5, batch: int = 16
    ) -> None:
        self.patch, self.mirror_axes = [int(n) for n in patch], [int(axis) for axis in mirror_axes]
        self.overlap, self.batch = overlap, batch
        axes = self.mirror_axes
        if len(set(axes)) != len(axes) or not set(axes) <= {0, 1, 2} or batch < 1:
            raise InvalidConfig(f"mirror_axes are some of 0, 1, 2, batch is at least 1; found {axes[:8]} and {batch}")
        if len(self.patch) != 3 or min(self.patch) < 1 or not 0 <= overlap < 1:
            raise InvalidConfig(f"a tiling needs three sizes and an overlap below 1; found {patch} and {overlap}")

    def at_a_glance(self) -> Tiling:
        """Tiles beside each other, and no mirror image.

        Examples:
            >>> quick = Tiling([8, 8, 8], mirror_axes=[2]).at_a_glance()
            >>> quick.patch, quick.overlap, quick.flips()
            ([8, 8, 8], 0, [()])
        """
        return Tiling(self.patch, overlap=0, batch=self.batch)

    def flips(self, ndim: int = 3) -> list[tuple[int, ...]]:
        """The sets of axes of what a network sees that are mirrored, the empty set first.

        Args:
            ndim: axes that the network sees; a mirrored slice axis changes nothing for one on slices.

        Examples:
            >>> Tiling([8, 8, 8], mirror_axes=[1, 2]).flips()
            [(), (1,), (2,), (1, 2)]
            >>> Tiling([8, 8, 8], mirror_axes=[0, 2]).flips(2)
            [(), (1,)]
        """
        axes = [axis - (3 - ndim) for axis in self.mirror_axes if axis >= 3 - ndim]
        return [chosen for count in range(len(axes) + 1) for chosen in combinations(axes, count)]


@torch.inference_mode()
def class_probabilities(net: Seeing, image: Tensor, tiling: Tiling, where: Tensor | None = None) -> Tensor:
    """Softmax `(K, *S)` float32 of a prepared image, on the image's device.

    Logits of mirror images are averaged, those of tiles by their weights. A 2D network sees the slices of the first
    axis as a batch.

    Args:
        net: in evaluation mode, on the image's device; runs under the caller's autocast.
        image: `(C, z, y, x)`.
        tiling: tile size and mirroring.
        where: bool `(z, y, x)`; tiles without any such voxel are left out, and a voxel of no tile is background.

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

    patch, flips = tiling.patch[-net.ndim :], tiling.flips(net.ndim)
    where = None if where is None else where.to(image.device)

    def of(images: Tensor, place: Tensor | None) -> Tensor:
        if place is not None and not place.any():
            certain = images.new_zeros((len(images), net.classes, *images.shape[2:]))
            certain[:, 0] = 1
            return certain
        return windowed_logits(seen, images, patch, flips, tiling.overlap, place).softmax(dim=1)

    if net.ndim == 3:
        return of(image[None], where)[0]
    slices = image.movedim(1, 0)
    # even parts, none below `batch`: of fewer than 16 slices, torch convolves otherwise with one thread than with two
    count = max(1, len(slices) // tiling.batch)
    places = [None] * count if where is None else [some.any(dim=0) for some in where.tensor_split(count)]
    parts = [of(some, place) for some, place in zip(slices.tensor_split(count), places, strict=True)]
    return torch.cat(parts).movedim(0, 1)
