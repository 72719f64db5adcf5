"""Norms for the slot `norm` of a block, called `norm(ndim, channels)`; each keeps the shape `(B, channels, *S)`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from avnnet.errors import InvalidConfig


class InstanceNorm(nn.Module):
    """Mean 0 and variance 1 of each channel of each sample, then a scale and a shift per channel.

    Args:
        ndim: 2 or 3.
        channels: channels of the features.

    Source: Ulyanov et al., arXiv:1607.08022; with eps 1e-5 and scale and shift as in nnU-Net (Isensee et al., 2021).

    Examples:
        >>> y = InstanceNorm(2, 1)(torch.tensor([[[[1.0, 3.0]]]]))
        >>> [round(value, 3) for value in y.flatten().tolist()]
        [-1.0, 1.0]
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels = ndim, channels
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, channels, *S)` of features `(B, channels, *S)`; `S` holds more than one voxel in training.

        Examples:
            >>> layer = InstanceNorm(2, 2)
            >>> x = torch.randn(3, 2, 8, 8)
            >>> torch.allclose(layer(5 * x + 7), layer(x), atol=1e-3)  # neither brightness nor contrast comes through
            True
        """
        return functional.instance_norm(x, weight=self.weight, bias=self.bias, eps=1e-5)


class GroupNorm(nn.GroupNorm):
    """Mean 0 and variance 1 of groups of channels of each sample, then a scale and a shift per channel.

    Args:
        ndim: 2 or 3.
        channels: channels of the features.
        groups: how many groups; they divide the channels.

    Raises:
        InvalidConfig: if they do not.

    Source: Wu and He, ECCV 2018.

    Examples:
        >>> GroupNorm(3, 16, groups=4)(torch.zeros(1, 16, 2, 2, 2)).shape
        torch.Size([1, 16, 2, 2, 2])
        >>> GroupNorm(3, 6, groups=4)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: the groups of a GroupNorm divide its channels, 6 here; found 4. Take 1, 2, 3 or 6
    """

    def __init__(self, ndim: int, channels: int, groups: int = 4) -> None:
        if isinstance(groups, bool) or not isinstance(groups, int) or groups < 1 or channels % groups:
            *most, last = [str(number) for number in range(1, channels + 1) if channels % number == 0]
            raise InvalidConfig(
                f"the groups of a GroupNorm divide its channels, {channels} here; found {str(groups)[:80]}. Take "
                f"{', '.join(most)} or {last}"
            )
        super().__init__(groups, channels)
        self.ndim, self.channels, self.groups = ndim, channels, groups


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Mean 0 and variance 1 of each channel over the batch; a running mean and variance outside of training.

    Small batches make it noisy: a 3D network trains on two samples.

    Args:
        ndim: 2 or 3.
        channels: channels of the features.

    Source: Ioffe and Szegedy, ICML 2015.

    Examples:
        >>> BatchNorm(2, 4)(torch.zeros(2, 4, 3, 3)).shape
        torch.Size([2, 4, 3, 3])
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__(channels)
        self.ndim, self.channels = ndim, channels

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of axes: torch has a class for each, whose arithmetic is the same."""


class LayerNorm(nn.Module):
    """Mean 0 and variance 1 over the channels of each voxel, then a scale and a shift per channel.

    Args:
        ndim: 2 or 3.
        channels: channels of the features.

    Source: Ba et al., arXiv:1607.06450; over the channels as in ConvNeXt (Liu et al., CVPR 2022), eps 1e-6.

    Examples:
        >>> y = LayerNorm(2, 2)(torch.tensor([[[[1.0]], [[3.0]]]]))
        >>> [round(value, 3) for value in y.flatten().tolist()]
        [-1.0, 1.0]
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels = ndim, channels
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, channels, *S)` of features `(B, channels, *S)`.

        Examples:
            >>> x = torch.randn(1, 3, 2, 2)
            >>> layer = LayerNorm(2, 3)
            >>> torch.allclose(layer(x)[..., :1, :1], layer(x[..., :1, :1]))  # each voxel by itself
            True
        """
        last = functional.layer_norm(x.movedim(1, -1), (self.channels,), self.weight, self.bias, 1e-6)
        return last.movedim(-1, 1)
