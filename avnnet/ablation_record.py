"""`ablation.json`: what is known of an ablation, written and read here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from avnnet.labels import LabelScheme
from avnnet.record import BudgetRecord, Record


@dataclass(frozen=True)
class ChangeRecord:
    """A key of the config that a variant changes.

    Args:
        key: dotted, "model.net.init_args.block".
        base: its value in the base, in words.
        variant: its value in the variant, in words.
    """

    key: str
    base: str
    variant: str


@dataclass(frozen=True)
class VariantRecord:
    """How a variant is trained, and what it costs.

    Args:
        files: the configs, later ones over earlier ones.
        config: the whole config as YAML, defaults included.
        round: 1 for the variants that an ablation was begun with, 2 for those that were added next.
        changes: what it changes of the base; empty for the base.
        budget: what a budget in minutes came to; None where none was asked for.
        parameters: numbers that are trained.
        forward_gflop: operations of the prediction of one patch, in thousand millions; FLOP = 2 x MAC.
        step_gflop: of a training step, forward and backward.
        peak_bytes: the most memory that a process held which made training steps; None where it was not measured.
        before_bytes: what it held before the first of them.
        device: on which it was measured.
    """

    files: tuple[str, ...]
    config: str
    round: int = 1
    changes: tuple[ChangeRecord, ...] = ()
    budget: BudgetRecord | None = None
    parameters: int = 0
    forward_gflop: float = 0.0
    step_gflop: float = 0.0
    peak_bytes: int | None = None
    before_bytes: int | None = None
    device: str = ""


@dataclass(frozen=True)
class AblationRecord(Record):
    """What is known of an ablation.

    Args:
        base: name of the variant that the others are compared with.
        variants: by name, the base first.
        seeds: of the trainings; each is one of all variants and folds.
        folds: of the cross-validation.
        split_seed: of the folds.
        cohort: path of the cohort's table.
        cohort_sha256: hash of that table, the images and the masks.
        digital: whether the images are digital hips.
        scheme: names of the label ids.
        minutes: that each training was given; None where the configs' number of steps was kept.
        command: the words typed.
        versions: of the software, by name.
        started: when, ISO 8601.
        finished: when, ISO 8601.
        schema: of the file that it was read from.
    """

    FILE: ClassVar[str] = "ablation.json"
    SCHEMA: ClassVar[int] = 1
    MISSING: ClassVar[str] = "give the output folder of an ablation"
    WAY_OUT: ClassVar[str] = "run the ablation again in another folder"

    base: str
    variants: Mapping[str, VariantRecord]
    seeds: tuple[int, ...]
    folds: int
    split_seed: int
    cohort: str
    cohort_sha256: str
    digital: bool
    scheme: LabelScheme
    minutes: float | None = None
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    finished: str = ""
    schema: int = SCHEMA
