"""Early stopping and a training that goes on."""

from __future__ import annotations

from pathlib import Path

import pytorch_lightning as pl
import torch


def end_where_stopped(trainer: pl.Trainer, checkpoint: Path | None) -> None:
    """Lets a training that an `EarlyStopping` ended stay ended: a second call trains no further epoch.

    Lightning does not look at it on a resume: the call would go on until the next validation.

    Args:
        trainer: of the run.
        checkpoint: that the run goes on from, or None.
    """
    if checkpoint is None:
        return
    content = torch.load(checkpoint, weights_only=True)
    states = {name: state for name, state in content["callbacks"].items() if name.startswith("EarlyStopping")}
    done = content["epoch"] + 1
    if done >= (trainer.fit_loop.min_epochs or 0) and any(state.get("stopped_epoch") for state in states.values()):
        trainer.fit_loop.max_epochs = done
