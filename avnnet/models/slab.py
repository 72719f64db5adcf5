"""2.5 dimensions: slices that see their neighbours."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from avnnet.errors import InvalidConfig
from avnnet.models.limits import MAX_CHANNELS, check_whole
from avnnet.models.network import Network, keeps_contract
from avnnet.parts import part

MAX_SLICES = 31


class Slab(Network):
    """A 2D network on volumes, which sees the neighbours of every slice as further channels (2.5D).

    It takes patches of volumes as a 3D network does and has its `data.slices: null`. Beyond the patch the outermost
    slice stands for its neighbours, so that a patch of few slices sees less than the network could: give it more slices
    than the slab has.

    Args:
        net: slot of the 2D network; its `in_channels` are set here, to `slices * in_channels`.
        slices: of the slab, an odd number: the slice itself and its neighbours on both sides.
        in_channels: channels of the image.

    Raises:
        InvalidConfig: if the number of slices is even, or the network inside is not a 2D one.

    Source: Roth et al., MICCAI 2014 (2.5D); the slabs of FastSurfer (Henschel et al., NeuroImage 2020;219:117012).

    Examples:
        >>> from functools import partial
        >>> from avnnet.models.unet import UNet2D
        >>> net = Slab(partial(UNet2D, channels=[2, 4], strides=[[2, 2]]), slices=5)
        >>> net(torch.zeros(1, 1, 7, 8, 8)).shape, net.divisors
        (torch.Size([1, 3, 7, 8, 8]), (1, 2, 2))
    """

    ndim = 3

    def __init__(self, net: Callable[[], nn.Module], slices: int = 5, in_channels: int = 1) -> None:
        super().__init__()
        check_whole("slices", slices, 1, MAX_SLICES)
        check_whole("in_channels", in_channels, 1, MAX_CHANNELS)
        if slices % 2 == 0:
            raise InvalidConfig(f"a slab has as many slices on either side: slices is odd; found {slices}")
        self.net, self.slices, self.in_channels = part(net), slices, in_channels
        self.inside = keeps_contract(self.net(in_channels=slices * in_channels))
        if self.inside.ndim != 2:
            raise InvalidConfig(
                f"a slab is for a 2D network; {type(self.inside).__name__} has {self.inside.ndim} dimensions"
            )
        self.classes = self.inside.classes

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of; any number of slices will do."""
        return (1, *self.inside.divisors)

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(B, classes, z, y, x)` of an image `(B, in_channels, z, y, x)`.

        Examples:
            >>> from functools import partial
            >>> from avnnet.models.unet import UNet2D
            >>> net = Slab(partial(UNet2D, channels=[2, 4], strides=[[2, 2]]), slices=1)
            >>> x = torch.randn(1, 1, 3, 4, 4)
            >>> torch.allclose(net(x)[:, :, 1], net.inside(x[:, :, 1]), atol=1e-5)  # one slice: the 2D network
            True
        """
        return _stacked(self.inside(self._slabs(x)), x.shape[0])

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits at every scale of the network inside, finest first; all have every slice."""
        return [_stacked(scale, x.shape[0]) for scale in self.inside.scales(self._slabs(x))]

    def _slabs(self, x: Tensor) -> Tensor:
        """Slices `(B * z, slices * in_channels, y, x)` with their neighbours."""
        reach = self.slices // 2
        count = x.shape[2]
        further = pad(x, (0, 0, 0, 0, reach, reach), mode="replicate")
        neighbours = [further[:, :, step : step + count] for step in range(self.slices)]
        return torch.cat(neighbours, dim=1).transpose(1, 2).flatten(0, 1)


def _stacked(logits: Tensor, batch: int) -> Tensor:
    return logits.unflatten(0, (batch, -1)).transpose(1, 2)
