"""The blocks of ConvNeXt and of MedNeXt, and MedNeXt's way to the next finer stage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.models.limits import WIDEST_KERNEL, check_whole
from avnnet.models.pieces.convnext import DepthwiseUnit, Mixer, apply_depthwise, channels_last
from avnnet.models.pieces.layers import NormSlot, convolution
from avnnet.models.pieces.norms import InstanceNorm
from avnnet.models.pieces.ups import UP, TransposedConv


class ConvNeXtBlock(nn.Module):
    """Units of a depthwise convolution and a wide 1×1 pair, one after the other, each with a way past it.

    Where channels or size change, a convolution comes first: 3 wide where it has a stride, 1 elsewhere. Give a U-Net
    wider `kernels` for it: depthwise they cost little.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis of the first convolution.
        convs: how many units.
        norm: the class of the norms, called `norm(ndim, channels)`; the paper's is `LayerNorm`.
        expansion: how many times wider the inner 1×1 layer is.
        response_norm: a `ResponseNorm` in each unit, as in ConvNeXt V2.

    Raises:
        InvalidConfig: if the expansion is out of its limits or makes too many weights.

    Source: Liu et al., CVPR 2022 (ConvNeXt); Woo et al., CVPR 2023 (V2). Without layer scale.

    Examples:
        >>> import torch
        >>> ConvNeXtBlock(3, 1, 4, (1, 5, 5), (1, 2, 2))(torch.zeros(2, 1, 5, 8, 8)).shape
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
        expansion: int = 4,
        response_norm: bool = False,
    ) -> None:
        super().__init__()
        entry: list[nn.Module] = []
        if any(step > 1 for step in stride):
            entry.append(norm(ndim, in_channels))
        if entry or in_channels != out_channels:
            wide = [3 if step > 1 else 1 for step in stride]
            entry.append(convolution(ndim, in_channels, out_channels, wide, stride))
        mixer = partial(Mixer, norm=norm, expansion=expansion, response_norm=response_norm)
        still = (1,) * ndim
        units = [DepthwiseUnit(ndim, out_channels, out_channels, kernel, still, mixer) for _ in range(convs)]
        self.layers = nn.Sequential(*entry, *units)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`."""
        return self.layers(x)


class MedNeXtBlock(nn.Module):
    """As `ConvNeXtBlock`, but a unit with a stride makes features coarser, and the inner layer is twice as wide.

    Arguments and shapes as `ConvNeXtBlock`.

    Source: Roy et al., MICCAI 2023 (MedNeXt; its group norm of one channel per group is instance norm).

    Examples:
        >>> import torch
        >>> MedNeXtBlock(3, 2, 4, (3, 3, 3), (1, 2, 2))(torch.zeros(2, 2, 5, 8, 8)).shape
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
        expansion: int = 2,
        response_norm: bool = False,
    ) -> None:
        super().__init__()
        mixer = partial(Mixer, norm=norm, expansion=expansion, response_norm=response_norm)
        still = (1,) * ndim
        entry: list[nn.Module] = []
        if any(step > 1 for step in stride):
            entry.append(DepthwiseUnit(ndim, in_channels, out_channels, kernel, stride, mixer))
        elif in_channels != out_channels:
            entry.append(convolution(ndim, in_channels, out_channels, still, still))
        units = [DepthwiseUnit(ndim, out_channels, out_channels, kernel, still, mixer) for _ in range(convs)]
        self.layers = nn.Sequential(*entry, *units)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`."""
        return self.layers(x)


class MedNeXtUp(nn.Module):
    """A depthwise transposed convolution and a wide 1×1 pair, beside a plain transposed convolution.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        stride: how many times finer, per axis.
        kernel: kernel size along the axes that become finer, an odd number.
        norm: the class of the norm, called `norm(ndim, channels)`.
        expansion: how many times wider the inner 1×1 layer is.
        response_norm: a `ResponseNorm` in it.

    Raises:
        InvalidConfig: if the kernel is even, or a number is out of its limits.

    Shapes:
        `(B, in_channels, *S)` to `(B, out_channels, *(S * stride))`.

    Source: Roy et al., MICCAI 2023; its way past is a transposed convolution of one voxel, ours of a whole stride.

    Examples:
        >>> import torch
        >>> MedNeXtUp(3, 8, 4, (1, 2, 2))(torch.zeros(1, 8, 2, 4, 4)).shape
        torch.Size([1, 4, 2, 8, 8])
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        stride: Sequence[int],
        kernel: int = 3,
        norm: NormSlot = InstanceNorm,
        expansion: int = 2,
        response_norm: bool = False,
    ) -> None:
        super().__init__()
        check_whole("the kernel of MedNeXtUp", kernel, 1, WIDEST_KERNEL)
        if kernel % 2 == 0:
            raise InvalidConfig(f"every kernel size is odd; found {kernel}")
        sizes = [kernel if step > 1 else 1 for step in stride]
        padding, beyond = tuple(size // 2 for size in sizes), tuple(step - 1 for step in stride)
        self.depthwise = UP[ndim](
            in_channels, in_channels, tuple(sizes), tuple(stride), padding, beyond, groups=in_channels
        )
        self.mixer = Mixer(ndim, in_channels, out_channels, norm, expansion, response_norm)
        self.past = TransposedConv(ndim, in_channels, out_channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *(S * stride))` of features `(B, in_channels, *S)`."""
        x = channels_last(x)
        return self.past(x) + self.mixer(apply_depthwise(self.depthwise, x))
