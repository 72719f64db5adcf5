"""The choices of a plan in words, with their numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.rules import MIN_SAVING, MIN_SHARE_OF_IMAGE, by
from avnnet.models.planning.topology import ALIKE, MIN_EDGE, Topology

TIMES = {1: "once", 2: "twice"}


def why_patch(fingerprint: Fingerprint, edges: Sequence[int], size: int, budget: float, memory_gb: float) -> str:
    """Why the patch is as large as it is; `budget` is the size that the memory holds in the least batch."""
    shape = fingerprint.shape[-len(edges) :]
    fits = f"features of {size:.3g} values, of {budget:.3g} that {memory_gb:g} GB hold"
    if all(edge >= whole for edge, whole in zip(edges, shape, strict=True)):
        return f"patch {by(edges)}: the whole median image of {by(shape)}, padded to what the strides divide; {fits}"
    share = math.prod(edges) / math.prod(shape)
    return f"patch {by(edges)}: as large as fits, {share:.0%} of the median image of {by(shape)}; {fits}"


def why_stages(spacing_mm: Sequence[float], topology: Topology) -> str:
    """Why there are as many stages as there are, and what the first kernels are.

    Examples:
        >>> from avnnet.models.planning.topology import topology_for
        >>> why_stages((1.0, 1.0), topology_for((1.0, 1.0), (16, 16)))
        '3 stages: axes halved 2 x 2 times, to 4 x 4 voxels; an axis is halved while 4 voxels of it stay'
    """
    counts = [round(math.log2(step)) for step in topology.divisors]
    ends = [edge // step for edge, step in zip(topology.patch, topology.divisors, strict=True)]
    said = (
        f"{topology.stages} stages: axes halved {by(counts)} times, to {by(ends)} voxels; an axis is halved while "
        f"{MIN_EDGE} voxels of it stay"
    )
    ratio = max(spacing_mm) / min(spacing_mm)
    flat = next((n for n, kernel in enumerate(topology.kernels) if min(kernel) == 3), 0)
    if ratio >= ALIKE:
        said += (
            f". Voxels are {ratio:.2g} times longer than wide: the finer axes are halved first, and the kernels of the "
            f"first {'stage' if flat == 1 else f'{flat} stages'} have 1 along the coarser"
        )
    return said


def why_channels(widths: Sequence[int], first: int, most: int) -> str:
    """Why the stages are as wide as they are.

    Examples:
        >>> why_channels([16, 32], 16, 128)
        'channels 16, 32: 16 and twice as many per stage, at most 128'
    """
    return f"channels {', '.join(map(str, widths))}: {first} and twice as many per stage, at most {most}"


def why_batch(fingerprint: Fingerprint, edges: Sequence[int], count: int, limits: tuple[int, int]) -> str:
    """Why there are as many patches in a step.

    Examples:
        >>> why_batch(Fingerprint((1.0, 1.0, 1.0), (36, 50, 35), cases=208), (40, 56, 40), 7, (58, 7))
        "batch of 7 patches: what a step may see of the cohort's 208 cases (the memory would hold 58)"
    """
    by_memory, by_cohort = limits
    what = "patches" if len(edges) == 3 else "slices"
    why = "the least that nnU-Net takes"
    if count == by_memory and by_memory <= by_cohort:
        why = "what the memory holds"
    elif count == by_cohort:
        why = f"what a step may see of the cohort's {fingerprint.cases} cases (the memory would hold {by_memory})"
    return f"batch of {count} {what}: {why}"


def why_batch_dice(ndim: int, low: tuple[Sequence[float], float] | None) -> str:
    """Whether the Dice is taken over the batch, and what nnU-Net would do at a lower resolution.

    Examples:
        >>> why_batch_dice(2, None)
        'Dice over the batch: a slice may hold nothing of a structure'
    """
    if ndim == 2:
        return "Dice over the batch: a slice may hold nothing of a structure"
    if low is None:
        return f"Dice per patch, no network at a lower resolution: a patch shows {MIN_SHARE_OF_IMAGE:.0%} or more"
    spacing_mm, saving = low
    found = f"a patch shows less than {MIN_SHARE_OF_IMAGE:.0%} of an image; at {by(spacing_mm)} mm it would show that"
    if saving < MIN_SAVING:
        return f"Dice per patch: {found}, but a network there is dropped: it saves only {saving:.3g} times the voxels"
    return (
        f"Dice over the batch: {found}, with {saving:.3g} times fewer voxels; nnU-Net would train a network "
        "there first and hand its labels on. avnnet has no such cascade: crop the images around the structure "
        "(--crop-mm), or train at that spacing (data.spacing_mm)"
    )


def why_residual(blocks: Sequence[int]) -> str:
    """What the blocks of a residual encoder are.

    Examples:
        >>> why_residual([1, 3])
        'residual encoder: a stem, 1, 3 blocks of two convolutions, one convolution per level up'
    """
    counts = ", ".join(map(str, blocks))
    return f"residual encoder: a stem, {counts} blocks of two convolutions, one convolution per level up"


def why_spacing(spacings_mm: Sequence[Sequence[float]], chosen: Sequence[float]) -> str:
    """Why the spacing is what it is.

    Examples:
        >>> why_spacing([(1, 0.5, 0.5), (1, 0.4, 0.4)], (1.0, 0.45, 0.45))
        'spacing 1 x 0.45 x 0.45 mm: the median per axis of 2 images'
    """
    count = len(spacings_mm)
    medians = [sorted(one[axis] for one in spacings_mm) for axis in range(len(chosen))]
    middle = [(column[(count - 1) // 2] + column[count // 2]) / 2 for column in medians]
    said = f"spacing {by(chosen)} mm: the median per axis of {count} images"
    if not all(math.isclose(one, other, rel_tol=1e-3) for one, other in zip(middle, chosen, strict=True)):
        said += (
            f" ({by(middle)}), but along the slice axis the 10th percentile, since slices lie more than 3 times "
            "further apart than pixels"
        )
    return said
