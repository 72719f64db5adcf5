"""How the encoder's features join the decoder's: what fills the slot `skip` of a U-Net, called `skip(ndim, channels)`.

Such a layer says with `out_channels` how many channels it gives.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from avnnet.models.pieces.layers import CONV

SkipSlot = Callable[[int, int], nn.Module]
"""Called `skip(ndim, channels)`."""


class Concat(nn.Module):
    """Both beside each other: the next block sees all channels of both.

    Args:
        ndim: 2 or 3.
        channels: channels of the encoder's and of the decoder's features.

    Source: Ronneberger et al., MICCAI 2015.

    Examples:
        >>> fine = torch.zeros(1, 4, 8, 8)
        >>> Concat(2, 4)(fine, fine).shape
        torch.Size([1, 8, 8, 8])
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels, self.out_channels = ndim, channels, 2 * channels

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Features `(B, 2 * channels, *S)` of the decoder's `x` and the encoder's `skip`, `(B, channels, *S)` each.

        Examples:
            >>> Concat(2, 1)(torch.ones(1, 1, 1, 1), torch.zeros(1, 1, 1, 1)).flatten().tolist()  # the decoder's first
            [1.0, 0.0]
        """
        return torch.cat([x, skip], dim=1)


class Add(nn.Module):
    """The sum of both: half the channels of `Concat`, and so half the work of the next block's first convolution.

    Args:
        ndim: 2 or 3.
        channels: channels of the encoder's and of the decoder's features.

    Source: Roy et al., MICCAI 2023 (MedNeXt).

    Examples:
        >>> Add(2, 1)(torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).unique()
        tensor([2.])
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels, self.out_channels = ndim, channels, channels

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Features `(B, channels, *S)` of the decoder's `x` and the encoder's `skip`, `(B, channels, *S)` each.

        Examples:
            >>> Add(2, 1)(torch.full((1, 1, 1, 1), 2.0), torch.full((1, 1, 1, 1), 3.0)).item()
            5.0
        """
        return x + skip


class AttentionGate(nn.Module):
    """Beside each other, the encoder's features weakened where the decoder sees nothing of interest.

    The gate is one number from 0 to 1 per voxel. It is computed at the finer grid, from what `up` gave, so that nothing
    is interpolated: interpolation has no deterministic backward pass on CUDA.

    Args:
        ndim: 2 or 3.
        channels: channels of the encoder's and of the decoder's features.

    Source: Oktay et al., MIDL 2018 (additive attention: sigmoid of a linear map of the ReLU of the sum of two).

    Examples:
        >>> fine = torch.zeros(1, 4, 8, 8)
        >>> AttentionGate(2, 4)(fine, fine).shape
        torch.Size([1, 8, 8, 8])
    """

    def __init__(self, ndim: int, channels: int) -> None:
        super().__init__()
        self.ndim, self.channels, self.out_channels = ndim, channels, 2 * channels
        inner = max(1, channels // 2)
        self.of_decoder = CONV[ndim](channels, inner, 1)
        self.of_encoder = CONV[ndim](channels, inner, 1, bias=False)
        self.to_one = CONV[ndim](inner, 1, 1)

    def gate(self, x: Tensor, skip: Tensor) -> Tensor:
        """The gate `(B, 1, *S)`, 0 to 1, of the decoder's `x` and the encoder's `skip`, `(B, channels, *S)` each.

        Examples:
            >>> gate = AttentionGate(2, 4)
            >>> _ = [torch.nn.init.zeros_(weights) for weights in gate.parameters()]
            >>> gate.gate(torch.ones(1, 4, 2, 2), torch.ones(1, 4, 2, 2)).unique()  # the sigmoid of 0
            tensor([0.5000], grad_fn=<Unique2Backward0>)
        """
        return torch.sigmoid(self.to_one(torch.relu(self.of_decoder(x) + self.of_encoder(skip))))

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Features `(B, 2 * channels, *S)` of the decoder's `x` and the encoder's `skip`, `(B, channels, *S)` each.

        Examples:
            >>> layer = AttentionGate(2, 1)
            >>> _ = [torch.nn.init.zeros_(weights) for weights in layer.parameters()]
            >>> layer(torch.ones(1, 1, 1, 1), torch.ones(1, 1, 1, 1)).flatten().tolist()  # half of the encoder's
            [1.0, 0.5]
        """
        return torch.cat([x, skip * self.gate(x, skip)], dim=1)
