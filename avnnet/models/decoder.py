"""The way up: to the next finer stage, the encoder's features joined, and a block."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.models.pieces.layers import BlockSlot
from avnnet.models.pieces.skips import Concat, SkipSlot
from avnnet.models.pieces.ups import TransposedConv, UpSlot
from avnnet.parts import fill


class Decoder(nn.Module):
    """One stage per skip connection, coarsest first.

    Transposed convolutions and no interpolation by default: their backward pass is deterministic on CUDA.

    Args:
        ndim: 2 or 3.
        channels: channels per encoder stage, finest first.
        strides: stride per axis between stages, one fewer than stages.
        kernels: kernel size per axis, one per encoder stage.
        block: the class of a stage's block.
        convs: convolutions of the block of each level but the coarsest, finest first; what follows is not looked at.
        skip: the class that joins the encoder's features.
        up: the class of the way to the next finer stage.
    """

    def __init__(
        self,
        ndim: int,
        channels: Sequence[int],
        strides: Sequence[Sequence[int]],
        kernels: Sequence[Sequence[int]],
        block: BlockSlot,
        convs: Sequence[int],
        skip: SkipSlot = Concat,
        up: UpSlot = TransposedConv,
    ) -> None:
        super().__init__()
        self.ndim, self.channels = ndim, channels
        levels = range(len(channels) - 2, -1, -1)
        self.ups = nn.ModuleList(
            fill("up", up, ndim, channels[level + 1], channels[level], strides[level]) for level in levels
        )
        self.skips = nn.ModuleList(fill("skip", skip, ndim, channels[level]) for level in levels)
        joined = [_channels(joint) for joint in self.skips]
        self.stages = nn.ModuleList(
            fill("block", block, ndim, width, channels[level], kernels[level], (1,) * ndim, convs[level])
            for width, level in zip(joined, levels, strict=True)
        )

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """The decoded features of every level but the coarsest, finest first.

        Examples:
            >>> import torch
            >>> from avnnet.models.pieces.blocks import ConvBlock
            >>> decoder = Decoder(2, [4, 8], [[2, 2]], [[3, 3]] * 2, ConvBlock, [1])
            >>> fine, coarse = torch.zeros(1, 4, 8, 8), torch.zeros(1, 8, 4, 4)
            >>> [tuple(level.shape) for level in decoder([fine, coarse])]
            [(1, 4, 8, 8)]
        """
        *skips, x = features
        decoded = []
        for up, joint, stage, skip in zip(self.ups, self.skips, self.stages, reversed(skips), strict=True):
            x = stage(joint(up(x), skip))
            decoded.append(x)
        return decoded[::-1]


def _channels(joint: nn.Module) -> int:
    found = getattr(joint, "out_channels", None)
    if not isinstance(found, int):
        raise InvalidConfig(
            f"what fills the slot skip says with out_channels how many channels it gives; {type(joint).__name__} does "
            "not. Set self.out_channels in its constructor"
        )
    return found
