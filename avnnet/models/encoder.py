"""The way down: one block per stage, each coarser than the one before."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from avnnet.models.pieces.layers import BlockSlot
from avnnet.parts import fill


class Encoder(nn.Module):
    """Stages of blocks; the first keeps the resolution, each further one divides it by its stride.

    Args:
        ndim: 2 or 3.
        in_channels: channels of the image.
        channels: channels per stage, finest first.
        strides: stride per axis between stages, one fewer than stages.
        kernels: kernel size per axis, one per stage.
        block: the class of a stage's block.
        convs: convolutions of each stage's block.
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        channels: Sequence[int],
        strides: Sequence[Sequence[int]],
        kernels: Sequence[Sequence[int]],
        block: BlockSlot,
        convs: Sequence[int],
    ) -> None:
        super().__init__()
        before = [in_channels, *channels[:-1]]
        steps = [(1,) * ndim, *strides]
        self.channels, self.strides = channels, steps
        self.stages = nn.ModuleList(
            fill("block", block, ndim, width_in, width, kernel, step, number)
            for width_in, width, kernel, step, number in zip(before, channels, kernels, steps, convs, strict=True)
        )

    def forward(self, x: Tensor) -> list[Tensor]:
        """The features of every stage, finest first, of an image `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> from avnnet.models.pieces.blocks import ConvBlock
            >>> encoder = Encoder(2, 1, [4, 8], [[2, 2]], [[3, 3]] * 2, ConvBlock, [1, 1])
            >>> [tuple(stage.shape) for stage in encoder(torch.zeros(1, 1, 8, 8))]
            [(1, 4, 8, 8), (1, 8, 4, 4)]
        """
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features
