"""What the numbers of a network can be: looked at before a layer is built, since they may come from a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from avnnet.errors import InvalidConfig

MAX_STAGES, MAX_CHANNELS, MAX_CONVS = 16, 4096, 32
MAX_STRIDE, WIDEST_KERNEL = 16, 31
MAX_CLASSES = 256  # of masks of 8 bits
MAX_PARAMETERS = 2**28  # 1 GiB of weights, twice the largest U-Net that we know of
MAX_PIECE_PARAMETERS = 2**25  # of a piece of a block; a network has some dozens


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


def check_weights(what: str, count: int) -> None:
    """Refuse a piece of a block with more weights than there is use for; a network has many pieces.

    Args:
        what: names the numbers that make them.
        count: how many weights.

    Raises:
        InvalidConfig: if they are too many.

    Examples:
        >>> check_weights("an expansion of 16 at 4096 channels", 2 * 16 * 4096**2)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: a piece of a block has at most 33,554,432 weights; an expansion of 16 at 4096 \
channels makes 536,870,912. Take fewer
    """
    if count > MAX_PIECE_PARAMETERS:
        raise InvalidConfig(
            f"a piece of a block has at most {MAX_PIECE_PARAMETERS:,} weights; {what} makes {count:,}. Take fewer"
        )


def check_stages(
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[Sequence[int]],
    kernels: Sequence[Sequence[int]],
    convs: int | Sequence[int],
    deep: int = 1,
) -> list[int]:
    """The convolutions of each stage; refuses stages that no network has, or of more weights than fit into memory.

    Args:
        in_channels: channels of the image.
        channels: channels per stage, finest first.
        strides: stride per axis between stages.
        kernels: kernel size per axis, one per stage.
        convs: convolutions per block; one number, or one per stage.
        deep: how many convolutions of a block `convs` counts as one.

    Raises:
        InvalidConfig: if a number is out of its limits, or a kernel is even, which has no centre.

    Examples:
        >>> check_stages(1, [4, 8], [[2, 2]], [[3, 3]] * 2, 2), check_stages(1, [4, 8], [[2, 2]], [[3, 3]] * 2, [1, 3])
        ([2, 2], [1, 3])
    """
    check_whole("the number of stages", len(channels), 1, MAX_STAGES)
    check_whole("in_channels", in_channels, 1, MAX_CHANNELS)
    each: list[Any] = list(convs) if isinstance(convs, list | tuple) else [convs] * len(channels)
    if len(each) != len(channels):
        raise InvalidConfig(f"convs is one number, or one per stage, {len(channels)} here; found {len(each)}")
    for number in each:
        check_whole("convs", number, 1, MAX_CONVS)
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
    count = _parameters(in_channels, channels, strides, kernels, [deep * number for number in each])
    if count > MAX_PARAMETERS:
        raise InvalidConfig(
            f"a network has at most {MAX_PARAMETERS:,} weights; channels {list(channels)} make {count:,}. Take fewer "
            "channels"
        )
    return each


def check_heads(classes: int, deep_supervision: int, stages: int) -> None:
    """Refuse classes that no mask holds, and more or fewer heads than the decoder has levels.

    Args:
        classes: classes of the output, background included.
        deep_supervision: how many of the finest decoder levels have a head.
        stages: of the encoder.

    Raises:
        InvalidConfig: if it is so.

    Examples:
        >>> check_heads(3, 2, stages=2)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: deep_supervision counts decoder levels, 1 to 1 here; found 2
    """
    check_whole("classes", classes, 1, MAX_CLASSES)
    if not 1 <= deep_supervision <= stages - 1:
        raise InvalidConfig(f"deep_supervision counts decoder levels, 1 to {stages - 1} here; found {deep_supervision}")


def _parameters(
    in_channels: int,
    channels: Sequence[int],
    strides: Sequence[Sequence[int]],
    kernels: Sequence[Sequence[int]],
    convs: Sequence[int],
) -> int:
    """Weights of the convolutions of a U-Net; biases and norms are few beside them."""
    total, before = 0, in_channels
    for level, (width, kernel) in enumerate(zip(channels, kernels, strict=True)):
        own = width * width * (convs[level] - 1)
        total += math.prod(kernel) * (before * width + own)
        if level < len(strides):  # the way up: a transposed convolution from below, and a block
            total += math.prod(strides[level]) * channels[level + 1] * width
            total += math.prod(kernel) * (2 * width * width + own)
        before = width
    return total
