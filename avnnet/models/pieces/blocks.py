"""The block of a U-Net stage: what an ablation replaces."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from avnnet.models.pieces.acts import LeakyReLU
from avnnet.models.pieces.layers import ActSlot, NormSlot, activation, convolution, drop
from avnnet.models.pieces.norms import InstanceNorm


class ConvBlock(nn.Module):
    """Convolution, norm and activation, repeated; the first convolution has the stride.

    A block of your own takes the same arguments and keeps the shapes; hand the class to
    `UNet3D(..., block=MyBlock)`.

    Args:
        ndim: 2 or 3.
        in_channels: channels coming in.
        out_channels: channels going out.
        kernel: kernel size per axis, odd numbers.
        stride: stride per axis of the first convolution.
        convs: how many convolutions.
        norm: the class of the norms, called `norm(ndim, channels)`.
        act: the class of the activations, called without arguments.
        dropout: share of the channels that is dropped after each convolution in training.

    Shapes:
        `(B, in_channels, *S)` to `(B, out_channels, *(ceil(S / stride)))`.

    Source: Isensee et al., Nat Methods 2021;18:203 (convolution with bias, InstanceNorm eps 1e-5, leaky ReLU 0.01).

    Examples:
        >>> import torch
        >>> ConvBlock(3, 1, 4, (1, 3, 3), (1, 2, 2))(torch.zeros(2, 1, 5, 8, 8)).shape
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
        widths = [in_channels] + [out_channels] * convs
        steps = [tuple(stride)] + [(1,) * ndim] * (convs - 1)
        layers: list[nn.Module] = []
        for (before, after), step in zip(pairwise(widths), steps, strict=True):
            layers += [convolution(ndim, before, after, kernel, step), *drop(ndim, dropout)]
            layers += [norm(ndim, after), activation(act)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Features `(B, out_channels, *S')` of features `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> x = torch.arange(16.0).reshape(1, 1, 4, 4)
            >>> y = ConvBlock(2, 1, 2, (3, 3), (1, 1))(x)
            >>> y.shape, bool((y.min() < 0) & (y.max() > -y.min()))  # a hundredth of what is negative
            (torch.Size([1, 2, 4, 4]), True)
        """
        return self.layers(x)
