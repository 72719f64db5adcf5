"""Torch as it is: correct everywhere, and the engine that others are held against."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from avnnet.inference.tiling import Tiling, class_probabilities
from avnnet.models import NetworkLike


class Engine:
    """Torch at a precision, and the interface of every other engine.

    Args:
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Examples:
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> Engine().probabilities(net, torch.zeros(1, 8, 8, 8), Tiling([8, 8, 8])).shape, Engine().said
        (torch.Size([3, 8, 8, 8]), '32-true')
    """

    def __init__(self, precision: str = "32-true") -> None:
        self.precision = precision

    @property
    def said(self) -> str:
        """A name for records: masks of another one are made anew."""
        return self.precision

    def probabilities(self, net: NetworkLike, image: Tensor, tiling: Tiling, where: Tensor | None = None) -> Tensor:
        """Softmax `(K, *S)` float32 of a prepared image, on the CPU.

        Args:
            net: a network, which is put into evaluation mode.
            image: `(C, z, y, x)`.
            tiling: tile size and mirroring.
            where: as of `class_probabilities`.

        Examples:
            >>> from avnnet.models import UNet2D
            >>> net = UNet2D(channels=[2, 4], strides=[[2, 2]])
            >>> Engine().probabilities(net, torch.zeros(1, 3, 8, 8), Tiling([3, 8, 8])).sum(dim=0).mean().round()
            tensor(1.)
        """
        device = next(net.parameters()).device
        net.eval()
        with autocast(device, self.precision):
            return class_probabilities(net, image.to(device), tiling, where).cpu()


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """The autocast context of a Lightning precision name.

    Args:
        device: of the network.
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Examples:
        >>> with autocast(torch.device("cpu"), "bf16-mixed"):
        ...     (torch.eye(2) @ torch.eye(2)).dtype
        torch.bfloat16
    """
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    if precision not in kinds:
        return nullcontext()
    return torch.autocast(device.type, kinds[precision])
