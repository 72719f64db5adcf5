"""Convolutions, norm and activation as the blocks put them together, and what fills their slots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from avnnet.errors import InvalidConfig

CONV: dict[int, type[nn.Module]] = {2: nn.Conv2d, 3: nn.Conv3d}
POOL: dict[int, type[nn.Module]] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
DROP: dict[int, type[nn.Module]] = {2: nn.Dropout2d, 3: nn.Dropout3d}
NormSlot = Callable[[int, int], nn.Module]
"""Called `norm(ndim, channels)`."""
ActSlot = Callable[[], nn.Module]
"""Called `act()`."""
BlockSlot = Callable[[int, int, int, Sequence[int], Sequence[int], int], nn.Module]
"""Called `block(ndim, in_channels, out_channels, kernel, stride, convs)`."""


class Pointwise(nn.Linear):
    """A 1×1 convolution, computed as the product of two matrices.

    On a CPU torch unfolds the features for a 3D convolution even where the kernel is one voxel; of features that lie in
    memory channels last, as a depthwise convolution gives them, this copies nothing.

    Shapes:
        `(B, in_features, *S)` to `(B, out_features, *S)`.

    Examples:
        >>> import torch
        >>> Pointwise(2, 4)(torch.zeros(1, 2, 3, 5, 7)).shape
        torch.Size([1, 4, 3, 5, 7])
    """

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_features, *S)` of features `(B, in_features, *S)`."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


def convolution(
    ndim: int, in_channels: int, out_channels: int, kernel: Sequence[int], stride: Sequence[int]
) -> nn.Module:
    """A convolution with bias that keeps the size but for its stride.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis.

    Examples:
        >>> convolution(2, 1, 4, [1, 3], [1, 2])
        Conv2d(1, 4, kernel_size=(1, 3), stride=(1, 2), padding=(0, 1))
    """
    return CONV[ndim](in_channels, out_channels, tuple(kernel), tuple(stride), tuple(size // 2 for size in kernel))


def activation(act: ActSlot) -> nn.Module:
    """An activation that overwrites what it is given, where it can: after a norm nobody else needs it.

    Args:
        act: the class.

    Examples:
        >>> activation(nn.LeakyReLU), activation(nn.GELU)
        (LeakyReLU(negative_slope=0.01, inplace=True), GELU(approximate='none'))
    """
    made: Any = act()
    if hasattr(made, "inplace"):
        made.inplace = True
    return made


def drop(ndim: int, share: float) -> list[nn.Module]:
    """A layer that drops whole channels in training, in a list, which is empty where the share is 0.

    Args:
        ndim: 2 or 3.
        share: of the channels that are dropped, from 0 to below 1.

    Raises:
        InvalidConfig: if it is out of these.

    Examples:
        >>> drop(3, 0.2), drop(3, 0.0)
        ([Dropout3d(p=0.2, inplace=False)], [])
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
        raise InvalidConfig(f"dropout is a share of the channels, from 0 to below 1; found {str(share)[:80]}")
    return [DROP[ndim](share)] if share else []
