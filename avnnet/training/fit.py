"""One training from config to model folder, resumed where it stopped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers import CSVLogger

from avnnet.atomic import write_text_atomically
from avnnet.errors import CheckpointMismatch
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter, save_model
from avnnet.training.checkpoint import EpochCheckpoint, latest_checkpoint
from avnnet.training.config import Experiment

OnEpoch = Callable[[int, str], None]


class EpochReport(Callback):
    """Tells after each epoch how far the training is.

    Args:
        on_epoch: called with the epochs done and a note of loss and Dice.
    """

    def __init__(self, on_epoch: OnEpoch) -> None:
        self.on_epoch = on_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Reports the epoch just finished."""
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        dice = ", ".join(
            f"{name.removeprefix('val_dice_')} {value:.3f}"
            for name, value in metrics.items()
            if name.startswith("val_dice_")
        )
        note = f"loss {metrics.get('train_loss', float('nan')):.3f}"
        self.on_epoch(trainer.current_epoch + 1, note + (f", validation Dice {dice}" if dice else ""))


def train(experiment: Experiment, folder: Path, *, name: str, on_epoch: OnEpoch) -> Member:
    """The trained network; a training that was stopped goes on after its last whole epoch.

    Args:
        experiment: the parsed config.
        folder: of this run: `checkpoints/`, `metrics.csv`, `config.yaml`, `run.json`, and `model/` when done.
        name: the configuration's name, "unet3d".
        on_epoch: called after each epoch with the epochs done and a note.

    Raises:
        CheckpointMismatch: if the folder holds a training with another config.
        AvnnetError: if the cohort cannot be used.
    """
    folder = Path(folder)
    text = experiment.as_text()
    _same_config(folder / "config.yaml", text)
    trainer, data = experiment.trainer, experiment.datamodule
    data.setup("fit")
    write_text_atomically(folder / "config.yaml", text)
    trainer.logger = CSVLogger(folder, name="", version="")
    trainer.callbacks += [  # type: ignore[attr-defined]  # set by Lightning's connector
        EpochReport(on_epoch),
        EpochCheckpoint(folder / "checkpoints"),
    ]
    checkpoint = latest_checkpoint(folder / "checkpoints")
    start_s = time.monotonic()
    trainer.fit(
        experiment.model,
        datamodule=data,
        ckpt_path=None if checkpoint is None else str(checkpoint),
        weights_only=True,
    )
    if trainer.interrupted:
        raise KeyboardInterrupt
    member = Member(experiment.model.net.eval(), data.prepared_by(), data.tiling, name)
    record: dict[str, Any] = {
        "seconds": round(time.monotonic() - start_s, 1),
        "epochs": trainer.current_epoch,
        "resumed_from": None if checkpoint is None else checkpoint.name,
        "precision": trainer.precision_choice.record(),
        "device": str(trainer.strategy.root_device),
    }
    write_text_atomically(folder / "run.json", json.dumps(record, indent=1))
    save_model(Segmenter([member], data.labels), folder / "model")
    return member


def _same_config(path: Path, text: str) -> None:
    if not path.exists():
        return
    before = path.read_text(encoding="utf-8").splitlines()
    after = text.splitlines()
    if before != after:
        changed = [line.strip() for line in after if line not in before][:3]
        raise CheckpointMismatch(
            f"{path.parent} holds a training with another config (now: {'; '.join(changed)}); "
            "choose another folder, or delete it to start anew"
        )
