"""How long the parts of a training take on this machine: its first steps are made, timed and thrown away."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.utilities.seed import isolate_rng

from avnnet.data.cache import load_entry
from avnnet.data.contrast import contrast_of
from avnnet.data.drawn import shares_of
from avnnet.training.checkpoint import EpochCheckpoint
from avnnet.training.config.experiment import Experiment
from avnnet.training.interrupt import clean_interrupt
from avnnet.training.minutes.budget import Pace

Clock = Callable[[], float]

# the first step is slower than the others and is not among them
MIN_TIMED_STEPS = 2
MAX_TIMED_STEPS = 100_000
TIMED_CASES = 2


class Stopwatch(Callback):
    """Stops a training once its steps have been timed, and times a validation.

    Args:
        limit_s: after which seconds it stops.
        most: after how many steps at the latest.
        clock: seconds.
    """

    def __init__(self, limit_s: float, most: int, clock: Clock) -> None:
        self.limit_s, self.most, self.clock = limit_s, most, clock
        self.ends_s: list[float] = []
        self.validations_s: list[float] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Starts the watch."""
        self.start_s = self.clock()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Notes the time, and asks for the end."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.ends_s.append(self.clock())
        steps = len(self.ends_s)
        is_late = self.ends_s[-1] - self.start_s >= self.limit_s
        if steps >= self.most or (is_late and steps >= MIN_TIMED_STEPS):
            trainer.should_stop = True

    @property
    def step_s(self) -> float:
        """Seconds of a step, the first one left out."""
        return (self.ends_s[-1] - self.ends_s[0]) / (len(self.ends_s) - 1)

    def on_validation_batch_start(self, *_: Any) -> None:
        """Notes when a case begins."""
        self.begun_s = self.clock()

    def on_validation_batch_end(self, *_: Any) -> None:
        """Notes how long the case took."""
        self.validations_s.append(self.clock() - self.begun_s)


def measured_pace(
    experiment: Experiment, *, limit_s: float, most: int = MAX_TIMED_STEPS, clock: Clock = time.perf_counter
) -> Pace:
    """How long the parts of a training take, by its first steps, two held-out cases and one checkpoint.

    The steps are real ones, with their data, in Lightning's own loop; callbacks and loggers of the config are left out.
    Neither the experiment nor the random numbers of the process are changed.

    Args:
        experiment: whose data are set up.
        limit_s: seconds for the steps; two are made in any case.
        most: steps.
        clock: seconds.
    """
    data = experiment.datamodule
    begun_s = clock()
    with isolate_rng(), TemporaryDirectory() as folder:
        # of a patch that grows every size is timed, by its share of the training
        shares = [share for share, _ in shares_of(data.sizes)]
        watches = []
        for number in range(len(shares)):
            watch = Stopwatch(limit_s / len(shares), max(most, MIN_TIMED_STEPS), clock)
            short = first_steps(experiment, watch, sum(shares[:number]))
            watches.append(watch)
        saving_s = clock()
        EpochCheckpoint(Path(folder)).on_train_epoch_end(short.trainer, short.model)
        saved_s = clock()
        few = islice(data.training_entries, TIMED_CASES)
        contrast_of((load_entry(path)[0] for path in few), is_cropped=data.is_cropped)
        seen_s = (clock() - saved_s) / min(TIMED_CASES, len(data.training_entries))
    step_s = sum(share * watch.step_s for share, watch in zip(shares, watches, strict=True))
    validations_s = watches[-1].validations_s or [0.0]
    return Pace(
        step_s=step_s,
        epoch_s=saved_s - saving_s,
        validation_s=sum(validations_s) / len(validations_s) * len(data.held_out_entries),
        start_s=max(watches[0].ends_s[0] - begun_s - watches[0].step_s, 0.0),
        # contrast and volumes of all training cases, then the model folder, which is no larger than a checkpoint
        end_s=2 * seen_s * len(data.training_entries) + 2 * (saved_s - saving_s),
    )


def first_steps(experiment: Experiment, watch: Stopwatch, progress: float = 1.0) -> Experiment:
    """A short training by the same config, on data that are set up, which a watch times and ends.

    Args:
        experiment: whose data are set up; neither it nor its network is changed.
        watch: of the steps.
        progress: of a training, whose size of a patch is taken.

    Returns:
        The experiment that was trained.
    """
    short = experiment.with_values(
        {
            "data.steps_per_epoch": watch.most,
            "trainer.max_epochs": 1,
            "trainer.min_epochs": None,
            "trainer.check_val_every_n_epoch": 1,
            "trainer.limit_val_batches": 0 if experiment.trainer.limit_val_batches == 0 else TIMED_CASES,
            "trainer.logger": False,
            "trainer.callbacks": None,
        }
    )
    short.datamodule.take_over(experiment.datamodule)
    short.datamodule.fixed_progress = progress
    short.trainer.callbacks += [watch]  # type: ignore[attr-defined]  # set by Lightning's connector
    with clean_interrupt():
        short.trainer.fit(short.model, datamodule=short.datamodule)
    return short
