"""Checkpoints that survive a kill, and are refused if they could run code."""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Checkpoint

from avnnet.atomic import whole_file, write_text_atomically
from avnnet.data.integrity import content_hash
from avnnet.errors import CheckpointCorrupt, UnsafeCheckpoint

KEEP = 2
# Lightning builds objects from these where a checkpoint has them; ours never have
EXECUTABLE_KEYS = ("hyper_parameters", "datamodule_hyper_parameters", "_instantiator")


class EpochCheckpoint(Checkpoint):
    """Writes the whole state after every epoch: to a partial file, read back, then renamed; the last two stay.

    Beside each stands its checksum, written first: a checkpoint without its own checksum is not read again.

    Args:
        folder: where the checkpoints are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Saves the epoch just finished."""
        path = self.folder / f"epoch-{trainer.current_epoch:05d}.ckpt"
        with whole_file(path) as partial:
            trainer.save_checkpoint(partial)
            _read(partial)  # what cannot be read back must not replace what can
            write_text_atomically(_checksum_of(path), content_hash(partial))
        for old in sorted(self.folder.glob("epoch-*.ckpt"))[:-KEEP]:
            old.unlink()
            _checksum_of(old).unlink(missing_ok=True)


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that is as it was written, or None where there is none yet.

    Args:
        folder: where `EpochCheckpoint` writes.

    Raises:
        UnsafeCheckpoint: if a checkpoint would run code when it is loaded.
        CheckpointCorrupt: if there are checkpoints, and all are damaged.
    """
    # whether a file is whole, not whether work is done: a training goes on from any whole epoch
    paths = sorted(folder.glob("epoch-*.ckpt"), reverse=True)
    for path in paths:
        checksum = _checksum_of(path)
        if not checksum.exists() or checksum.read_text(encoding="utf-8") != content_hash(path):
            continue
        try:
            _read(path)
        except (RuntimeError, OSError, EOFError, ValueError):
            continue
        return path
    if paths:
        raise CheckpointCorrupt(
            f"all {len(paths)} checkpoints in {folder} are damaged; delete {folder.parent} to train it anew"
        )
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, weights_only=True)
    except UnpicklingError as error:
        raise UnsafeCheckpoint(
            f"{path.name} holds more than numbers and text, and is not loaded; it is not of this run. Delete it"
        ) from error
    executable = [key for key in EXECUTABLE_KEYS if key in content]
    if executable:
        raise UnsafeCheckpoint(
            f"{path.name} holds {executable[0]}, which avnnet never writes; it is not of this run. Delete it"
        )
    return content


def _checksum_of(path: Path) -> Path:
    return path.with_suffix(".sha256")
