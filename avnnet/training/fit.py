"""One training from config to model folder, resumed where it stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from avnnet.atomic import write_text_atomically
from avnnet.data.cache import load_entry, source_hash
from avnnet.data.cohort import read_cohort
from avnnet.data.contrast import contrast_of
from avnnet.data.files import read_grid
from avnnet.data.ignored import structures_of
from avnnet.data.scope import scope_of
from avnnet.grid import MM3_PER_CM3
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.record import BudgetRecord, RunRecord
from avnnet.tables import read_table, write_table
from avnnet.training.checkpoint import EpochCheckpoint, latest_checkpoint
from avnnet.training.config.changes import IRRELEVANT_TO_RESUME, check_same_config
from avnnet.training.config.experiment import Experiment
from avnnet.training.config.loggers import open_in
from avnnet.training.examples import log_more
from avnnet.training.finite import FiniteGuard
from avnnet.training.interrupt import clean_interrupt
from avnnet.training.stopping import end_where_stopped
from avnnet.training.warm_start import begun_from, check_same_start, warn_of_seen

OnEpoch = Callable[[int, str], None]


class EpochLog(Callback):
    """Writes `metrics.csv` and tells how far the training is, after each epoch.

    Own code, because Lightning's CSV logger starts its file anew on a resume and has no minutes.

    Args:
        path: the table; epochs that are trained again after a resume are replaced.
        on_epoch: called with the epochs done and a note of loss and Dice.
    """

    def __init__(self, path: Path, on_epoch: OnEpoch) -> None:
        self.path, self.on_epoch = path, on_epoch
        self.before_s = 0.0
        self.start_s = time.monotonic()
        self.rows: list[dict[str, float]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Reads the epochs before the resume."""
        if self.path.exists():
            rows = read_table(self.path).query("epoch < @trainer.current_epoch").to_dict("records")
            self.rows = [{str(name): float(value) for name, value in row.items()} for row in rows]
            self.before_s = self.rows[-1]["seconds"] if self.rows else 0.0
        self.start_s = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Adds the epoch just finished."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        every = trainer.check_val_every_n_epoch or 1
        if (trainer.current_epoch + 1) % every:  # Lightning keeps the values of the last validation
            metrics = {name: value for name, value in metrics.items() if not name.startswith("val_")}
        seconds = round(self.before_s + time.monotonic() - self.start_s, 1)
        self.rows.append({"epoch": trainer.current_epoch, "seconds": seconds, **metrics})
        write_table(pd.DataFrame(self.rows).astype({"epoch": int}), self.path)
        dice = [f"{k.removeprefix('val_dice_')} {v:.3f}" for k, v in metrics.items() if k.startswith("val_dice_")]
        note = f"loss {metrics.get('train_loss', float('nan')):.3f}"
        self.on_epoch(trainer.current_epoch + 1, note + (f", validation Dice {', '.join(dice)}" if dice else ""))


def train(
    experiment: Experiment,
    folder: Path,
    *,
    name: str,
    on_epoch: OnEpoch,
    start: str | Path | None = None,
    budget: BudgetRecord | None = None,
) -> Member:
    """The trained network; a training that was stopped goes on after its last whole epoch.

    Args:
        experiment: the parsed config.
        folder: of this run: `checkpoints/`, `metrics.csv`, `config.yaml`, `run.json`, and `model/` when done.
        name: the configuration's name, "unet3d".
        on_epoch: called after each epoch with the epochs done and a note.
        start: a model folder whose weights a new training starts from; one that goes on has its own.
        budget: the budget that the experiment's number of steps came from, to be recorded.

    Raises:
        CheckpointMismatch: if the folder holds a training with another config, or of another start.
        ModelMismatch: if no weights of `start` fit.
        InvalidConfig: if the network does not fit the cohort's channels or labels, or the loss the network.
        NonFiniteLoss: if a loss, a gradient or a weight becomes NaN or infinite.
        AvnnetError: if the cohort cannot be used.
    """
    folder = Path(folder)
    check_same_run(folder, experiment)
    trainer, data = experiment.trainer, experiment.datamodule
    experiment.check_network(read_cohort(data.cohort))
    begun, checkpoint = recorded_run(folder), latest_checkpoint(folder / "checkpoints")
    check_same_start(begun, start, folder, has_epochs=checkpoint is not None)
    choice = trainer.precision_choice
    # the reason of a resumed run is the one it was begun with
    reason = begun.reason if begun is not None and begun.precision == choice.precision else choice.reason
    budget = budget or (None if begun is None else begun.budget)
    device = str(trainer.strategy.root_device)
    record = RunRecord(choice.precision, reason, device, torch.get_num_threads(), budget=budget)
    given = None if checkpoint is not None else start
    record = begun_from(record, experiment.model.net, begun, given, experiment.own_classes())
    data.setup("fit")
    warn_of_seen(record, data)
    # what was timed comes first: after a kill between the two it is not timed anew, with another result
    record.write(folder)
    write_text_atomically(folder / "config.yaml", experiment.as_text())
    open_in(experiment, folder)
    end_where_stopped(trainer, checkpoint)
    trainer.callbacks += log_more(trainer)  # type: ignore[attr-defined]  # set by Lightning's connector
    trainer.callbacks += [  # type: ignore[attr-defined]
        FiniteGuard(folder),  # first, so that nothing of a step that went wrong is written
        EpochLog(folder / "metrics.csv", on_epoch),
        EpochCheckpoint(folder / "checkpoints"),
    ]
    start_s = time.monotonic()
    ckpt_path = None if checkpoint is None else str(checkpoint)
    with clean_interrupt():
        trainer.fit(experiment.model, datamodule=data, ckpt_path=ckpt_path, weights_only=True)
    member = _member(experiment, name, record.seen_before)
    resumed_from = "" if checkpoint is None else checkpoint.name
    replace(record, seconds=round(time.monotonic() - start_s, 1), resumed_from=resumed_from).write(folder)
    save_model(Segmenter([member], data.labels), folder / "model")
    return member


def _member(experiment: Experiment, name: str, seen_before: Collection[str] = ()) -> Member:
    """The trained network with what its training looked like, so that other images can be told from these."""
    data = experiment.datamodule
    seen = [source_hash(path) for path in data.training_entries]
    dataset = sha256("".join(sorted([*seen, *map(source_hash, data.held_out_entries)])).encode()).hexdigest()
    preprocess = data.prepared_by()
    seen += [one for one in seen_before if one not in seen]
    contrast = contrast_of((load_entry(path)[0] for path in data.training_entries), is_cropped=data.is_cropped)
    voxel_cm3 = math.prod(preprocess.spacing_mm) / MM3_PER_CM3
    wholes_cm3 = [int((structures_of(load_entry(path)[1]) > 0).sum()) * voxel_cm3 for path in data.training_entries]
    scope = scope_of([read_grid(case.image) for case in data.training_cases], wholes_cm3)
    return Member(experiment.model.net.eval(), preprocess, data.tiling, name, seen, dataset, contrast, scope)


def recorded_precision(folder: Path) -> str | None:
    """The precision that a run was begun with, or None: a resume must not time anew and choose another.

    Args:
        folder: of the run.

    Raises:
        InvalidRecord: if its record is damaged, or of a newer avnnet.
    """
    begun = recorded_run(folder)
    return None if begun is None else begun.precision


def recorded_run(folder: Path) -> RunRecord | None:
    """How a run was begun, or None where none was.

    Args:
        folder: of the run.

    Raises:
        InvalidRecord: if its record is damaged, or of a newer avnnet.
    """
    folder = Path(folder)
    return RunRecord.read(folder) if (folder / RunRecord.FILE).exists() else None


def is_trained(folder: Path) -> bool:
    """Whether a training is done: its model is written last.

    Args:
        folder: of the run.
    """
    return (Path(folder) / "model" / "model.json").is_file()


def check_same_run(folder: Path, experiment: Experiment, *, irrelevant: Collection[str] = IRRELEVANT_TO_RESUME) -> None:
    """Refuse a run's folder that holds a training with a config that builds something else.

    Args:
        folder: of the run.
        experiment: what is asked for now.
        irrelevant: keys of the config that may differ.

    Raises:
        CheckpointMismatch: if it holds another.
    """
    path = Path(folder) / "config.yaml"
    if path.exists():
        check_same_config(
            path.read_text(encoding="utf-8", errors="replace"),
            experiment,
            holds=f"{folder} holds a training",
            way_out="choose another folder, or delete it to start anew",
            irrelevant=irrelevant,
        )
