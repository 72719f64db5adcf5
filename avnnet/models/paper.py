"""Networks on paper: built and run without memory for their numbers, to learn what they would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.overrides import TorchFunctionMode

from avnnet.errors import InvalidConfig, InvalidNetwork
from avnnet.models.limits import MAX_PARAMETERS

MAX_TENSORS = 2**13  # of a network; the largest that we know of has some two thousand
MAX_RANGE = 2**24
FILLED = (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn)
RANGES = (torch.arange, torch.linspace, torch.range)


class _Sheet(TorchFunctionMode):
    """Gives every new tensor a size and no memory, and counts.

    Ranges stay real: constructors read single values of them. That is why `torch.device("meta")` does not do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers, self.tensors = 0, 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func in RANGES:
            bounds = [abs(float(one)) for one in (*args, kwargs.get("end", 0), kwargs.get("steps", 0))]
            if max(bounds, default=0.0) > MAX_RANGE:
                raise InvalidConfig(f"a network counts to {MAX_RANGE:,} at most; found {max(bounds):,.0f}")
        if func not in FILLED or kwargs.get("device") is not None:
            return func(*args, **kwargs)
        made = func(*args, **{**kwargs, "device": "meta"})
        self.numbers, self.tensors = self.numbers + made.numel(), self.tensors + 1
        if self.numbers > MAX_PARAMETERS or self.tensors > MAX_TENSORS:
            raise InvalidConfig(
                f"a network has at most {MAX_PARAMETERS:,} weights in {MAX_TENSORS:,} tensors; this one makes more. "
                "Take fewer channels or layers"
            )
        return made


def drawn(net: Callable[[], nn.Module]) -> nn.Module:
    """A network on the meta device: its layers and sizes, no numbers.

    Args:
        net: makes it; the random numbers of the caller stay where they are.

    Raises:
        InvalidConfig: if it would have more weights than a network can.

    Examples:
        >>> import functools
        >>> layer = drawn(functools.partial(nn.Linear, 10_000, 20_000))
        >>> layer.weight.device.type, layer.weight.numel()
        ('meta', 200000000)
    """
    with torch.random.fork_rng(devices=[]), _Sheet():
        return net()


class _Scales(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Any:
        return self.net.scales(x)  # type: ignore[operator]


def on_paper(net: nn.Module, channels: int, size: Sequence[int]) -> Any:
    """What a network's `forward` would give for one image, without numbers; its own weights are not touched.

    Args:
        net: a network on any device.
        channels: of the image.
        size: of the image, voxels per axis.

    Examples:
        >>> on_paper(nn.Conv3d(1, 3, 3, padding=1), 1, [200, 300, 300]).shape
        torch.Size([1, 3, 200, 300, 300])
    """
    # one kind of tensor only: some modules have real ones even on the meta device
    state = {
        f"{place}.{name}".lstrip("."): value.detach().to("meta")
        for place, module in net.named_modules()
        for values in (module.named_parameters(recurse=False), module.named_buffers(recurse=False))
        for name, value in values
    }
    image = torch.empty(1, channels, *size, device="meta")
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        # with tie_weights torch 2.13 leaves the meta weights in a module that has two places, as in MONAI's DynUNet
        return functional_call(net, state, (image,), tie_weights=False)


def scales_on_paper(net: nn.Module, channels: int, size: Sequence[int]) -> Any:
    """What a network's `scales` would give for one image, as `on_paper` does for `forward`.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> net = UNet2D([4, 8, 16], [[2, 2], [2, 2]], deep_supervision=2)
        >>> [tuple(one.shape) for one in scales_on_paper(net, 1, [512, 512])]
        [(1, 3, 512, 512), (1, 3, 256, 256)]
    """
    return on_paper(_Scales(net), channels, size)


@contextmanager
def in_evaluation(net: nn.Module) -> Iterator[None]:
    """Switches a network to evaluation, and then each of its modules back to what it was: some may rest in training.

    Args:
        net: the network.

    Examples:
        >>> net = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(1).eval())
        >>> with in_evaluation(net):
        ...     net[0].training
        False
        >>> net.training, net[0].training, net[1].training
        (True, True, False)
    """
    before = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, was_training in before:
            module.training = was_training


def check_logits(logits: object, *, of: str, classes: int | None, size: Sequence[int]) -> Tensor:
    """The tensor itself, if it has one channel per class and the size of the image.

    Args:
        logits: what `forward` gave.
        of: the network's name.
        classes: that it is to have; None for any number.
        size: of the image, voxels per axis.

    Raises:
        InvalidNetwork: if it is a list or another object, or has another rank, size or number of classes.

    Examples:
        >>> check_logits(torch.zeros(1, 3, 8, 8), of="Mine", classes=3, size=[8, 8]).shape
        torch.Size([1, 3, 8, 8])
        >>> check_logits(torch.zeros(1, 2, 8, 8), of="N", classes=None, size=[8, 4])
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidNetwork: N.forward must give logits (B, K, 8, 4); it gives (1, 2, 8, 8): give them its size
    """
    wanted = f"(B, {'K' if classes is None else classes}, {', '.join(map(str, size))})"
    if not isinstance(logits, Tensor):
        count = f" of {len(logits)}" if isinstance(logits, list | tuple | dict) else ""
        raise InvalidNetwork(
            f"{of}.forward must give one tensor of logits {wanted}; it gives a {type(logits).__name__}{count}. Give "
            "the finest there and all of them in scales, or wrap the network in avnnet.models.Foreign"
        )
    found = tuple(logits.shape)
    if len(found) != len(size) + 2:
        way_out = f"ndim {len(size)} means {len(size) + 2} axes: batch, class, {'z, ' * (len(size) - 2)}y, x"
    elif classes is not None and found[1] != classes:
        way_out = f"it says to have {classes} classes: give its last layer as many channels, or set classes"
    elif found[2:] != tuple(size):
        way_out = "give them its size"
    else:
        return logits
    raise InvalidNetwork(f"{of}.forward must give logits {wanted}; it gives {found}: {way_out}")
