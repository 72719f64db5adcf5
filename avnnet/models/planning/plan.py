"""From a cohort's fingerprint to a network, its patch and its batch, by nnU-Net's rules. Pure; no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from avnnet.choice import Planner
from avnnet.errors import InvalidConfig
from avnnet.models.planning import reasons as words
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.rules import (
    FIRST_CHANNELS,
    MAX_PLANNED_CHANNELS,
    MIN_BATCH,
    MIN_SAVING,
    MIN_SHARE_OF_IMAGE,
    REFERENCE_BATCH,
    RULES,
    Rules,
    by,
    checked_memory_gb,
    coarser,
    first_topology,
    planned_channels,
)
from avnnet.models.planning.topology import Topology, smaller


@dataclass(frozen=True)
class Plan:
    """A network with its patch and batch, and why.

    Args:
        spacing_mm: that the network sees, all three axes, slice axis first.
        topology: patch, strides and kernels, of as many axes as the network has.
        channels: per stage, finest first.
        blocks: per stage of the encoder: convolutions, or residual blocks.
        is_residual: whether the encoder is nnU-Net's residual one.
        batch: patches, or slices, in a step.
        batch_dice: whether the Dice of the loss is taken over the batch.
        size: of the features, nnU-Net's measure of memory.
        reasons: a sentence per choice.
    """

    spacing_mm: tuple[float, ...]
    topology: Topology
    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    is_residual: bool
    batch: int
    batch_dice: bool
    size: int
    reasons: tuple[str, ...] = ()

    @property
    def ndim(self) -> int:
        """Dimensions of the network."""
        return len(self.topology.patch)

    @property
    def patch(self) -> tuple[int, ...]:
        """Voxels per axis."""
        return self.topology.patch

    @property
    def decoder_convs(self) -> int:
        """Convolutions per stage of the decoder."""
        return 1 if self.is_residual else 2


def plan_network(
    fingerprint: Fingerprint,
    *,
    ndim: int = 3,
    planner: Planner = Planner.DEFAULT,
    memory_gb: float | None = None,
) -> Plan:
    """The network that nnU-Net plans for a cohort: `3d_fullres`, or `2d`.

    Args:
        fingerprint: of the cohort, slice axis first.
        ndim: 3, or 2 for a network on slices.
        planner: which of nnU-Net's.
        memory_gb: of the GPU; that of the planner by default.

    Raises:
        InvalidConfig: if the memory is no number that a GPU has, or too small for any patch, or the images are too
            small for a network of two stages.

    Source: Isensee et al., Nat Methods 2021;18:203 and arXiv:2404.09556, as in nnunetv2 2.8.1.

    Examples:
        >>> plan = plan_network(Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34))
        >>> plan.patch, plan.batch, plan.channels
        ((80, 160, 160), 2, (32, 64, 128, 256, 320, 320))
        >>> plan_network(Fingerprint((1.0, 1.0, 1.0), (36, 50, 35), cases=260), ndim=2).batch
        366
    """
    if ndim not in (2, 3):
        raise InvalidConfig(f"a plan is for a network of 2 or 3 dimensions; found ndim {ndim!r}")
    rules = RULES[Planner(planner)]
    memory = checked_memory_gb(rules.memory_gb if memory_gb is None else memory_gb)
    budget = rules.sizes[ndim] * (memory / rules.memory_gb)
    plan = _planned(fingerprint, ndim, rules, budget)
    low = _low_resolution(fingerprint, plan, rules, budget) if ndim == 3 else None
    low_plan = None if low is None or fingerprint.voxels / low[1].voxels < MIN_SAVING else low[0]
    plan = replace(plan, batch_dice=ndim == 2 or low_plan is not None)
    reasons = [
        words.why_patch(fingerprint, plan.patch, plan.size, budget / rules.least_share(ndim), memory),
        words.why_stages(fingerprint.spacing_mm[-ndim:], plan.topology),
        words.why_channels(plan.channels, FIRST_CHANNELS, MAX_PLANNED_CHANNELS[ndim]),
        words.why_batch(
            fingerprint, plan.patch, plan.batch, _batches(fingerprint, plan.topology, rules, plan.size, budget)
        ),
        words.why_batch_dice(ndim, None if low is None else (low[1].spacing_mm, fingerprint.voxels / low[1].voxels)),
    ]
    if plan.is_residual:
        reasons.append(words.why_residual(plan.blocks))
    return replace(plan, reasons=tuple(reasons))


def low_resolution(
    fingerprint: Fingerprint, *, planner: Planner = Planner.DEFAULT, memory_gb: float | None = None
) -> Plan | None:
    """nnU-Net's `3d_lowres`, where a patch shows little of an image; None where it would save too little.

    Args:
        fingerprint: of the cohort, slice axis first.
        planner: which of nnU-Net's.
        memory_gb: of the GPU; that of the planner by default.

    Raises:
        InvalidConfig: as `plan_network`.

    Examples:
        >>> low_resolution(Fingerprint((1.0, 0.44, 0.44), (104, 384, 384), cases=34)) is None
        True
        >>> low_resolution(Fingerprint((1.0, 1.0, 1.0), (400, 400, 400), cases=34)).patch
        (128, 128, 128)
    """
    rules = RULES[Planner(planner)]
    memory = checked_memory_gb(rules.memory_gb if memory_gb is None else memory_gb)
    budget = rules.sizes[3] * (memory / rules.memory_gb)
    low = _low_resolution(fingerprint, _planned(fingerprint, 3, rules, budget), rules, budget)
    return None if low is None or fingerprint.voxels / low[1].voxels < MIN_SAVING else low[0]


def _low_resolution(
    fingerprint: Fingerprint, plan: Plan, rules: Rules, budget: float
) -> tuple[Plan, Fingerprint] | None:
    """The plan at the first coarser spacing whose patch shows enough, with the image there; None without need."""
    seen, found = fingerprint, None
    while math.prod(plan.patch) / seen.voxels < MIN_SHARE_OF_IMAGE:
        seen = coarser(fingerprint, seen.spacing_mm)
        # the network is planned for whole voxels; what is saved is counted in fractions
        plan = _planned(replace(seen, shape=tuple(max(1, round(size)) for size in seen.shape)), 3, rules, budget, seen)
        found = plan, seen
    return found


def _planned(
    fingerprint: Fingerprint, ndim: int, rules: Rules, budget: float, counted: Fingerprint | None = None
) -> Plan:
    spacing, shape = fingerprint.spacing_mm[-ndim:], fingerprint.shape[-ndim:]
    topology = first_topology(spacing, shape)
    share = rules.least_share(ndim)
    while (size := rules.size(topology, fingerprint.classes)) * share > budget:
        fewer = smaller(topology, spacing, shape)
        if fewer.stages < 2 or min(fewer.patch) < 1:
            enough_gb = size * share / rules.sizes[ndim] * rules.memory_gb
            raise InvalidConfig(
                f"the least patch of images of {by(shape)} voxels at {by(spacing)} mm is {by(topology.patch)} and "
                f"takes {enough_gb:.2g} GB; found {budget / rules.sizes[ndim] * rules.memory_gb:g}. Give --memory "
                f"{max(1, round(enough_gb + 0.5))}, or images of fewer voxels"
            )
        topology = fewer
    return Plan(
        spacing_mm=fingerprint.spacing_mm,
        topology=topology,
        channels=planned_channels(topology.stages, FIRST_CHANNELS, MAX_PLANNED_CHANNELS[ndim]),
        blocks=rules.blocks(topology.stages),
        is_residual=rules.is_residual,
        batch=max(min(_batches(counted or fingerprint, topology, rules, size, budget)), MIN_BATCH),
        batch_dice=False,
        size=size,
    )


def _batches(fingerprint: Fingerprint, topology: Topology, rules: Rules, size: int, budget: float) -> tuple[int, int]:
    """The batch that the memory allows, and the one that the cohort allows."""
    by_memory = round(budget / size * REFERENCE_BATCH[len(topology.patch)])
    voxels = fingerprint.voxels * fingerprint.cases
    return by_memory, round(voxels * rules.covered / float(math.prod(topology.patch)))
