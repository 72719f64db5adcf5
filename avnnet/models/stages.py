"""The blocks of a U-Net watched while they compute: which one does not do what it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from avnnet.errors import InvalidNetwork
from avnnet.models.decoder import Decoder
from avnnet.models.encoder import Encoder


@contextmanager
def watched(net: nn.Module) -> Iterator[list[str]]:
    """Which block of a U-Net is being computed, in words, at the end of a list; while it holds, each is watched.

    Args:
        net: a network, with U-Nets in it or without.

    Raises:
        InvalidNetwork: if a block gives other channels or another size than it was told, as if it ignored its stride.

    Examples:
        >>> import torch
        >>> from avnnet.models import UNet2D
        >>> net = UNet2D([4, 8], [[2, 2]])
        >>> with watched(net) as inside:
        ...     _ = net(torch.zeros(1, 1, 8, 8))
        >>> inside
        []
    """
    inside: list[str] = []
    hooks = [
        hook
        for module in net.modules()
        if isinstance(module, Encoder | Decoder)
        for number, stage in enumerate(module.stages)
        for hook in _Stage(_told(module, number, stage), inside).hooks(stage)
    ]
    try:
        yield inside
    finally:
        for hook in hooks:
            hook.remove()


@dataclass(frozen=True)
class _Told:
    """What a block was told when it was built."""

    name: str
    channels: int
    stride: tuple[int, ...]


def _told(owner: Encoder | Decoder, number: int, stage: nn.Module) -> _Told:
    if isinstance(owner, Encoder):
        stride, channels = tuple(owner.strides[number]), owner.channels[number]
    else:
        channels = owner.channels[-2 - number]  # coarsest first
        stride = (1,) * owner.ndim
    where = f"stage {number + 1} of the {type(owner).__name__.lower()}"
    return _Told(f"{_name(stage)}, the block of {where}", channels, stride)


@dataclass(frozen=True)
class _Stage:
    told: _Told
    inside: list[str]

    def hooks(self, stage: nn.Module) -> Sequence[Any]:
        return stage.register_forward_pre_hook(self.enter), stage.register_forward_hook(self.leave)

    def enter(self, _: nn.Module, __: Any) -> None:
        self.inside.append(self.told.name)

    def leave(self, _: nn.Module, given: tuple[Any, ...], made: Any) -> None:
        self.inside.pop()
        told, features = self.told, given[0]
        size = [-(-n // step) for n, step in zip(features.shape[2:], told.stride, strict=True)]
        wanted = (len(features), told.channels, *size)
        found = tuple(made.shape) if isinstance(made, Tensor) else type(made).__name__
        if found == wanted:
            return
        is_size = isinstance(made, Tensor) and made.shape[:2] == wanted[:2]
        way_out = (
            "its first convolution takes stride" if is_size else "its last layer gives out_channels, in one tensor"
        )
        raise InvalidNetwork(
            f"{told.name}, was given the stride {list(told.stride)} and out_channels {told.channels}: it must make "
            f"{wanted} of {tuple(features.shape)}, and makes {found}. See that {way_out}, and "
            "that odd kernels are padded by half, as in ConvBlock"
        )


def _name(stage: nn.Module) -> str:
    inner = getattr(stage, "block", None)
    return type(stage).__name__ + (f" of {_name(inner)}" if isinstance(inner, nn.Module) else "")
