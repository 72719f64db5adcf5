"""The block of nnU-Net's residual encoder."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from avnnet.models.pieces.acts import LeakyReLU
from avnnet.models.pieces.layers import CONV, POOL, ActSlot, NormSlot, activation, convolution, drop
from avnnet.models.pieces.norms import InstanceNorm


class TwoConvs(nn.Module):
    """Two convolutions and a way past them, the activation after the sum; the last norm starts at 0.

    Arguments and shapes as `ConvBlock` without `convs`.

    Source: He et al., CVPR 2019 (ResNet-D: the way past is a mean and a 1×1 convolution without bias); Goyal et al.,
    arXiv:1706.02677 (the last norm starts at 0).

    Examples:
        >>> import torch
        >>> x = torch.tensor([[[[-1.0, 3.0]]]])
        >>> TwoConvs(2, 1, 1, (3, 3), (1, 1))(x).tolist()  # at first it is its way past
        [[[[-0.009999999776482582, 3.0]]]]
    """

    def __init__(
        self,
        ndim: int,
        in_channels: int,
        out_channels: int,
        kernel: Sequence[int],
        stride: Sequence[int],
        norm: NormSlot = InstanceNorm,
        act: ActSlot = LeakyReLU,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        last = norm(ndim, out_channels)
        weight = getattr(last, "weight", None)
        if isinstance(weight, Tensor):
            nn.init.zeros_(weight)
        self.layers = nn.Sequential(
            convolution(ndim, in_channels, out_channels, kernel, stride), *drop(ndim, dropout),
            norm(ndim, out_channels), activation(act),
            convolution(ndim, out_channels, out_channels, kernel, (1,) * ndim), last,
        )  # fmt: skip
        past: list[nn.Module] = []
        if any(step > 1 for step in stride):
            past.append(POOL[ndim](tuple(stride), tuple(stride), ceil_mode=True))
        if in_channels != out_channels:
            past += [CONV[ndim](in_channels, out_channels, 1, bias=False), norm(ndim, out_channels)]
        self.past = nn.Sequential(*past)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`."""
        y = self.layers(x)
        y += self.past(x)  # in place: the norm before it keeps its input for the backward pass, not this
        return self.act(y)


class ResEncBlock(nn.Module):
    """Residual blocks of two convolutions, one after the other; the first has the stride.

    Arguments and shapes as `ConvBlock`, with `convs` counting the residual blocks.

    Source: Isensee et al., MICCAI 2024, arXiv:2404.09556 (nnU-Net's residual encoder).

    Examples:
        >>> import torch
        >>> ResEncBlock(3, 1, 4, (1, 3, 3), (1, 2, 2), convs=3)(torch.zeros(2, 1, 5, 8, 8)).shape
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
        act: ActSlot = LeakyReLU,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        slots = norm, act, dropout
        first = TwoConvs(ndim, in_channels, out_channels, kernel, stride, *slots)
        further = [TwoConvs(ndim, out_channels, out_channels, kernel, (1,) * ndim, *slots) for _ in range(convs - 1)]
        self.blocks = nn.Sequential(first, *further)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`."""
        return self.blocks(x)
