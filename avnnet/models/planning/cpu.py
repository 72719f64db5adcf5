"""A plan that two CPU cores train in some minutes: nnU-Net's topology, narrower, on coarser voxels. Pure; no torch."""

from __future__ import annotations

import math

from avnnet.errors import InvalidConfig
from avnnet.models.planning import reasons as words
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.footprint import plain_size, step_gflop
from avnnet.models.planning.plan import Plan
from avnnet.models.planning.rules import COARSER, by, coarser, first_topology, planned_channels
from avnnet.models.planning.topology import Topology, smaller

CPU_GFLOP_PER_S = 150.0
"""Of two cores with bf16 instructions, data included; docs/results.md says how it was measured."""
STEPS_PER_ROOT_MINUTE = 500
"""Twice the minutes go into 1.4 times the steps and 1.4 times larger ones: 500 steps in a minute, 1,600 in ten."""
STEPS_SHARE = 0.8
"""Of the minutes; validation and the rest take a fifth."""
CPU_BATCH = {2: 32, 3: 2}
CPU_CHANNELS = (16, 24, 32)
MAX_WIDENING = 8
MIN_SHARE_ON_CPU = 0.5
"""A patch shows at least half of the median image, else voxels become coarser: a window that slides costs minutes."""
MIN_CPU_MINUTES, MAX_CPU_MINUTES = 0.5, 24 * 60.0


def plan_for_cpu(fingerprint: Fingerprint, *, ndim: int = 3, minutes: float = 10.0) -> Plan:
    """The network that two CPU cores train in these minutes.

    A step may cost what the minutes allow. At 16 channels the patch shrinks until it does; where it then shows less
    than half of the median image, voxels become 3 % coarser, the finest axes first, and again. What is left over makes
    the network wider.

    Args:
        fingerprint: of the cohort, slice axis first.
        ndim: 3, or 2 for a network on slices, whose slices keep their distance.
        minutes: that the training may take.

    Raises:
        InvalidConfig: if the minutes are out of their limits, or the images too small for a network of two stages.

    Examples:
        >>> plan = plan_for_cpu(Fingerprint((1.0, 1.0, 1.0), (36, 50, 35), cases=208), minutes=3)
        >>> plan.patch, plan.channels
        ((32, 40, 28), (16, 32, 64, 128))
    """
    if ndim not in (2, 3):
        raise InvalidConfig(f"a plan is for a network of 2 or 3 dimensions; found ndim {ndim!r}")
    allowed = cpu_step_gflop(minutes)
    axes = tuple(range(3 - ndim, 3))
    seen = fingerprint
    topology = _fitted(seen, ndim, allowed)
    while math.prod(topology.patch) / math.prod(seen.shape[-ndim:]) < MIN_SHARE_ON_CPU:
        seen = coarser(fingerprint, seen.spacing_mm, axes, alike=COARSER)
        topology = _fitted(seen, ndim, allowed)
    first = max(width for width in CPU_CHANNELS if width == CPU_CHANNELS[0] or _gflop(seen, topology, width) <= allowed)
    channels = _channels(topology, first)
    gflop = _gflop(seen, topology, first)
    reasons = (
        f"a step of {gflop:.3g} GFLOP, of {allowed:.3g} that are allowed: {STEPS_SHARE:.0%} of {minutes:g} minutes at "
        f"{CPU_GFLOP_PER_S:g} GFLOP/s, in about {cpu_steps(minutes)} steps; --minutes of avnnet fit and study times "
        "real steps and fixes their number",
        _coarsened(fingerprint, seen, topology),
        words.why_stages(seen.spacing_mm[-ndim:], topology),
        words.why_channels(channels, first, MAX_WIDENING * first) + f"; nnU-Net begins with {CPU_CHANNELS[-1]}",
        f"batch of {CPU_BATCH[ndim]} {'patches' if ndim == 3 else 'slices'}: small, for more steps in the minutes",
    )
    return Plan(
        spacing_mm=seen.spacing_mm,
        topology=topology,
        channels=channels,
        blocks=(2,) * topology.stages,
        is_residual=False,
        batch=CPU_BATCH[ndim],
        batch_dice=ndim == 2,
        size=plain_size(topology, channels, fingerprint.classes),
        reasons=reasons,
    )


def cpu_steps(minutes: float) -> int:
    """About how many steps a training of some minutes is planned for.

    Examples:
        >>> cpu_steps(1), cpu_steps(10)
        (500, 1581)
    """
    return round(STEPS_PER_ROOT_MINUTE * math.sqrt(minutes))


def cpu_step_gflop(minutes: float) -> float:
    """10⁹ operations that a step may cost.

    Raises:
        InvalidConfig: if the minutes are out of their limits.

    Examples:
        >>> round(cpu_step_gflop(10), 1)
        45.5
    """
    try:
        checked = float(minutes)
    except (TypeError, ValueError):
        checked = math.nan
    if not MIN_CPU_MINUTES <= checked <= MAX_CPU_MINUTES:
        raise InvalidConfig(
            f"a training on two CPU cores is planned for {MIN_CPU_MINUTES:g} to {MAX_CPU_MINUTES:g} minutes, such as "
            f"10; found {str(minutes)[:40]!r}. A longer one: without --budget cpu, on a GPU"
        )
    return STEPS_SHARE * 60 * checked * CPU_GFLOP_PER_S / cpu_steps(checked)


def _fitted(seen: Fingerprint, ndim: int, allowed_gflop: float) -> Topology:
    spacing, shape = seen.spacing_mm[-ndim:], seen.shape[-ndim:]
    topology = first_topology(spacing, shape)
    while _gflop(seen, topology, CPU_CHANNELS[0]) > allowed_gflop:
        fewer = smaller(topology, spacing, shape)
        if fewer.stages < 2 or min(fewer.patch) < 1:  # the least patch; coarser voxels will do the rest
            break
        topology = fewer
    return topology


def _channels(topology: Topology, first: int) -> tuple[int, ...]:
    return planned_channels(topology.stages, first, MAX_WIDENING * first)


def _gflop(seen: Fingerprint, topology: Topology, first: int) -> float:
    return step_gflop(
        topology,
        _channels(topology, first),
        patches=CPU_BATCH[len(topology.patch)],
        in_channels=seen.channels,
        classes=seen.classes,
    )


def _coarsened(fingerprint: Fingerprint, seen: Fingerprint, topology: Topology) -> str:
    ndim = len(topology.patch)
    share = math.prod(topology.patch) / math.prod(seen.shape[-ndim:])
    shown = f"patch {by(topology.patch)}: {min(share, 1):.0%} of the median image of {by(seen.shape[-ndim:])}"
    if seen.spacing_mm == fingerprint.spacing_mm:
        return f"{shown}, at the spacing of the images"
    return (
        f"{shown}, at {by(seen.spacing_mm)} mm: at {by(fingerprint.spacing_mm)} mm a patch that fits would show "
        f"less than {MIN_SHARE_ON_CPU:.0%}. Crop the images (--crop-mm), or give more minutes, to see finer voxels"
    )
