"""The way to the next finer stage: what fills the slot `up` of a U-Net, called `up(ndim, in_channels, out, stride)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn
from torch.nn import functional

UP: dict[int, type[nn.Module]] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
UP_FUNCTION: dict[int, Callable[..., Tensor]] = {2: functional.conv_transpose2d, 3: functional.conv_transpose3d}
UpSlot = Callable[[int, int, int, Sequence[int]], nn.Module]
"""Called `up(ndim, in_channels, out_channels, stride)`."""


class TransposedConv(nn.Module):
    """A transposed convolution whose kernel is its stride: every voxel becomes a block of voxels of its own.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        stride: how many times finer, per axis.

    Shapes:
        `(B, in_channels, *S)` to `(B, out_channels, *(S * stride))`.

    Source: Isensee et al., Nat Methods 2021;18:203 (upsampling of nnU-Net).

    Examples:
        >>> import torch
        >>> TransposedConv(3, 8, 4, (1, 2, 2))(torch.zeros(1, 8, 2, 4, 4)).shape
        torch.Size([1, 4, 2, 8, 8])
    """

    def __init__(self, ndim: int, in_channels: int, out_channels: int, stride: Sequence[int]) -> None:
        super().__init__()
        made = UP[ndim](in_channels, out_channels, tuple(stride), tuple(stride))
        self.ndim, self.in_channels, self.out_channels, self.stride = ndim, in_channels, out_channels, tuple(stride)
        self.weight, self.bias = made.weight, made.bias  # not a layer in a layer: old weights keep their names

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *(S * stride))` of features `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> up = TransposedConv(2, 1, 1, (2, 2))
            >>> _ = torch.nn.init.ones_(up.weight), torch.nn.init.zeros_(up.bias)
            >>> up(torch.tensor([[[[3.0]]]])).flatten().tolist()
            [3.0, 3.0, 3.0, 3.0]
        """
        return UP_FUNCTION[self.ndim](x, self.weight, self.bias, self.stride)
