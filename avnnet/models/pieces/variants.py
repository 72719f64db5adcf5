"""Blocks for ablations: each fills the slot `block` of a U-Net."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from avnnet.models.pieces.acts import LeakyReLU
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.layers import CONV, POOL, ActSlot, NormSlot
from avnnet.models.pieces.norms import InstanceNorm


class ResidualBlock(ConvBlock):
    """A `ConvBlock` with a way past it: the mean over the stride and a 1×1 convolution where the shape changes.

    Arguments and shapes as `ConvBlock`.

    Source: He et al., CVPR 2016; the shortcut is the one of nnU-Net's residual encoder (Isensee et al.,
    arXiv:2404.09556).

    Examples:
        >>> import torch
        >>> ResidualBlock(3, 1, 4, (1, 3, 3), (1, 2, 2))(torch.zeros(2, 1, 5, 8, 8)).shape
        torch.Size([2, 4, 5, 4, 4])
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        convs: int = 2,
        norm: NormSlot = InstanceNorm,
        act: ActSlot = LeakyReLU,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(ndim, in_channels, out_channels, kernel, stride, convs, norm, act, dropout)
        past: list[nn.Module] = []
        if any(step > 1 for step in stride):
            past.append(POOL[ndim](tuple(stride), tuple(stride), ceil_mode=True))
        if in_channels != out_channels:
            past += [CONV[ndim](in_channels, out_channels, 1, bias=False), norm(ndim, out_channels)]
        self.past = nn.Sequential(*past)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> block = ResidualBlock(2, 1, 1, (3, 3), (2, 2))
            >>> _ = [torch.nn.init.zeros_(weights) for weights in block.layers.parameters()]
            >>> block(torch.arange(16.0).reshape(1, 1, 4, 4)).tolist()  # only the way past: the mean of 0, 1, 4, 5, ...
            [[[[2.5, 4.5], [10.5, 12.5]]]]
        """
        return self.layers(x) + self.past(x)
