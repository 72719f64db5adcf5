"""Blocks around a block: each fills the slot `block` of a U-Net, and has such a slot itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from avnnet.errors import InvalidConfig
from avnnet.models.limits import MAX_CHANNELS, check_whole
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.layers import CONV, BlockSlot
from avnnet.models.pieces.shallow import ShallowInFloat32


class SqueezeExcitation(nn.Module):
    """A block, each of whose channels is then weakened by how it is filled in the whole patch, by a number from 0 to 1.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis of the first convolution.
        convs: convolutions of the block.
        block: the class of the block, called as `ConvBlock`.
        reduction: how many times fewer channels the layer between the means and the weights has.

    Raises:
        InvalidConfig: if the reduction is out of its limits.

    Shapes:
        `(B, in_channels, *S)` to `(B, out_channels, *(ceil(S / stride)))`.

    Source: Hu et al., CVPR 2018.

    Examples:
        >>> SqueezeExcitation(3, 1, 4, (1, 3, 3), (1, 2, 2))(torch.zeros(2, 1, 5, 8, 8)).shape
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
        block: BlockSlot = ConvBlock,
        reduction: int = 4,
    ) -> None:
        super().__init__()
        check_whole("reduction", reduction, 1, MAX_CHANNELS)
        self.block = block(ndim, in_channels, out_channels, kernel, stride, convs)
        fewer = max(1, out_channels // reduction)
        self.down, self.up = CONV[ndim](out_channels, fewer, 1), CONV[ndim](fewer, out_channels, 1)

    def weights(self, x: Tensor) -> Tensor:
        """A number from 0 to 1 for each channel, `(B, channels, 1, ...)`, of features `(B, channels, *S)`.

        Examples:
            >>> block = SqueezeExcitation(2, 1, 2, (3, 3), (1, 1))
            >>> _ = [torch.nn.init.zeros_(one) for one in (*block.down.parameters(), *block.up.parameters())]
            >>> block.weights(torch.ones(1, 2, 4, 4)).flatten().tolist()  # the sigmoid of 0
            [0.5, 0.5]
        """
        mean = x.mean(tuple(range(2, x.ndim)), keepdim=True)
        return torch.sigmoid(self.up(torch.relu(self.down(mean))))

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`.

        Examples:
            >>> block, x = SqueezeExcitation(2, 1, 2, (3, 3), (1, 1)), torch.randn(1, 1, 4, 4)
            >>> y = block.block(x)
            >>> torch.equal(block(x), y * block.weights(y))
            True
        """
        y = self.block(x)
        return y * self.weights(y)


class Checkpointed(nn.Module):
    """A block that keeps only its input in training, and is computed again for its backward pass.

    Gradients are those of the block, bit for bit; a step takes about 1.4 times as long and less memory: little less
    where one block holds most of the features, as `docs/results.md` shows.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis of the first convolution.
        convs: convolutions of the block.
        block: the class of the block, called as `ConvBlock`.

    Raises:
        InvalidConfig: if the block has a batch norm, whose running mean would move twice in a step.

    Shapes:
        `(B, in_channels, *S)` to `(B, out_channels, *(ceil(S / stride)))`.

    Source: Chen et al., arXiv:1604.06174.

    Examples:
        >>> Checkpointed(3, 1, 4, (1, 3, 3), (1, 2, 2))(torch.zeros(2, 1, 5, 8, 8)).shape
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
        block: BlockSlot = ConvBlock,
    ) -> None:
        super().__init__()
        self.block = block(ndim, in_channels, out_channels, kernel, stride, convs)
        if any(isinstance(module, _BatchNorm) for module in self.block.modules()):
            raise InvalidConfig(
                "a checkpointed block is computed twice in a step, and the running mean of a batch norm would move "
                "twice; take another norm, or the block without Checkpointed"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`.

        Examples:
            >>> block, x = Checkpointed(2, 1, 2, (3, 3), (1, 1)), torch.randn(1, 1, 4, 4)
            >>> torch.equal(block(x), block.block(x))
            True
        """
        if self.training and torch.is_grad_enabled():
            return checkpoint(self.block, x, use_reentrant=False, context_fn=_exact_twice)
        return self.block(x)


def _exact_twice() -> tuple[AbstractContextManager, AbstractContextManager]:
    # a mode that is entered around the loss is not around what is computed again in the backward pass
    return ShallowInFloat32(), ShallowInFloat32()
