"""Checkpoints that a kill cannot spoil."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from avnnet.atomic import whole_file

KEEP = 2


class EpochCheckpoint(Checkpoint):
    """Writes the whole state after every epoch: to a partial file, read back, then renamed; the last two stay.

    Args:
        folder: where the checkpoints are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves the epoch just finished."""
        with whole_file(self.folder / f"epoch-{trainer.current_epoch:05d}.ckpt") as partial:
            trainer.save_checkpoint(partial)
            torch.load(partial, weights_only=True)  # what cannot be read back must not replace what can
        for old in sorted(self.folder.glob("epoch-*.ckpt"))[:-KEEP]:
            old.unlink()


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that can be read, or None.

    Args:
        folder: where `EpochCheckpoint` writes.
    """
    for path in sorted(folder.glob("epoch-*.ckpt"), reverse=True):
        try:
            torch.load(path, weights_only=True)
        except (RuntimeError, OSError, EOFError, UnpicklingError, ValueError):
            continue
        return path
    return None
