"""Which axes a planned network halves, stage by stage, by nnU-Net's rules. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MIN_EDGE = 4
"""Voxels of the coarsest stage along an axis that was halved."""
SMALL_SHARE = 0.6
"""Of the patch along each axis, in the first part of a training."""
ALIKE = 2.0
"""Axes whose spacings differ by less than this factor are halved together, and seen by one kernel."""


@dataclass(frozen=True)
class Topology:
    """Strides and kernels for a patch.

    Args:
        patch: voxels per axis, multiples of `divisors`.
        strides: of the way into every stage; the first is 1.
        kernels: of every stage.
    """

    patch: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    kernels: tuple[tuple[int, ...], ...]

    @property
    def stages(self) -> int:
        """How many there are."""
        return len(self.strides)

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of a patch must be a multiple of.

        Examples:
            >>> topology_for((1.0, 0.44, 0.44), (80, 160, 160)).divisors
            (16, 32, 32)
        """
        return tuple(math.prod(stride[axis] for stride in self.strides) for axis in range(len(self.patch)))


def topology_for(spacing_mm: Sequence[float], patch: Sequence[float]) -> Topology:
    """The topology for a patch: the finest axes are halved until voxels are cubes, then all of them.

    An axis is halved while its edge stays at least 4, with every other axis of like spacing; a lone one only above 12.
    A kernel is 1 along an axis until its spacing is like the finest, and 3 from then on. The patch is padded to what
    the strides divide.

    Args:
        spacing_mm: per axis.
        patch: voxels per axis.

    Source: Isensee et al., Nat Methods 2021;18:203, as in nnunetv2 2.8.1.

    Examples:
        >>> topology_for((1.0, 0.44, 0.44), (80, 160, 160)).strides
        ((1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2))
        >>> topology_for((1.0, 1.0, 1.0), (36, 50, 35)).patch
        (40, 56, 40)
    """
    spacing, size = [float(value) for value in spacing_mm], [float(value) for value in patch]
    axes = range(len(size))
    strides, kernels = [(1,) * len(size)], []
    is_seen = [False] * len(size)
    while halved := _halved_together(spacing, size):
        finest = min(spacing)
        is_seen = [seen or spacing[axis] / finest < ALIKE for axis, seen in zip(axes, is_seen, strict=True)]
        kernels.append(tuple(3 if seen else 1 for seen in is_seen))
        strides.append(tuple(2 if axis in halved else 1 for axis in axes))
        for axis in halved:
            spacing[axis] *= 2
            size[axis] = math.ceil(size[axis] / 2)
    kernels.append((3,) * len(size))
    divisors = [math.prod(stride[axis] for stride in strides) for axis in axes]
    padded = tuple(int(math.ceil(own / step) * step) for own, step in zip(patch, divisors, strict=True))
    return Topology(padded, tuple(strides), tuple(kernels))


def _halved_together(spacing_mm: Sequence[float], size: Sequence[float]) -> list[int]:
    """The axes that the next stage halves; none where the network ends."""
    wide = [axis for axis, edge in enumerate(size) if edge >= 2 * MIN_EDGE]
    if not wide:
        return []
    finest = min(spacing_mm[axis] for axis in wide)
    alike = [axis for axis in wide if spacing_mm[axis] / finest < ALIKE]
    is_lone = len(alike) == 1 and size[alike[0]] < 3 * MIN_EDGE
    return [] if is_lone else alike


def smaller(topology: Topology, spacing_mm: Sequence[float], shape: Sequence[float]) -> Topology:
    """The next smaller patch, with its own topology: the axis that shows most of the median image gives way.

    Args:
        topology: that is too large.
        spacing_mm: per axis.
        shape: of the median image.

    Examples:
        >>> smaller(topology_for((1.0, 1.0), (64, 64)), (1.0, 1.0), (100, 80)).patch
        (64, 56)
    """
    shares = [edge / whole for edge, whole in zip(topology.patch, shape, strict=True)]
    axis = max(range(len(shares)), key=lambda one: (shares[one], one))  # of equal ones the last
    trial = list(topology.patch)
    trial[axis] -= topology.divisors[axis]
    # a smaller patch may have fewer strides, so that a smaller step will do
    patch = list(topology.patch)
    patch[axis] -= topology_for(spacing_mm, trial).divisors[axis]
    return topology_for(spacing_mm, patch)


def small_patch(topology: Topology) -> tuple[int, ...]:
    """The patch of the first half of a training; the patch itself where a smaller one would save little.

    Args:
        topology: of the network.

    Source: Fischer SM et al. MICCAI 2024, arXiv:2407.07853; that they help here: docs/results.md.

    Examples:
        >>> small_patch(topology_for((1.0, 0.44, 0.44), (80, 160, 160))), small_patch(topology_for((1, 1), (160, 160)))
        ((48, 96, 96), (160, 160))
    """
    whole = topology.patch
    if len(whole) == 2:  # a sampler's size is of whole slices
        return whole
    steps = zip(whole, topology.divisors, strict=True)
    small = tuple(min(math.ceil(SMALL_SHARE * size / step) * step, size) for size, step in steps)
    return small if 2 * math.prod(small) <= math.prod(whole) else whole
