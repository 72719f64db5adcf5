"""The pieces of ConvNeXt and MedNeXt: depthwise kernels, and all mixing of channels in 1×1 convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from avnnet.models.limits import check_weights, check_whole
from avnnet.models.pieces.layers import CONV, NormSlot, Pointwise
from avnnet.models.pieces.norms import InstanceNorm

MAX_EXPANSION = 16
LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


def channels_last(x: Tensor) -> Tensor:
    """The same features with the channels of a voxel side by side in memory.

    On a CPU torch computes the gradient of a depthwise 3D convolution faster so.

    Args:
        x: features `(B, C, *S)` of 2 or 3 spatial axes.

    Examples:
        >>> channels_last(torch.zeros(1, 2, 3, 4)).stride()
        (24, 1, 8, 2)
    """
    return x.contiguous(memory_format=LAST[x.ndim - 2])


def apply_depthwise(layer: nn.Module, x: Tensor) -> Tensor:
    """What a depthwise convolution makes of features; on a CPU without autocast, in which its gradient takes longer.

    Args:
        layer: the convolution, plain or transposed.
        x: features `(B, C, *S)` of 2 or 3 spatial axes.

    Examples:
        >>> layer = nn.Conv2d(2, 2, 3, padding=1, groups=2)
        >>> with torch.autocast("cpu", torch.bfloat16):
        ...     apply_depthwise(layer, torch.zeros(1, 2, 3, 4)).dtype, layer(torch.zeros(1, 2, 3, 4)).dtype
        (torch.float32, torch.bfloat16)
    """
    if x.device.type != "cpu":
        return layer(x)
    with torch.autocast("cpu", enabled=False):
        return layer(x.to(next(layer.parameters()).dtype))


class ResponseNorm(nn.Module):
    """Channels scaled by how strong they are beside the others of their sample, added to what comes in.

    Scale and shift start at 0, so that at first nothing is changed.

    Args:
        ndim: 2 or 3.
        channels: channels of the features.

    Source: Woo et al., CVPR 2023 (global response normalisation of ConvNeXt V2).

    Examples:
        >>> layer, x = ResponseNorm(2, 2), torch.tensor([[[[3.0]], [[1.0]]]])
        >>> layer(x).flatten().tolist()
        [3.0, 1.0]
        >>> _ = nn.init.ones_(layer.weight)
        >>> layer(x).flatten().round(decimals=3).tolist()  # 3 + 3 * 3 / 2 and 1 + 1 * 1 / 2
        [7.5, 1.5]
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels = ndim, channels
        self.weight = nn.Parameter(torch.zeros(1, channels, *[1] * ndim))
        self.bias = nn.Parameter(torch.zeros(1, channels, *[1] * ndim))

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, channels, *S)` of features `(B, channels, *S)`.

        Examples:
            >>> layer = ResponseNorm(2, 1)
            >>> _ = nn.init.ones_(layer.weight)
            >>> layer(torch.tensor([[[[2.0]]]])).round(decimals=3).item()  # it is its own mean: twice of it
            4.0
        """
        size = torch.linalg.vector_norm(x, dim=tuple(range(2, x.ndim)), keepdim=True)
        return x + self.weight * (x * (size / (size.mean(1, keepdim=True) + 1e-6))) + self.bias


class Mixer(nn.Module):
    """A norm, then each voxel's channels through a layer `expansion` times as wide.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        norm: the class of the norm, called `norm(ndim, channels)`.
        expansion: how many times wider the inner layer is than `in_channels`.
        response_norm: a `ResponseNorm` after the activation.

    Raises:
        InvalidConfig: if the expansion is out of its limits or makes too many weights.

    Examples:
        >>> Mixer(3, 2, 4)(torch.zeros(1, 2, 2, 2, 2)).shape
        torch.Size([1, 4, 2, 2, 2])
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        norm: NormSlot = InstanceNorm,
        expansion: int = 4,
        response_norm: bool = False,
    ) -> None:
        super().__init__()
        check_whole("expansion", expansion, 1, MAX_EXPANSION)
        wide = expansion * in_channels
        check_weights(f"an expansion of {expansion} at {in_channels} channels", wide * (in_channels + out_channels))
        self.layers = nn.Sequential(
            norm(ndim, in_channels), Pointwise(in_channels, wide), nn.GELU(),
            *([ResponseNorm(ndim, wide)] if response_norm else []), Pointwise(wide, out_channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S)` of features `(B, in_channels, *S)`."""
        return self.layers(x)


class DepthwiseUnit(nn.Module):
    """A depthwise convolution and a `Mixer`, with a way past both: a 1×1 convolution where the shape changes.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis.
        mixer: what mixes the channels, called `mixer(ndim, in_channels, out_channels)`.

    Examples:
        >>> DepthwiseUnit(3, 2, 4, (5, 5, 5), (1, 2, 2))(torch.zeros(1, 2, 3, 4, 5)).shape
        torch.Size([1, 4, 3, 2, 3])
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        mixer: Callable[[int, int, int], nn.Module] = Mixer,
    ) -> None:
        super().__init__()
        padding = tuple(size // 2 for size in kernel)
        self.depthwise = CONV[ndim](in_channels, in_channels, tuple(kernel), tuple(stride), padding, groups=in_channels)
        self.mixer = mixer(ndim, in_channels, out_channels)
        is_same = in_channels == out_channels and all(step == 1 for step in stride)
        self.past = nn.Identity() if is_same else CONV[ndim](in_channels, out_channels, 1, tuple(stride))

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *(ceil(S / stride)))` of features `(B, in_channels, *S)`."""
        x = channels_last(x)
        return self.past(x) + self.mixer(apply_depthwise(self.depthwise, x))
