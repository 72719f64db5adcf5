"""A plan as the text of a config that `avnnet fit -c` and `avnnet study --nets` take, with reasons as comments."""

from __future__ import annotations

import json
import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from avnnet.choice import Budget
from avnnet.data.orientation import ORDERS, FirstAxis
from avnnet.labels import HIP, LabelScheme
from avnnet.models.planning.cpu import cpu_steps
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.plan import Plan
from avnnet.models.planning.topology import small_patch

WIDTH = 118
LEFT = 0
"""The row of a world direction (LPS) that runs to the left."""
OPTIMIZER = """  # learns in fewer steps than AdamW; nnU-Net's SGD is in experiments/ablations/sgd.yaml
  optimizer:
    class_path: avnnet.training.muon.Muon
    init_args: {lr: 0.006, weight_decay: 0.01}
  schedule:
    class_path: avnnet.training.schedule.PolynomialDecay
    init_args: {power: 0.9}
"""
GPU_EPOCHS, GPU_VALIDATE_EVERY = 250, 10
CPU_STEPS_PER_EPOCH = 50
SMALL_UNTIL = 0.5
"""Of the epochs, after which the small patch gives way to the whole one."""
MAX_CPU_SCALES = 2
NEARLY = 0.95


@dataclass(frozen=True)
class PlannedData:
    """What a config says of the data beside the plan.

    Args:
        cohort: path of the cohort's CSV.
        fingerprint: of the cohort.
        first_axis: patient direction of the slice axis.
        labels: names of the label ids.
        crop_mm: field around the head centre, slice axis first; None for whole images.
    """

    cohort: str
    fingerprint: Fingerprint
    first_axis: FirstAxis = "superior"
    labels: LabelScheme = HIP
    crop_mm: tuple[float, ...] | None = None

    def crop(self, spacing_mm: Sequence[float]) -> list[int] | None:
        """Voxels of the crop at a spacing.

        Examples:
            >>> fingerprint = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
            >>> PlannedData("hips.csv", fingerprint, crop_mm=(80, 70.4, 70.4)).crop((2.0, 1.4, 1.4))
            [40, 50, 50]
        """
        if self.crop_mm is None:
            return None
        return [max(1, round(length / step)) for length, step in zip(self.crop_mm, spacing_mm, strict=True)]


def config_text(plan: Plan, data: PlannedData, *, heading: Sequence[str], minutes: float | None = None) -> str:
    """The config of a plan.

    Args:
        plan: the network.
        data: what it learns from.
        heading: lines on top: the command that made it, and the reasons.
        minutes: of a training on two CPU cores; None is for a GPU.

    Examples:
        >>> from avnnet.models.planning.plan import plan_network
        >>> fingerprint = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
        >>> text = config_text(plan_network(fingerprint), PlannedData("hips.csv", fingerprint), heading=["planned"])
        >>> text.splitlines()[0], "patch: [80, 160, 160]" in text
        ('# planned', True)
    """
    budget = Budget.GPU if minutes is None else Budget.CPU
    lines = [line for reason in heading for line in textwrap.wrap(reason, WIDTH, subsequent_indent="  ") or [""]]
    head = "".join(f"# {line}".rstrip() + "\n" for line in lines)
    return head + "seed_everything: 1\n" + _model(plan, data, budget) + _data(plan, data, minutes)


def _model(plan: Plan, data: PlannedData, budget: Budget) -> str:
    topology = plan.topology
    scales = max(1, topology.stages - 2)  # nnU-Net gives the coarsest head no weight
    if budget is Budget.CPU:
        scales = min(scales, MAX_CPU_SCALES)
    arguments = {
        "channels": list(plan.channels),
        "strides": [list(stride) for stride in topology.strides[1:]],
        "kernels": [list(kernel) for kernel in topology.kernels],
        "in_channels": data.fingerprint.channels,
        "classes": data.fingerprint.classes,
    }
    if plan.is_residual:
        arguments["blocks"] = list(plan.blocks)
    arguments["convs"] = plan.decoder_convs
    arguments["deep_supervision"] = scales
    name = f"{'ResEncUNet' if plan.is_residual else 'UNet'}{plan.ndim}D"
    written = "".join(f"      {key}: {json.dumps(value)}\n" for key, value in arguments.items())
    over_batch = json.dumps(plan.batch_dice)
    return (
        f"model:\n  net:\n    class_path: avnnet.models.{name}\n    init_args:\n{written}"
        f"  loss:\n    class_path: avnnet.losses.DiceCE\n    init_args: {{over_batch: {over_batch}}}\n" + OPTIMIZER
    )


def _data(plan: Plan, data: PlannedData, minutes: float | None) -> str:
    spacing_mm = [round(value, 4) for value in plan.spacing_mm]
    crop = data.crop(plan.spacing_mm)
    patch, batch, slices = list(plan.patch), plan.batch, None
    if plan.ndim == 2:
        patch = [slices_of_image(plan, data), *patch]
        batch, slices = slices_per_case(plan.batch, data.fingerprint.cases, patch[0])
    names = ", ".join(f"{index}: {json.dumps(name)}" for index, name in data.labels.names.items())
    lines = [
        "data:",
        f"  cohort: {json.dumps(data.cohort)}",
        "  labels:",
        f"    names: {{{names}}}",
        f"    part: {_word(data.labels.part)}",
        f"    whole: {_word(data.labels.whole)}",
        f"  first_axis: {data.first_axis}",
        f"  spacing_mm: {spacing_mm}",
        f"  crop: {json.dumps(crop)}",
        f"  patch: {patch}",
    ]
    if slices is not None:
        lines.append(f"  # {batch} cases of {slices} slices, of the {plan.batch} that were planned")
    lines += [f"  batch_size: {batch}", f"  slices: {json.dumps(slices)}"]
    small = small_patch(plan.topology)
    whole = plan.topology.patch
    share = 1 - SMALL_UNTIL * (1 - math.prod(small) / math.prod(whole))  # of the operations of whole patches
    if small != whole:
        lines += ["  # more steps of the same operations: small patches first", "  sampler:"]
        lines += ["    class_path: avnnet.data.sampling.GrowingPatch"]
        lines += [f"    init_args: {{sizes: [{list(small)}], until: [{SMALL_UNTIL}]}}"]
    left = ORDERS[data.first_axis].index(LEFT)
    if minutes is None:
        lines += ["  steps_per_epoch: 250", "  workers: 8", "  augment:", "    rotate_deg: 30.0", "    scale: 0.25"]
        lines += ["    # left and right; [] where a label names a side", f"    mirror_axes: [{left}]"]
        epochs, every = round(GPU_EPOCHS / share / GPU_VALIDATE_EVERY) * GPU_VALIDATE_EVERY, GPU_VALIDATE_EVERY
        why = "a quarter of nnU-Net's operations; avnnet fit --minutes N fixes the number that fits"
    else:
        epochs = max(1, math.ceil(cpu_steps(minutes) / share / CPU_STEPS_PER_EPOCH))
        every = max(1, epochs // 4)
        lines += [f"  steps_per_epoch: {CPU_STEPS_PER_EPOCH}", "  augment:", "    mirror_axes: []"]
        why = f"about what {minutes:g} minutes hold; with --minutes a timing fixes the number"
    lines += ["trainer:", f"  # {why}", f"  max_epochs: {epochs}"]
    lines += [f"  check_val_every_n_epoch: {every}", "  gradient_clip_val: 12"]
    return "\n".join(lines) + "\n"


def _word(name: str) -> str:
    """A name as a YAML scalar: `no` and `null` would be read as something else."""
    return name if yaml.safe_load(name) == name else json.dumps(name)


def slices_of_image(plan: Plan, data: PlannedData) -> int:
    """How many slices a patch of a 2D network is drawn from: those of the crop, or of the median image.

    Args:
        plan: of the network.
        data: what it learns from.

    Examples:
        >>> from avnnet.models.planning.plan import plan_network
        >>> fingerprint = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
        >>> slices_of_image(plan_network(fingerprint, ndim=2), PlannedData("hips.csv", fingerprint))
        80
    """
    crop = data.crop(plan.spacing_mm)
    return math.ceil(data.fingerprint.shape[0]) if crop is None else crop[0]


def slices_per_case(batch: int, cases: int, available: int) -> tuple[int, int]:
    """Cases and slices of each whose product is a batch, or a few slices less where it has no such factors.

    Args:
        batch: slices in a step.
        cases: of the cohort.
        available: slices of an image.

    Examples:
        >>> slices_per_case(32, 34, 80), slices_per_case(127, 34, 80), slices_per_case(12, 3, 80)
        ((4, 8), (11, 11), (3, 4))
    """
    pairs = [(count, min(batch // count, available)) for count in range(1, min(batch, cases) + 1)]
    fullest = max(count * slices for count, slices in pairs)
    full = [pair for pair in pairs if math.prod(pair) >= NEARLY * fullest]
    return min(full, key=lambda pair: abs(pair[0] - math.sqrt(batch)))
