"""What every U-Net shares, whatever it is assembled from: a way down, a way up, and heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.models.network import Network
from avnnet.models.pieces.layers import CONV
from avnnet.models.pieces.ups import TransposedConv


class UShape(Network):
    """A network of a stem, an encoder, a decoder and a head per supervised level; a subclass assembles them.

    A subclass sets `channels` and `strides`, then `stem`, `encoder`, `decoder` and `heads`, and calls
    `self.apply(initialise)`.
    """

    channels: list[int]
    strides: list[list[int]]
    stem: nn.Module
    encoder: nn.Module
    decoder: nn.Module
    heads: nn.ModuleList

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of.

        Examples:
            >>> from avnnet.models import UNet3D
            >>> UNet3D(channels=[4, 8, 16], strides=[[1, 2, 2], [2, 2, 2]]).divisors
            (2, 4, 4)
        """
        product = [1] * self.ndim
        for stride in self.strides:
            product = [total * step for total, step in zip(product, stride, strict=True)]
        return tuple(product)

    def sizes(self, kernels: list[list[int]] | None) -> list[list[int]]:
        """The kernel size per axis of every stage: those given, or 3 everywhere.

        Args:
            kernels: as the network was given them.

        Raises:
            InvalidConfig: if strides or kernels do not match the stages or the dimensions.

        Examples:
            >>> from avnnet.models import UNet2D
            >>> UNet2D(channels=[4, 8], strides=[[2, 2]]).sizes(None)
            [[3, 3], [3, 3]]
        """
        if not hasattr(type(self), "ndim"):
            name = type(self).__name__
            raise InvalidConfig(f"{name} has no dimensions of its own: use {name}2D or {name}3D")
        stages = len(self.channels)
        sizes = [[3] * self.ndim] * stages if kernels is None else kernels
        self._check("strides", self.strides, stages - 1)
        self._check("kernels", sizes, stages)
        return sizes

    def _check(self, name: str, values: Sequence[Sequence[int]], count: int) -> None:
        if len(values) != count or any(len(entry) != self.ndim for entry in values):
            raise InvalidConfig(
                f"{type(self).__name__} with {len(self.channels)} stages needs {count} {name} of {self.ndim} "
                f"entries each; found {values}. A 2D experiment is a config of its own, not an overlay on a 3D one"
            )

    def heads_of(self, classes: int, count: int) -> nn.ModuleList:
        """A 1×1 convolution to logits for each of the finest levels of the decoder.

        Args:
            classes: classes of the output, background included.
            count: how many levels.
        """
        return nn.ModuleList(CONV[self.ndim](width, classes, 1) for width in self.channels[:count])

    def decoded(self, x: Tensor) -> list[Tensor]:
        """The decoder's features of every level but the coarsest, finest first, of an image `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> from avnnet.models import UNet2D
            >>> net = UNet2D(channels=[4, 8, 16], strides=[[2, 2], [2, 2]])
            >>> [tuple(one.shape) for one in net.decoded(torch.zeros(1, 1, 8, 8))]
            [(1, 4, 8, 8), (1, 8, 4, 4)]
        """
        return self.decoder(self.encoder(self.stem(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(B, classes, *S)` of an image `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> from avnnet.models import UNet2D
            >>> UNet2D(channels=[4, 8], strides=[[2, 2]], classes=3)(torch.zeros(5, 1, 8, 8)).shape
            torch.Size([5, 3, 8, 8])
        """
        return self.heads[0](self.decoded(x)[0])

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits of the finest `deep_supervision` levels, finest first, for the loss."""
        return [head(features) for head, features in zip(self.heads, self.decoded(x), strict=False)]


def initialise(module: nn.Module) -> None:
    """Draws the weights of a convolution as for leaky ReLU of slope 0.01, and sets its bias to 0; leaves other layers.

    Args:
        module: a layer of a network, as `network.apply(initialise)` hands it over.

    Source: He et al., ICCV 2015; Isensee et al., Nat Methods 2021;18:203 (slope 0.01).

    Examples:
        >>> layer = CONV[2](1, 1, 3)
        >>> initialise(layer)
        >>> layer.bias.tolist()
        [0.0]
    """
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d | TransposedConv):
        layer: Any = module
        nn.init.kaiming_normal_(layer.weight, a=0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
