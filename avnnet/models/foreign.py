"""Networks that were not written for avnnet."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from avnnet.errors import AvnnetError, InvalidConfig, InvalidNetwork, NotInstalled
from avnnet.models.limits import MAX_CHANNELS, MAX_CLASSES, check_whole
from avnnet.models.looks import Looks, finest_first
from avnnet.models.network import Network
from avnnet.models.paper import check_logits, drawn
from avnnet.parts import part

MAX_DIVISOR = 1024


class Foreign(Network):
    """Any `torch.nn.Module` as a network: MONAI's, dynamic-network-architectures' or your own.

    What it has to be told of avnnet's contract is found by looking: the classes from what it gives, and the divisors by
    trying sizes, on paper and without memory. Where the module gives several tensors (deep supervision), `forward`
    gives the first of the size of the image, and `scales` gives all of them, finest first: of MONAI's
    `BasicUNetPlusPlus(deep_supervision=True)` that is the shallowest.

    Args:
        net: makes the module: a class with its arguments, in Python `functools.partial(SegResNet, out_channels=3)`.
        ndim: 2 or 3.
        in_channels: channels of the image, the same as the module's own.
        divisors: what each axis of a patch must be a multiple of; found by trying where it is not given.

    Raises:
        InvalidNetwork: if the module takes no image of so many channels and dimensions, gives logits of another size
            than the image, or nothing that are logits.
        InvalidConfig: if it has more weights than a network can, or would download some.

    Examples:
        >>> import functools, torch
        >>> from monai.networks.nets import SegResNet
        >>> slim = functools.partial(SegResNet, init_filters=8, out_channels=3, blocks_down=[1, 1], blocks_up=[1])
        >>> net = Foreign(slim)
        >>> net.classes, net.divisors, net(torch.zeros(1, 1, 8, 8, 8)).shape
        (3, (2, 2, 2), torch.Size([1, 3, 8, 8, 8]))
    """

    def __init__(
        self,
        net: Callable[[], nn.Module],
        ndim: int = 3,
        in_channels: int = 1,
        divisors: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.net, self.ndim, self.in_channels = part(net), ndim, in_channels
        check_whole("ndim", ndim, 2, 3)
        check_whole("in_channels", in_channels, 1, MAX_CHANNELS)
        if divisors is not None and len(divisors) != ndim:
            raise InvalidConfig(f"a network of {ndim} dimensions has {ndim} divisors; found {str(divisors)[:80]}")
        for value in divisors or []:
            check_whole("every divisor", value, 1, MAX_DIVISOR)
        # looked at before memory is asked for: the arguments may come from a file
        sketch = _named(self.name, lambda: drawn(self.net))
        self.body = self.net()
        looks = Looks(sketch, self.body, in_channels, ndim, self.name)
        self.classes = looks.classes(divisors)
        check_whole("classes", self.classes, 1, MAX_CLASSES)
        self._divisors = tuple(divisors or looks.divisors())

    @property
    def name(self) -> str:
        """What the module's class is called.

        Examples:
            >>> import functools
            >>> Foreign(functools.partial(nn.Conv2d, in_channels=1, out_channels=2, kernel_size=1), ndim=2).name
            'Conv2d'
        """
        filled: Any = self.net.func if isinstance(self.net, functools.partial) else self.net
        return str(filled.__name__)

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of: given, or found by trying."""
        return self._divisors

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(B, classes, *S)` of an image `(B, in_channels, *S)`.

        Raises:
            InvalidNetwork: if none of the module's tensors has the size of the image.

        Examples:
            >>> import functools, torch
            >>> layer = functools.partial(nn.Conv2d, in_channels=1, out_channels=2, kernel_size=1)
            >>> net = Foreign(layer, ndim=2)
            >>> x = torch.ones(1, 1, 4, 4)
            >>> torch.equal(net(x), net.body(x))
            True
        """
        return check_logits(self.scales(x)[0], of=self.name, classes=None, size=x.shape[2:])

    def scales(self, x: Tensor) -> list[Tensor]:
        """All tensors that the module gives while it is trained, finest first.

        Examples:
            >>> import functools, torch
            >>> from monai.networks.nets import SegResNetDS
            >>> deep = functools.partial(SegResNetDS, init_filters=8, out_channels=3, blocks_down=[1, 1, 1], dsdepth=2)
            >>> [tuple(one.shape[2:]) for one in Foreign(deep).scales(torch.zeros(1, 1, 8, 8, 8))]
            [(8, 8, 8), (4, 4, 4)]
        """
        return finest_first(self.body(x), self.ndim, self.name)


def _named(name: str, make: Callable[[], nn.Module]) -> nn.Module:
    try:
        made = make()
    except AvnnetError:
        raise
    except ImportError as error:  # MONAI's transformers need einops, for one
        lines = str(error).splitlines() or [""]
        raise NotInstalled(
            f"{name} needs a package that is not installed here: {lines[0][:200]}; install it"
        ) from error
    except Exception as error:  # whatever a constructor of somebody else meets
        raise InvalidConfig(
            f"cannot build {name}: {type(error).__name__}: {str(error)[:300]}. A constructor gets its arguments by "
            "name (init_args), and computes nothing from its weights"
        ) from error
    if not isinstance(made, nn.Module):
        raise InvalidNetwork(f"net of Foreign makes a torch.nn.Module; {name} makes a {type(made).__name__}")
    return made
