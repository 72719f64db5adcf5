"""The training of one network, as a LightningModule."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.cli import OptimizerCallable
from torch import Tensor, nn

from avnnet.inference.tiling import class_probabilities
from avnnet.labels import IGNORED
from avnnet.losses import DiceCE, supervise_scales
from avnnet.models import keeps_contract
from avnnet.models.pieces.shallow import exact_gradients
from avnnet.training.datamodule import CohortDataModule
from avnnet.training.schedule import PolynomialDecay, Schedule


class SegmentationTask(pl.LightningModule):
    """Dice + cross-entropy with deep supervision, and Dice of whole validation images.

    Args:
        net: the network: whatever keeps the contract of `avnnet.models.NetworkLike`.
        loss: logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar; `DiceCE()` by default. Where the cohort gives its
            cases weights it is also handed `sample_weights=` `(B,)`.
        optimizer: makes an optimiser of parameters; AdamW with rate 2e-3 by default.
        schedule: learning rate over the training; polynomial decay by default.
        scale_weights: weight of each scale of the deep supervision; halving by default.

    Raises:
        InvalidNetwork: if the network lacks a part of the contract.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: nn.Module | None = None,
        optimizer: OptimizerCallable = lambda p: torch.optim.AdamW(p, lr=2e-3, weight_decay=1e-2),
        schedule: Schedule | None = None,
        scale_weights: list[float] | None = None,
    ) -> None:
        super().__init__()
        # no save_hyperparameters: from a notebook it pickles modules, and such a checkpoint is not safe to load
        self.net = keeps_contract(net)
        self.loss = DiceCE() if loss is None else loss
        self.optimizer = optimizer
        self.schedule = PolynomialDecay() if schedule is None else schedule
        self.scale_weights = scale_weights
        self.overlap: Tensor | None = None

    @property
    def cohort_data(self) -> CohortDataModule:
        """The data module of the running trainer."""
        return self.trainer.datamodule  # type: ignore[attr-defined]

    def training_step(self, batch: tuple[Tensor, ...], _: int) -> Tensor:
        """The loss of a batch: image `(B, C, *S)`, label `(B, 1, *S)` and, where cases have weights, those `(B,)`."""
        image, label, *weights = batch
        with exact_gradients(image.device):
            loss = supervise_scales(self.loss, self.net.scales(image), label, self.scale_weights, *weights)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(image))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Starts the count of voxels: true positives, automatic and manual voxels per label."""
        self.overlap = torch.zeros(3, self.net.classes - 1, dtype=torch.float64)

    def validation_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        """The automatic label ids `(*S)` of a whole image `(1, C, *S)`; their overlap with its label is counted.

        The label is `(1, 1, *S)`; its ignored voxels count nowhere.
        """
        image, label = batch
        automatic = class_probabilities(self.net, image[0], self.cohort_data.quick_tiling).argmax(0)
        manual = label[0, 0]
        known = manual != IGNORED
        for index in range(1, self.net.classes):
            found, drawn = (automatic == index) & known, manual == index
            counts = torch.stack([(found & drawn).sum(), found.sum(), drawn.sum()]).double().cpu()
            if self.overlap is not None:
                self.overlap[:, index - 1] += counts
        return automatic

    def on_validation_epoch_end(self) -> None:
        """Logs the Dice of all validation voxels taken together, per label; a progress figure, not a result."""
        if self.overlap is None:
            return
        both, automatic, manual = self.overlap
        for name, dice in zip(
            self.cohort_data.labels.names.values(), (2 * both / (automatic + manual)).tolist(), strict=True
        ):
            self.log(f"val_dice_{name}", dice, batch_size=1)

    def configure_optimizers(self) -> Any:
        """The optimiser, and its schedule stepped after every batch."""
        optimizer = self.optimizer(self.net.parameters())
        scheduler = self.schedule.scheduler(optimizer, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Adds plain descriptions of network, preprocessing, tiling and labels to a checkpoint."""
        checkpoint["avnnet"] = self.cohort_data.recipe(self.net)
