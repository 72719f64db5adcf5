"""How large a planned network is before it is built: nnU-Net's size of its features, and its operations. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

from avnnet.models.planning.topology import Topology

STEP_PASSES = 3
"""A training step is a pass forward and one back, which costs two."""
GFLOP = 1e9


def plain_size(topology: Topology, channels: Sequence[int], classes: int, convs: int = 2) -> int:
    """Values that all convolutions of a plain U-Net give for one patch, which is what nnU-Net takes for its memory.

    Transposed convolutions count, and the finest head; kernels, the heads of deep supervision and the image do not.

    Args:
        topology: patch and strides.
        channels: per stage, finest first.
        classes: of the output, background included.
        convs: convolutions per block.

    Source: dynamic-network-architectures 0.4.4, `compute_conv_feature_map_size`.

    Examples:
        >>> from avnnet.models.planning.topology import topology_for
        >>> plain_size(topology_for((1.0, 1.0, 1.0), (36, 50, 35)), [32, 64, 128, 256], 3)
        19174400
    """
    values = stage_values(topology, channels)
    return sum(convs * value for value in values) + _decoder_size(topology, values, classes, convs)


def residual_size(topology: Topology, channels: Sequence[int], classes: int, blocks: Sequence[int]) -> int:
    """The same of nnU-Net's residual encoder: a stem, blocks of two convolutions, and one convolution per level up.

    Args:
        topology: patch and strides.
        channels: per stage, finest first.
        classes: of the output, background included.
        blocks: per stage of the encoder.

    Source: as `plain_size`.

    Examples:
        >>> from avnnet.models.planning.topology import topology_for
        >>> topology = topology_for((1.0, 0.44, 0.44), (80, 160, 128))
        >>> residual_size(topology, [32, 64, 128, 256, 320, 320], 3, [1, 3, 4, 6, 6, 6])
        603910400
    """
    values = stage_values(topology, channels)
    total = values[0]  # the stem
    before = channels[0]
    for value, width, stride, count in zip(values, channels, topology.strides, blocks, strict=True):
        # a block whose way past changes size or channels has a convolution there too
        total += 2 * count * value + (value if width != before or max(stride) > 1 else 0)
        before = width
    return total + _decoder_size(topology, values, classes, convs=1)


def _decoder_size(topology: Topology, values: Sequence[int], classes: int, convs: int) -> int:
    return sum((convs + 1) * value for value in values[:-1]) + classes * math.prod(topology.patch)


def stage_values(topology: Topology, channels: Sequence[int]) -> list[int]:
    """Channels times voxels of every stage.

    Examples:
        >>> from avnnet.models.planning.topology import topology_for
        >>> stage_values(topology_for((1.0, 1.0), (16, 16)), [4, 8, 8])
        [1024, 512, 128]
    """
    edges, values = list(topology.patch), []
    for width, stride in zip(channels, topology.strides, strict=True):
        edges = [edge // step for edge, step in zip(edges, stride, strict=True)]
        values.append(width * math.prod(edges))
    return values


def step_gflop(
    topology: Topology, channels: Sequence[int], *, patches: int, in_channels: int = 1, classes: int = 3
) -> float:
    """10⁹ multiplications and additions of a training step of a plain U-Net of two convolutions per block.

    Args:
        topology: patch, strides and kernels.
        channels: per stage, finest first.
        patches: in a step.
        in_channels: of the image.
        classes: of the output; deep supervision's further heads are not counted.

    Examples:
        >>> from avnnet.models.planning.topology import topology_for
        >>> round(step_gflop(topology_for((1.0, 1.0, 1.0), (32, 48, 32)), [16, 32, 64, 128], patches=2), 1)
        31.6
    """
    values = stage_values(topology, channels)
    last = len(channels) - 1
    total, before = classes * values[0], in_channels
    for level, (value, width) in enumerate(zip(values, channels, strict=True)):
        taps = math.prod(topology.kernels[level])
        total += value * taps * (before + width)
        if level < last:  # up: a transposed convolution, whose every output has one tap, then a block
            total += value * (channels[level + 1] + taps * (2 * width + width))
        before = width
    return 2 * STEP_PASSES * patches * total / GFLOP
