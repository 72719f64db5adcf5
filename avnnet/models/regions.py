"""Nested regions: a head of the network for each region instead of each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.models.limits import MAX_CLASSES, check_whole
from avnnet.models.network import Network, keeps_contract
from avnnet.parts import part

LEAST_PROBABILITY = 1e-6  # the logarithm of 0 is not finite


class NestedRegions(Network):
    """A network whose channels are regions that lie in each other, each with a sigmoid: head ⊃ necrosis.

    A class is what lies in one region and not in the next, so that the probability of the whole is learnt as such and
    not as the sum of its parts. `forward` gives the logarithms of the classes' probabilities, whose softmax these
    probabilities are; `scales` gives the logits of the regions, for `avnnet.losses.RegionDiceCE`.

    Args:
        net: slot of the network inside; its `classes` is the number of regions.
        order: label ids from the outermost to the innermost; `[1, 2]` says that region 0 is ids 1 and 2, region 1 id 2.
            1, 2, ... by default.

    Raises:
        InvalidConfig: if `order` does not name the ids 1 to the number of regions, each once.

    Source: Isensee et al., Nat Methods 2021;18:203, supplement (region-based training of nested structures).

    Examples:
        >>> from functools import partial
        >>> from avnnet.models.unet import UNet3D
        >>> net = NestedRegions(partial(UNet3D, channels=[2, 4], strides=[[2, 2, 2]], classes=2))
        >>> x = torch.zeros(1, 1, 4, 4, 4)
        >>> net.classes, net(x).shape, net.scales(x)[0].shape
        (3, torch.Size([1, 3, 4, 4, 4]), torch.Size([1, 2, 4, 4, 4]))
    """

    is_of_regions = True

    def __init__(self, net: Callable[[], nn.Module], order: list[int] | None = None) -> None:
        super().__init__()
        self.net, self.order = part(net), order
        self.inside = keeps_contract(self.net())
        self.ndim, self.in_channels = self.inside.ndim, self.inside.in_channels
        self.classes = self.inside.classes + 1
        check_whole("the number of nested regions and the background", self.classes, 2, MAX_CLASSES)
        self.ids = checked_order(order, self.inside.classes)

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of: as of the network inside."""
        return self.inside.divisors

    def forward(self, x: Tensor) -> Tensor:
        """The logarithms of the probabilities `(B, classes, *S)` of the classes; their softmax changes nothing.

        Examples:
            >>> from functools import partial
            >>> from avnnet.models.unet import UNet2D
            >>> net = NestedRegions(partial(UNet2D, channels=[2, 4], strides=[[2, 2]], classes=2))
            >>> logits = net(torch.randn(1, 1, 4, 4))
            >>> torch.allclose(logits.softmax(1), logits.exp(), atol=1e-4)
            True
        """
        return torch.log(self._probabilities(self.inside(x)).clamp_min(LEAST_PROBABILITY))

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits of the regions, outermost first, `(B, classes - 1, *S)` at every scale of the network inside."""
        return self.inside.scales(x)

    def _probabilities(self, logits: Tensor) -> Tensor:
        """The probabilities of the classes by label id; an inner region is never more probable than an outer one."""
        # one after the other, as cummin would: ONNX has no cummin
        regions = torch.sigmoid(logits.float()).split(1, dim=1)
        inside = torch.cat(list(accumulate(regions, torch.minimum)), dim=1)
        outside = torch.cat([torch.ones_like(inside[:, :1]), inside], dim=1)
        # what is in a region and not in the next; nothing is inside the innermost
        rings = outside - torch.cat([inside, torch.zeros_like(inside[:, :1])], dim=1)
        return rings[:, [0, *(self.ids.index(name) + 1 for name in range(1, self.classes))]]


def checked_order(order: Sequence[int] | None, regions: int) -> list[int]:
    """The label ids from the outermost region to the innermost.

    Args:
        order: as given; None takes 1, 2, ...
        regions: how many there are.

    Raises:
        InvalidConfig: if it does not name the ids 1 to `regions`, each once.

    Examples:
        >>> checked_order(None, 2), checked_order([2, 1], 2)
        ([1, 2], [2, 1])
    """
    ids = list(range(1, regions + 1)) if order is None else list(order)
    if sorted(ids) != list(range(1, regions + 1)):
        raise InvalidConfig(
            f"order names each of the label ids 1 to {regions} once, the outermost region's first; found {ids}. A "
            "network of nested regions has one channel per region: set its classes to the number of labels"
        )
    return ids
