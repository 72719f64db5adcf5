"""The way up: a transposed convolution, the encoder's features beside it, and a block."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from avnnet.models.blocks import UP


class Decoder(nn.Module):
    """One stage per skip connection, coarsest first.

    Transposed convolutions and no interpolation: their backward pass is deterministic on CUDA.

    Args:
        ndim: 2 or 3.
        channels: channels per encoder stage, finest first.
        strides: stride per axis between stages, one fewer than stages.
        kernels: kernel size per axis, one per encoder stage.
        block: the class of a stage's block.
        convs: convolutions per block.
    """

    def __init__(
        self,
        ndim: int,
        channels: Sequence[int],
        strides: Sequence[Sequence[int]],
        kernels: Sequence[Sequence[int]],
        block: type[nn.Module],
        convs: int,
    ) -> None:
        super().__init__()
        levels = range(len(channels) - 2, -1, -1)
        self.ups = nn.ModuleList(
            UP[ndim](channels[level + 1], channels[level], tuple(strides[level]), tuple(strides[level]))
            for level in levels
        )
        self.stages = nn.ModuleList(
            block(ndim, 2 * channels[level], channels[level], kernels[level], (1,) * ndim, convs) for level in levels
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """The decoded features of every level but the coarsest, finest first.

        Examples:
            >>> from avnnet.models.blocks import ConvBlock
            >>> decoder = Decoder(2, [4, 8], [[2, 2]], [[3, 3]] * 2, ConvBlock, convs=1)
            >>> fine, coarse = torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)
            >>> [tuple(level.shape) for level in decoder([fine, coarse])]
            [(1, 4, 8, 8)]
        """
        *skips, x = features
        decoded = []
        for up, stage, skip in zip(self.ups, self.stages, reversed(skips), strict=True):
            x = stage(torch.cat([up(x), skip], dim=1))
            decoded.append(x)
        return decoded[::-1]
