"""What the numbers of a network can be: looked at before a layer is built, since they may come from a file."""

from __future__ import annotations

import math
from collections.abc import Sequence

from avnnet.errors import InvalidConfig

MAX_STAGES, MAX_CHANNELS, MAX_CONVS = 16, 4096, 32
MAX_STRIDE, WIDEST_KERNEL = 16, 31
MAX_CLASSES = 256  # of masks of 8 bits
MAX_PARAMETERS = 2**28  # 1 GiB of weights, twice the largest U-Net that we know of


def check_whole(name: str, value: object, least: int, most: int) -> None:
    """Refuse what is no whole number within its limits.

    Args:
        name: of the argument.
        value: what was given.
        least: the smallest that it can be.
        most: the largest that it can be.

    Raises:
        InvalidConfig: if it is another.

    Examples:
        >>> check_whole("convs", 2, 1, 32)
        >>> check_whole("stride", -1, 1, 16)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: stride is a whole number from 1 to 16; found -1
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InvalidConfig(f"{name} is a whole number from {least} to {most}; found {str(value)[:80]}")


def check_stages(
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[Sequence[int]],
    kernels: Sequence[Sequence[int]],
    convs: int,
) -> None:
    """Refuse stages that no network has, or that make more weights than fit into memory.

    Args:
        in_channels: channels of the image.
        channels: channels per stage, finest first.
        strides: stride per axis between stages.
        kernels: kernel size per axis, one per stage.
        convs: convolutions per block.

    Raises:
        InvalidConfig: if a number is out of its limits, or a kernel is even, which has no centre.
    """
    check_whole("the number of stages", len(channels), 1, MAX_STAGES)
    check_whole("in_channels", in_channels, 1, MAX_CHANNELS)
    check_whole("convs", convs, 1, MAX_CONVS)
    for name, values, most in (
        ("every stage's channels", [channels], MAX_CHANNELS),
        ("every stride", strides, MAX_STRIDE),
        ("every kernel size", kernels, WIDEST_KERNEL),
    ):
        for entry in values:
            for value in entry:
                check_whole(name, value, 1, most)
    even = [size for kernel in kernels for size in kernel if size % 2 == 0]
    if even:
        raise InvalidConfig(f"every kernel size is odd; found {even[0]}")
    count = _parameters(in_channels, channels, strides, kernels, convs)
    if count > MAX_PARAMETERS:
        raise InvalidConfig(
            f"a network has at most {MAX_PARAMETERS:,} weights; channels {list(channels)} make {count:,}. Take fewer "
            "channels"
        )


def _parameters(
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[Sequence[int]],
    kernels: Sequence[Sequence[int]],
    convs: int,
) -> int:
    """Weights of the convolutions of a U-Net; biases and norms are few beside them."""
    total, before = 0, in_channels
    for level, (width, kernel) in enumerate(zip(channels, kernels, strict=True)):
        own = width * width * (convs - 1)
        total += math.prod(kernel) * (before * width + own)
        if level < len(strides):  # the way up: a transposed convolution from below, and a block
            total += math.prod(strides[level]) * channels[level + 1] * width
            total += math.prod(kernel) * (2 * width * width + own)
        before = width
    return total
