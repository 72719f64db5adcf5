"""What a logger gets beside the losses and the Dice: the learning rate and pictures of a held-out case."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, LearningRateMonitor
from pytorch_lightning.loggers import Logger
from torch import Tensor

from avnnet.data.ignored import structures_of
from avnnet.data.orientation import ORDERS
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.readers import AUTOMATIC, MANUAL

TAG = "held_out_case"


class ExampleOverlays(Callback):
    """A picture of one held-out case at every validation, with its manual and its automatic contours.

    It is the first case with the part (the necrosis), always the same. TensorBoard and loggers with `log_image` get it
    as an image; others with a folder as `overlays/epoch-00004.png` there.
    """

    def __init__(self) -> None:
        self.example: tuple[Tensor, Tensor, Tensor] | None = None

    def on_validation_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forgets the case of the epoch before."""
        self.example = None

    def on_validation_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keeps the case if it is the one to show."""
        image, label = batch[0][0], structures_of(batch[1][0, 0])
        scheme = trainer.datamodule.labels  # type: ignore[attr-defined]
        part = next(index for index, name in scheme.names.items() if name == scheme.part)
        has_part = self.example is not None and bool((self.example[1] == part).any())
        if self.example is None or (not has_part and bool((label == part).any())):
            self.example = image.float().cpu(), label.long().cpu(), outputs.long().cpu()

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Hands the picture to every logger."""
        if self.example is None or trainer.sanity_checking:
            return
        from avnnet.plots import overlay, png_bytes

        data = trainer.datamodule  # type: ignore[attr-defined]
        image, label, automatic = (one.numpy() for one in self.example)
        preprocess = data.prepared_by()
        axes = np.eye(3)[:, list(ORDERS[preprocess.first_axis])]
        grid = Grid(label.shape, tuple(preprocess.spacing_mm), direction=tuple(map(tuple, axes.tolist())))
        contours = {
            MANUAL: LabelMap(label, grid, scheme=data.labels),
            AUTOMATIC: LabelMap(automatic, grid, scheme=data.labels),
        }
        picture = png_bytes(overlay(Image(image[0], grid), contours))
        for logger in trainer.loggers:
            _hand_over(logger, picture, trainer.current_epoch, trainer.global_step)


def log_more(trainer: pl.Trainer) -> list[Callback]:
    """The callbacks that a trainer with loggers gets: learning rate and pictures, unless it has them already.

    Args:
        trainer: of the run; one without loggers gets none.
    """
    if not trainer.loggers:
        return []
    wanted: list[Callback] = [LearningRateMonitor(logging_interval="epoch"), ExampleOverlays()]
    held = {type(callback) for callback in trainer.callbacks}  # type: ignore[attr-defined]
    return [callback for callback in wanted if type(callback) not in held]


def _hand_over(logger: Logger, png: bytes, epoch: int, step: int) -> None:
    from matplotlib.image import imread

    add_image = getattr(getattr(logger, "experiment", None), "add_image", None)
    log_image = getattr(logger, "log_image", None)
    if callable(log_image):
        log_image(key=TAG, images=[imread(BytesIO(png))[..., :3]], step=step)
    elif callable(add_image):
        add_image(TAG, imread(BytesIO(png))[..., :3], step, dataformats="HWC")
    elif logger.log_dir is not None:
        path = Path(logger.log_dir) / "overlays" / f"epoch-{epoch:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
