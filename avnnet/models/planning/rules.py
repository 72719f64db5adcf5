"""What nnU-Net's planners go by: their limits, and where they begin. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from avnnet.choice import Planner
from avnnet.errors import InvalidConfig
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.footprint import plain_size, residual_size
from avnnet.models.planning.topology import ALIKE, Topology, topology_for

FIRST_CHANNELS = 32
MAX_PLANNED_CHANNELS = {2: 512, 3: 320}
FIRST_VOXELS = {2: 2048**2, 3: 256**3}
"""Of the first patch, which is larger than any that fits."""
MIN_BATCH = 2
MIN_SHARE_OF_IMAGE = 0.25
"""Where a patch shows less of the median image, nnU-Net plans a second network at a lower resolution."""
COARSER = 1.03
MIN_SAVING = 2.0
MIN_MEMORY_GB, MAX_MEMORY_GB = 0.1, 1024.0


@dataclass(frozen=True)
class Rules:
    """What one of nnU-Net's planners goes by.

    Args:
        sizes: the largest size of features by dimensions, at `memory_gb`.
        memory_gb: of the GPU that it was made for.
        covered: the share of the cohort's voxels that a batch may hold.
        is_residual: whether the encoder is residual.
    """

    sizes: dict[int, float]
    memory_gb: float
    covered: float
    is_residual: bool

    def blocks(self, stages: int) -> tuple[int, ...]:
        """Per stage of the encoder: residual blocks, or convolutions.

        Examples:
            >>> RULES[Planner.RESENC_M].blocks(6)
            (1, 3, 4, 6, 6, 6)
        """
        return tuple(
            RESIDUAL_BLOCKS[min(n, len(RESIDUAL_BLOCKS) - 1)] if self.is_residual else 2 for n in range(stages)
        )

    def least_share(self, ndim: int) -> float:
        """The share of the size that the least batch takes: sizes of the plain planner hold for the reference batch.

        Args:
            ndim: dimensions of the network.

        Examples:
            >>> RULES[Planner.DEFAULT].least_share(3), round(RULES[Planner.DEFAULT].least_share(2), 3)
            (1.0, 0.167)
        """
        return 1.0 if self.is_residual else MIN_BATCH / REFERENCE_BATCH[ndim]

    def size(self, topology: Topology, classes: int) -> int:
        """Of the features, nnU-Net's measure of memory.

        Args:
            topology: patch and strides.
            classes: of the output.

        Examples:
            >>> RULES[Planner.DEFAULT].size(topology_for((1.0, 1.0), (50, 35)), classes=3)
            651840
        """
        channels = planned_channels(topology.stages, FIRST_CHANNELS, MAX_PLANNED_CHANNELS[len(topology.patch)])
        if self.is_residual:
            return residual_size(topology, channels, classes, self.blocks(topology.stages))
        return plain_size(topology, channels, classes)


RESIDUAL_BLOCKS = (1, 3, 4, 6)  # the last one goes on
RULES = {
    Planner.DEFAULT: Rules({3: 5.6e8, 2: 8.5e7}, 8, 0.05, is_residual=False),
    Planner.RESENC_M: Rules({3: 6.8e8, 2: 1.35e8}, 8, 1.0, is_residual=True),
    Planner.RESENC_L: Rules({3: 2.1e9, 2: 3.8e8}, 24, 1.0, is_residual=True),
    Planner.RESENC_XL: Rules({3: 3.6e9, 2: 5.6e8}, 40, 1.0, is_residual=True),
}
REFERENCE_BATCH = {2: 12, 3: 2}
"""The batch for which the sizes above were measured."""


def planned_channels(stages: int, first: int, most: int) -> tuple[int, ...]:
    """Channels per stage: twice as many each, up to a limit.

    Examples:
        >>> planned_channels(6, 32, 320)
        (32, 64, 128, 256, 320, 320)
    """
    return tuple(min(first * 2**stage, most) for stage in range(stages))


def first_topology(spacing_mm: tuple[float, ...], shape: tuple[float, ...]) -> Topology:
    """The topology for the largest patch: of 256³ voxels in 3D, as long as wide in mm, and within the median image.

    Args:
        spacing_mm: per axis of the network.
        shape: of the median image.

    Raises:
        InvalidConfig: if the image is too small for a network of two stages.

    Examples:
        >>> first_topology((1.0, 0.44, 0.44), (104, 384, 384)).patch
        (112, 384, 384)
    """
    ndim = len(shape)
    fineness = [1 / spacing for spacing in spacing_mm]
    scale = (FIRST_VOXELS[ndim] / math.prod(fineness)) ** (1 / ndim)
    topology = topology_for(
        spacing_mm, [min(round(fine * scale), size) for fine, size in zip(fineness, shape, strict=True)]
    )
    if topology.stages < 2:
        raise InvalidConfig(
            f"a U-Net halves one axis of 12 voxels or more, or several of 8 and of like spacing; found images of "
            f"{by(shape)} voxels at {by(spacing_mm)} mm. Give images of a larger field of view, or finer ones"
        )
    return topology


def coarser(
    fingerprint: Fingerprint, spacing_mm: tuple[float, ...], axes: tuple[int, ...] = (0, 1, 2), alike: float = ALIKE
) -> Fingerprint:
    """The fingerprint at a spacing 3 % coarser than this: fine axes alone, until all are alike.

    Args:
        fingerprint: at the target spacing.
        spacing_mm: the spacing so far.
        axes: that may become coarser.
        alike: axes finer than the coarsest by more than this factor come first.

    Examples:
        >>> coarser(Fingerprint((4.0, 1.0, 1.0), (20, 200, 200), cases=9), (4.0, 1.0, 1.0)).spacing_mm
        (4.0, 1.03, 1.03)
    """
    coarsest = max(spacing_mm[axis] for axis in axes)
    fine = [axis for axis in axes if coarsest / spacing_mm[axis] > alike] or axes
    new = tuple(value * COARSER if axis in fine else value for axis, value in enumerate(spacing_mm))
    shape = tuple(
        max(1.0, before / after * size)
        for before, after, size in zip(fingerprint.spacing_mm, new, fingerprint.shape, strict=True)
    )
    return replace(fingerprint, spacing_mm=new, shape=shape)


def checked_memory_gb(memory_gb: float) -> float:
    """The memory of a GPU.

    Raises:
        InvalidConfig: if it is no number that a GPU has.

    Examples:
        >>> checked_memory_gb(8)
        8.0
    """
    try:
        memory = float(memory_gb)
    except (TypeError, ValueError):
        memory = math.nan
    if not MIN_MEMORY_GB <= memory <= MAX_MEMORY_GB:
        raise InvalidConfig(
            f"the memory of a GPU is a number of GB from {MIN_MEMORY_GB:g} to {MAX_MEMORY_GB:g}, such as 8 or 24; "
            f"found {str(memory_gb)[:40]!r}. Without a GPU: --budget cpu"
        )
    return memory


def by(values: Sequence[float]) -> str:
    """Numbers per axis in words.

    Examples:
        >>> by((1.0, 0.44, 0.44))
        '1 x 0.44 x 0.44'
    """
    return " x ".join(f"{value:.4g}" for value in values)
