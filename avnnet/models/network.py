"""What the rest of avnnet needs of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from avnnet.errors import InvalidNetwork
from avnnet.recipe import named_classes

MEMBERS = ("ndim", "in_channels", "classes", "divisors", "forward", "scales")
LIBRARIES = ("torch", "monai", "dynamic_network_architectures")


@runtime_checkable
class NetworkLike(Protocol):
    """A `torch.nn.Module` that can be trained, ensembled, saved and loaded: `Tensor (B, C, *S)` to logits `(B, K, *S)`.

    The first six are the contract; the others are those of every `torch.nn.Module`. A subclass of `Network` has
    defaults for two of them, and `Foreign` makes the six of a module that has none.

    Examples:
        >>> from avnnet.models import UNet3D
        >>> isinstance(UNet3D([4, 8], [[2, 2, 2]]), NetworkLike), isinstance(nn.Conv3d(1, 3, 1), NetworkLike)
        (True, False)
    """

    ndim: int
    """Spatial dimensions: 2 for slices, 3 for volumes."""
    in_channels: int
    """Channels of an image."""
    classes: int
    """Classes of the logits, background included."""

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of."""
        ...

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(B, classes, *S)` of an image `(B, in_channels, *S)`; their softmax is the answer."""
        ...

    def scales(self, x: Tensor) -> list[Tensor]:
        """What the loss sees, finest first."""
        ...

    def __call__(self, x: Tensor) -> Tensor: ...  # noqa: D102
    def parameters(self) -> Iterator[nn.Parameter]: ...  # noqa: D102
    def modules(self) -> Iterator[nn.Module]: ...  # noqa: D102
    def state_dict(self) -> dict[str, Tensor]: ...  # noqa: D102
    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True) -> Any: ...  # noqa: D102
    def to(self, device: Any) -> Any: ...  # noqa: D102
    def train(self, mode: bool = True) -> Any: ...  # noqa: D102
    def eval(self) -> Any: ...  # noqa: D102


class Network(nn.Module):
    """A network with what most have in common: it sees any size, and its loss sees `forward` alone.

    A subclass sets `ndim`, `in_channels` and `classes`, keeps its constructor arguments as attributes of the same
    name (so that `describe` can write them down), and gives `forward`. A network need not be one: `NetworkLike` counts.

    Examples:
        >>> import torch
        >>> class Brightness(Network):
        ...     ndim, in_channels, classes = 3, 1, 2
        ...     def forward(self, x):
        ...         return torch.cat([-x, x], dim=1)
        >>> net = Brightness()
        >>> net.divisors, [tuple(scale.shape) for scale in net.scales(torch.zeros(1, 1, 4, 6, 8))]
        ((1, 1, 1), [(1, 2, 4, 6, 8)])
    """

    ndim: int
    in_channels: int
    classes: int

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of; 1 where any size will do."""
        return (1,) * self.ndim

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits for the loss, finest first: one more per level of deep supervision; here those of `forward` alone."""
        return [self(x)]


def keeps_contract(net: object) -> NetworkLike:
    """The network itself, if it has all that avnnet needs of one.

    Args:
        net: a network, or what was given for one.

    Raises:
        InvalidNetwork: if it is no module, or lacks a part of the contract, or a part is no number that it can be.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> net = UNet2D([4, 8], [[2, 2]])
        >>> keeps_contract(net) is net
        True
    """
    kind = type(net)
    if not isinstance(net, nn.Module):
        raise InvalidNetwork(
            f"a network is a torch.nn.Module; found {'a class' if kind is type else f'a {kind.__name__}'}"
        )
    lacking = [name for name in MEMBERS if not hasattr(net, name)]
    if getattr(kind, "forward", None) is nn.Module.forward:
        lacking.append("forward")
    if lacking:
        where = f"{kind.__module__}.{kind.__name__}"
        known = next((name for name in LIBRARIES if kind.__module__.startswith(f"{name}.")), "")
        path = f"monai.networks.nets.{kind.__name__}" if kind.__module__.startswith("monai.networks.nets.") else where
        own = "" if known else " Your own class gets them as attributes and methods, or from avnnet.models.Network."
        raise InvalidNetwork(
            f"a network has {', '.join(MEMBERS)}; {kind.__name__} lacks {', '.join(lacking)}. Wrap it: class_path: "
            f"avnnet.models.Foreign, init_args: {{net: {{class_path: {path}, init_args: ...}}}}; in Python "
            f"Foreign(functools.partial({kind.__name__}, ...)).{own}"
        )
    counts = {name: getattr(net, name) for name in ("ndim", "in_channels", "classes")}
    odd = [f"{name} {value!r}" for name, value in counts.items() if not isinstance(value, int) or value < 1]
    if odd or counts["ndim"] not in (2, 3):
        said = ", ".join(odd) or f"ndim {counts['ndim']}"
        raise InvalidNetwork(
            f"{kind.__name__} has 2 or 3 dimensions, at least one channel and one class; found {said[:200]}"
        )
    steps = net.divisors
    if not isinstance(steps, tuple | list) or len(steps) != counts["ndim"] or not all(_is_step(one) for one in steps):
        raise InvalidNetwork(
            f"divisors of {kind.__name__} are {counts['ndim']} whole numbers from 1 on, one per axis; found "
            f"{str(steps)[:80]}"
        )
    return net  # type: ignore[return-value]  # all that the protocol names is there


def _is_step(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def own_classes(net: NetworkLike) -> list[type]:
    """The classes to be handed to whoever loads a network: those that its description names, and its modules'.

    Classes that a library has are left out where a description names them by their path.

    Args:
        net: a network.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> sorted(cls.__name__ for cls in own_classes(UNet2D([4, 8], [[2, 2]])))
        ['Concat', 'ConvBlock', 'Decoder', 'Encoder', 'InstanceNorm', 'LeakyReLU', 'TransposedConv', 'UNet2D']
    """
    modules = dict.fromkeys(type(module) for module in net.modules())
    own = [cls for cls in modules if cls.__module__.partition(".")[0] not in LIBRARIES]
    return list(dict.fromkeys([*named_classes(net), *own]))
