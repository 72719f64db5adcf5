"""A training stops where a number of it is no number any more, before its weights are written down."""

from __future__ import annotations

import math
from itertools import islice
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.nn.utils import get_total_norm

from avnnet.errors import NonFiniteLoss
from avnnet.training.checkpoint import latest_checkpoint

# to ask a GPU for a number is to wait for it, which costs a step some milliseconds: it is asked now and then
STEPS_BETWEEN_LOOKS = 50
NEVER = -1
WHAT = ("loss", "gradient")


class FiniteGuard(Callback):
    """Stops a training at the first loss, gradient or weight that is NaN or infinite.

    On a CPU nothing of that step is kept. On another device the step is written down there, and read every
    50 steps and before a validation and a checkpoint, so that no step waits for it.

    With `precision: 16-mixed` infinite gradients belong to the search for a scale and are skipped by Lightning; of such
    a training only losses and weights are looked at.

    Args:
        folder: of the run, with its checkpoints.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.batch = 0
        self.first: Tensor | None = None

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forgets the epoch before."""
        self.first = torch.full((), NEVER, device=pl_module.device)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Notes which step it is."""
        self.batch = batch_idx

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Looks at the loss."""
        self._note(trainer, loss.detach(), "loss")

    def on_before_optimizer_step(self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Any) -> None:
        """Looks at the gradients, before they are clipped."""
        if getattr(trainer.precision_plugin, "scaler", None) is None:
            gradients = [one.grad for one in pl_module.parameters() if one.grad is not None]
            self._note(trainer, get_total_norm(gradients), "gradient")

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Asks the device now and then."""
        if self.batch % STEPS_BETWEEN_LOOKS == STEPS_BETWEEN_LOOKS - 1:
            self._look(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Asks the device, before a validation of what is none."""
        self._look(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Asks the device, and looks at the weights, before they are written down."""
        self._look(trainer)
        weights = float(get_total_norm([one.detach() for one in pl_module.parameters()]))
        if not math.isfinite(weights):
            raise self._error(trainer, "a weight", self.batch)

    def _note(self, trainer: pl.Trainer, value: Tensor, what: str) -> None:
        if self.first is None:
            return
        code = len(WHAT) * self.batch + WHAT.index(what)
        self.first = torch.where((self.first == NEVER) & ~value.isfinite(), code, self.first)
        if self.first.device.type == "cpu":
            self._look(trainer)

    def _look(self, trainer: pl.Trainer) -> None:
        code = NEVER if self.first is None else int(self.first)
        if code != NEVER:
            batch, what = divmod(code, len(WHAT))
            raise self._error(trainer, f"the {WHAT[what]}", batch)

    def _error(self, trainer: pl.Trainer, what: str, batch: int) -> NonFiniteLoss:
        checkpoint = latest_checkpoint(self.folder / "checkpoints")
        if checkpoint is None:
            last = "There is no checkpoint yet: the same command begins anew"
        else:
            last = f"The last good checkpoint is checkpoints/{checkpoint.name}: the same command goes on from it"
        return NonFiniteLoss(
            f"a training needs finite numbers; {what} is NaN or infinite in step {batch + 1} of "
            f"{trainer.num_training_batches} of epoch {trainer.current_epoch} (epochs count from 0), with the cases "
            f"{', '.join(case_ids_of(trainer, batch))}. {last}, and with the same numbers comes here again. To try in "
            "another folder (--trainer.default_root_dir): a lower model.optimizer.init_args.lr, "
            "--trainer.gradient_clip_val=12, --trainer.precision=32-true, another model.loss; or look at these cases"
        )


def case_ids_of(trainer: pl.Trainer, batch: int) -> list[str]:
    """The ids of the cases of a batch of the running epoch: its draws follow from the seed, and are drawn again.

    Args:
        trainer: that trains.
        batch: from 0.
    """
    loader: Any = trainer.train_dataloader
    draws: list[Any] = next(islice(loader.batch_sampler, batch, None), [])
    cases = trainer.datamodule.training_cases  # type: ignore[attr-defined]
    return sorted({cases[draw.case].case_id for draw in draws})
