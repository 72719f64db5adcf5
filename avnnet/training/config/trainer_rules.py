"""What of Lightning's trainer avnnet takes, and what it refuses by name before any long work."""

from __future__ import annotations

from collections.abc import Collection

import pytorch_lightning as pl
from pytorch_lightning.strategies import SingleDeviceStrategy

from avnnet.errors import InvalidConfig


def check_trainer(trainer: pl.Trainer, names: Collection[str]) -> None:
    """Refuse a trainer of several devices, of no end or no step, and callbacks that wait for what is never logged.

    Args:
        trainer: as the config made it.
        names: of the structures, whose Dice is logged.

    Raises:
        InvalidConfig: if it has such.
    """
    if trainer.world_size != 1 or not isinstance(trainer.strategy, SingleDeviceStrategy):
        raise InvalidConfig(
            f"avnnet trains on one device; found trainer.devices for {trainer.world_size} process(es) and "
            f"{type(trainer.strategy).__name__}. Set trainer.devices: 1 and leave trainer.strategy out; the folds of a "
            "study run beside each other with --only-fold, a device for each by CUDA_VISIBLE_DEVICES"
        )
    epochs, steps = trainer.max_epochs, trainer.max_steps
    if epochs == 0 or steps == 0 or (epochs is not None and epochs < 0 and steps < 0):
        raise InvalidConfig(
            f"a training has at least one step and comes to an end; found trainer.max_epochs: {epochs} and "
            f"trainer.max_steps: {steps}. Set trainer.max_epochs to 1 or more, or leave it out and give --minutes"
        )
    callbacks = trainer.callbacks  # type: ignore[attr-defined]
    is_all_lightnings = all(type(one).__module__.startswith("pytorch_lightning.") for one in callbacks)
    logged = ["train_loss", *(f"val_dice_{name}" for name in names)]
    for callback in callbacks:
        monitor, kind = getattr(callback, "monitor", None), type(callback).__name__
        if monitor is None:
            continue
        if monitor not in logged and is_all_lightnings:  # a callback of the user's own may log more
            raise InvalidConfig(f"{kind} waits for {monitor!r}, which is not logged; there are {', '.join(logged)}")
        if str(monitor).startswith("val_dice_") and getattr(callback, "mode", "max") == "min":
            raise InvalidConfig(
                f"{kind} takes the smallest {monitor} for the best (mode: min, Lightning's default); a Dice is better "
                "the larger it is. Set mode: max"
            )
