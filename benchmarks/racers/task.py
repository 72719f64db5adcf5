"""What every racer is asked, and what it gives: the same words, masks of held-out cases, and race.json."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import torch

from avnnet.cli.words import names_by_id
from avnnet.data.cohort import Case, Cohort, read_cohort
from avnnet.data.files import read_image, write_image
from avnnet.data.splits import read_folds
from avnnet.image import LabelMap
from avnnet.labels import LabelScheme

CLOCK = time.monotonic
SPARE = 0.97  # of the time that is left: a step may take longer than those that were timed


@dataclass(frozen=True)
class Trained:
    """What a training has taken."""

    steps: int
    step_gflop: float


@dataclass(frozen=True)
class Topology:
    """A plain U-Net of two convolutions a stage, with what it is trained on; strides as nnU-Net has them."""

    channels: list[int]
    strides: list[list[int]]
    kernels: list[list[int]]
    deep_supervision: int
    patch: list[int]
    batch: int


@dataclass(frozen=True)
class Task:
    """One training of a fold within some minutes; the prediction of its held-out cases takes what it takes.

    With `steps` these are timed and nothing else is done; then `config` says network, patch and batch for all.
    """

    cohort_path: Path
    scheme: LabelScheme
    splits: Path
    fold: int
    minutes: float
    seed: int
    out: Path
    shared: Path
    begin_s: float
    steps: int | None = None
    config: Path | None = None
    before_mib: float = 0.0

    @cached_property
    def cohort(self) -> Cohort:
        """All cases."""
        return read_cohort(self.cohort_path)

    def begun_now(self) -> Task:
        """The same task, its minutes beginning now, and its memory being beyond what is held by now."""
        return replace(self, begin_s=CLOCK(), before_mib=held_mib())

    @property
    def held_out(self) -> list[Case]:
        """The cases that are not to be trained on."""
        ids = set(read_folds(self.splits, self.cohort)[self.fold])
        return [case for case in self.cohort if case.case_id in ids]

    @property
    def training(self) -> list[Case]:
        """The others."""
        ids = {case.case_id for case in self.held_out}
        return [case for case in self.cohort if case.case_id not in ids]

    @property
    def left_s(self) -> float:
        """Seconds of the training's minutes that are left."""
        return self.minutes * 60 - (CLOCK() - self.begin_s)

    def train(
        self,
        net: torch.nn.Module,
        step: Callable[[], object],
        schedule: Callable[[int], Callable[[int], object]],
        *,
        timed: int = 2,
    ) -> Trained | None:
        """Counts and times a few steps, gives the network its first weights back, and trains while there is time.

        `schedule` gets the number of steps that fit, makes optimiser and schedule anew, and gives what sets the rate
        before the step of a number. The draws of the data go on: the steps that were timed took the first of them.
        None where steps are to be timed alone: `pace.json` is written.
        """
        if self.steps is not None:
            self.write_pace(self._seconds_of(step, self.steps))
            return None
        begin = {name: value.clone() for name, value in net.state_dict().items()}
        gflop = counted_gflop(step)
        planned = max(1, int(SPARE * self.left_s / median(self._seconds_of(step, timed))))
        net.load_state_dict(begin)
        set_rate = schedule(planned)
        done = 0
        while done < planned and self.left_s > 0:
            set_rate(done)
            step()
            done += 1
        return Trained(done, gflop)

    def _seconds_of(self, step: Callable[[], object], count: int) -> list[float]:
        step()  # warm
        found = []
        for _ in range(count):
            begin_s = CLOCK()
            step()
            found.append(CLOCK() - begin_s)
        return found

    def write_pace(self, seconds: Sequence[float]) -> None:
        """Writes pace.json: seconds of every step, its data included, and the memory beyond that of the imports."""
        content = {"seconds": list(seconds), "memory_mib": peak_mib() - self.before_mib, "before_mib": self.before_mib}
        (self.out / "pace.json").write_text(json.dumps(content, indent=1), encoding="utf-8")

    @cached_property
    def topology(self) -> Topology | None:
        """The network, patch and batch that all are timed with; None for each one's own."""
        if self.config is None:
            return None
        from avnnet.training import load_experiment

        experiment = load_experiment([self.config])
        net, data = experiment.model.net, experiment.datamodule
        kernels = net.kernels or [[3] * net.ndim] * len(net.channels)
        strides = [[1] * net.ndim, *net.strides]
        return Topology(list(net.channels), strides, kernels, net.deep_supervision, list(data.patch), data.batch_size)

    def write(self, case: Case, ids: np.ndarray) -> None:
        """Writes a held-out case's mask `(z, y, x)` on its own grid."""
        grid = read_image(case.image).grid
        write_image(LabelMap(ids.astype(np.uint8), grid, self.scheme), self.out / "masks" / f"{case.case_id}.nii.gz")

    def write_record(self, trained: Trained, *, precision: str, recipe: str) -> None:
        """Writes race.json, the last of a racer's files: it says that the training is done."""
        content = {
            "minutes": self.minutes,
            "seconds": self.minutes * 60 - self.left_s,
            **asdict(trained),
            "precision": precision,
            "recipe": recipe,
            "threads": torch.get_num_threads(),
        }
        (self.out / "race.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_task() -> Task:
    """The task that the command line gives; its minutes begin."""
    words = argparse.ArgumentParser()
    words.add_argument("cohort", type=Path)
    for name in ("splits", "out", "shared"):
        words.add_argument(f"--{name}", type=Path, required=True)
    words.add_argument("--fold", type=int, default=0)
    length = words.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float)
    length.add_argument("--steps", type=int)
    words.add_argument("--topology", type=Path)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--labels", type=names_by_id, required=True)
    words.add_argument("--part", required=True)
    words.add_argument("--whole", required=True)
    args = words.parse_args()
    scheme = LabelScheme(args.labels, args.part, args.whole)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    minutes = args.minutes or float("inf")
    timing = {"steps": args.steps, "config": args.topology, "before_mib": held_mib()}
    places = {"out": args.out, "shared": args.shared, "begin_s": CLOCK()}
    return Task(args.cohort, scheme, args.splits, args.fold, minutes, args.seed, **places, **timing)


def held_mib() -> float:
    """The memory that this process holds; `peak_mib` counts from here."""
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # Linux: the peak is what is held now
    return peak_mib()


def peak_mib() -> float:
    """The most memory that this process has held since `held_mib`; that of getrusage outlives exec."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def counted_gflop(step: Callable[[], object]) -> float:
    """Floating-point operations of a whole training step, in GFLOP: a multiplication and an addition are two."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops() / 1e9


def each(cases: Iterable[Case], what: str) -> Iterable[Case]:
    """The cases; says how many are done, every tenth."""
    cases = list(cases)
    for number, case in enumerate(cases, start=1):
        yield case
        if number % 10 == 0 or number == len(cases):
            print(f"{what}: {number}/{len(cases)}", flush=True)
