"""The help of `avnnet fit`: Lightning's, without the names of every module that anybody has defined."""

from __future__ import annotations

import argparse
import re
from typing import Any

from jsonargparse import DefaultHelpFormatter
from pytorch_lightning.cli import LightningArgumentParser

from avnnet.training.config.offers import in_words, offered

USAGE = "avnnet fit -c NET.yaml [-c OVERLAY.yaml ...] [--from MODEL] [--minutes N] [--key=value ...]"
DESCRIPTION = """
Trains one network on one fold. Everything a YAML says is a constructor argument:
model.* of SegmentationTask, data.* of CohortDataModule, trainer.* of Lightning's Trainer.
--from MODEL starts from the weights of a model folder, as far as they fit. With --minutes 10 the command
ends after about ten minutes: a timing fixes the number of steps, and the schedule ends with it.

a ready config, another cohort and fold, and fewer epochs:
  avnnet fit -c experiments/laptop/unet3d.yaml --data.cohort=COHORT.csv --data.fold=2 --trainer.max_epochs=5
the whole config that this comes to, defaults included, and no training:
  avnnet fit -c experiments/laptop/unet3d.yaml --print_config
the arguments of a class that a key takes:
  avnnet fit --model.net.help=avnnet.models.UNet3D

A config names classes to import, so it is code: run only your own. Classes: docs/your_own_network.md,
docs/your_own_loss.md, docs/your_own_data_step.md; ready configs and overlays: experiments/.
"""
MAX_CHARACTERS = 1500  # of a list of classes; Lightning's callbacks are shorter, all children of torch's Module are not
TYPE = re.compile(r"<class '(\w+)'>")
CLASSES = re.compile(r", known subclasses: ([\w., ]+)")


class FitHelp(argparse.RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Names the classes of avnnet where the config parser has a list of hundreds that were imported by somebody."""

    def _get_help_string(self, action: argparse.Action) -> str:
        said = TYPE.sub(r"\1", super()._get_help_string(action) or "")
        return CLASSES.sub(lambda found: _fewer(found, action.dest), said)


class FitParser(LightningArgumentParser):
    """Lightning's parser with this help; the one that `--model.net.help=CLASS` makes has it too."""

    def __init__(self, *args: Any, formatter_class: type[argparse.HelpFormatter] = FitHelp, **how: Any) -> None:
        super().__init__(*args, formatter_class=formatter_class, **how)


def _fewer(classes: re.Match[str], key: str) -> str:
    if len(classes[0]) <= MAX_CHARACTERS:
        return classes[0]
    ours = in_words(offered(key.split(".")))
    return f", by its import path{f': {ours}' if ours else ''}, or one of your own"
