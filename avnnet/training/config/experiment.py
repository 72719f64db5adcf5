"""Config files to a task, a data module and a trainer: everything a YAML says is a constructor argument."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from jsonargparse import ArgumentError
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from avnnet.data.cohort import Cohort
from avnnet.data.normalised import parts_of
from avnnet.errors import InvalidConfig, InvalidNetwork, MissingFile
from avnnet.labels import IGNORED
from avnnet.losses import check_loss
from avnnet.models import check_output, own_classes
from avnnet.training.config.class_faults import class_fault
from avnnet.training.config.fit_help import DESCRIPTION, USAGE, FitParser
from avnnet.training.config.loggers import check_installed, with_folders
from avnnet.training.config.refusal import explained
from avnnet.training.config.slot_words import NOT_WRITTEN, with_ranges
from avnnet.training.config.trainer_rules import check_trainer
from avnnet.training.datamodule import CohortDataModule
from avnnet.training.precision import PrecisionChoice, fastest_precision
from avnnet.training.task import SegmentationTask


class Trainer(pl.Trainer):
    """Lightning's trainer with `precision: auto`, quiet by default. All of its flags are kept."""

    def __init__(self, *args: Any, accelerator: str = "auto", precision: str = "auto", **kwargs: Any) -> None:
        chosen = PrecisionChoice(precision, "asked for")
        if precision == "auto":
            chosen = fastest_precision(accelerator)
        kwargs["precision"] = chosen.precision
        if kwargs.get("devices", "auto") == "auto":
            kwargs["devices"] = 1  # Lightning's takes all that there are
        super().__init__(*args, accelerator=accelerator, **kwargs)
        self.precision_choice = chosen


class Experiment(LightningCLI):
    """A parsed config with its objects: `model`, `datamodule`, `trainer`.

    Args:
        args: words of a command line, or a whole plain config.
    """

    trainer: Trainer

    def __init__(self, args: Sequence[str] | dict[str, Any]) -> None:
        quiet_lightning()
        super().__init__(
            SegmentationTask,
            CohortDataModule,
            parser_class=FitParser,
            trainer_class=Trainer,
            trainer_defaults={
                "logger": False,
                "enable_checkpointing": False,
                "enable_progress_bar": False,
                "enable_model_summary": False,
                "num_sanity_val_steps": 0,
            },
            save_config_callback=None,
            seed_everything_default=1,
            # an abbreviated key would be taken for the full one, and a slip of the pen for an abbreviation
            parser_kwargs={
                "exit_on_error": False,
                "allow_abbrev": False,
                "prog": "avnnet fit",
                "usage": USAGE,
                "description": DESCRIPTION,
            },
            args=args if isinstance(args, dict) else list(args),
            run=False,
            auto_configure_optimizers=False,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """One seed for all: initial weights, order and augmentation."""
        parser.link_arguments("seed_everything", "data.seed")

    def check_network(self, cohort: Cohort) -> None:
        """Refuse a network of other channels than the cohort's, patches than the data's or classes, or such a loss.

        Raises:
            InvalidConfig: if it has others.
            InvalidNetwork: if it says so and gives something else for a patch, as `check_output` finds.
        """
        net, labels = self.model.net, self.datamodule.labels
        if net.in_channels != cohort.channels:
            raise InvalidConfig(
                f"the network takes images of {net.in_channels} channel(s), the cohort's have {cohort.channels}; set "
                f"model.net.init_args.in_channels: {cohort.channels}{_and_inside(net, 'in_channels')}"
            )
        if net.classes != labels.classes:
            raise InvalidConfig(
                f"the network has {net.classes} classes, data.labels {labels.classes} with the background; set "
                f"model.net.init_args.classes: {labels.classes}{_and_inside(net, 'classes')}"
            )
        ignored = IGNORED if self.datamodule.has_ignored else None
        regions = getattr(net, "ids", range(1, net.classes)) if getattr(net, "is_of_regions", False) else None
        asked: dict[str, Any] = {"is_weighted": cohort.is_weighted, "ignored": ignored, "regions": regions}
        check_loss(self.model.loss, classes=labels.classes, **asked)
        if (net.ndim == 2) != (self.datamodule.slices is not None):
            wanted = "a number" if net.ndim == 2 else "null"
            raise InvalidConfig(
                f"a network of {net.ndim} dimensions needs data.slices to be {wanted}; found {self.datamodule.slices}"
            )
        for _, size in self.datamodule.sizes:
            self._check_size(list(size)[-net.ndim :])

    def _check_size(self, size: list[int]) -> None:
        net = self.model.net
        steps = net.divisors
        is_fitting = not any(n % step for n, step in zip(size, steps, strict=True))
        if is_fitting:
            try:
                check_output(net, size)
            except InvalidNetwork:
                if size != list(steps):
                    raise
                is_fitting = False
        if not is_fitting:
            fitting = [max(1, round(n / step)) * step for n, step in zip(size, steps, strict=True)]
            if fitting == list(steps):  # a single voxel at the coarsest stage cannot be normalised
                fitting[-1] *= 2
            raise InvalidConfig(
                f"the strides divide a patch by {list(steps)} in all, so that data.patch, and every smaller one of "
                f"data.sampler, must be multiples of it and more than one of each; found {size}. Nearest: {fitting}"
            )

    def own_classes(self) -> set[type]:
        """The classes that a model folder of this training may name: of network, layers and normalisation."""
        return {*own_classes(self.model.net), *map(type, parts_of(self.datamodule.normalise))}

    def as_text(self) -> str:
        """The whole config as YAML, defaults included, with the precision that `auto` came to.

        Raises:
            InvalidConfig: if it holds a value that YAML cannot.
        """
        config = self.config.clone()
        config.trainer.precision = self.trainer.precision_choice.precision
        text = self.parser.dump(config, skip_none=False)
        if NOT_WRITTEN in text:
            raise InvalidConfig(explained(text))
        head = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
        return head + yaml.safe_dump(with_ranges(yaml.safe_load(text)), sort_keys=False, allow_unicode=True)

    def as_plain(self) -> dict[str, Any]:
        """The same as nested dicts of plain values."""
        return dict(yaml.safe_load(self.as_text()))

    def filled(self, config: Mapping[str, Any]) -> dict[str, Any] | None:
        """A plain config with every key that it lacks at its default, or None if no config can be made of it.

        Args:
            config: a part of this one, as of `as_plain`.
        """
        try:
            parsed = self.parser.parse_object(dict(config))
        except ArgumentError:
            return None
        return with_ranges(yaml.safe_load(self.parser.dump(parsed, skip_none=False)))

    def of_fold(self, fold: int) -> Experiment:
        """The same config with new objects for a fold, from initial weights on; no file is read again.

        A file that is edited while a study runs must not change the folds that are still to come.

        Args:
            fold: from 0.
        """
        return self.with_values({"data.fold": fold})

    def with_values(self, values: Mapping[str, Any]) -> Experiment:
        """The same config with some other values and new objects, from initial weights on; no file is read again.

        Args:
            values: by the dotted key of the config, "trainer.max_epochs".
        """
        return Experiment.of_plain(self.plain_with(values), self.trainer.precision_choice)

    def plain_with(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same config with some other values, plain, so that it can be sent to another process.

        Args:
            values: by the dotted key of the config, "data.fold".
        """
        config = self.as_plain()
        for key, value in values.items():
            owner, name = key.split(".")
            config[owner][name] = value
        return config

    @staticmethod
    def of_plain(config: dict[str, Any], choice: PrecisionChoice) -> Experiment:
        """New objects of a whole plain config.

        Args:
            config: as of `plain_with`.
            choice: why its precision was chosen.
        """
        experiment = Experiment(config)
        experiment.trainer.precision_choice = choice
        return experiment


def load_experiment(configs: Sequence[str | Path], overrides: Sequence[str] = ()) -> Experiment:
    """The experiment of config files, later ones over earlier ones, and `--key=value` overrides.

    Raises:
        MissingFile: if a config does not exist.
        InvalidConfig: if a key is unknown or a value does not fit.
    """
    for config in configs:
        if not Path(config).is_file():
            raise MissingFile(f"no config {config}; ready ones are in experiments/")
    args = [word for config in configs for word in ("--config", str(config))]
    return parse_experiment([*args, *overrides])


def parse_experiment(args: Sequence[str]) -> Experiment:
    """The experiment of Lightning CLI arguments: `-c FILE --data.fold=2 --trainer.max_epochs=5`.

    Raises:
        InvalidConfig: if a key is unknown or a value does not fit.
    """
    check_installed(args)
    words = with_folders(args)
    try:
        experiment = Experiment(words)
        experiment.model.optimizer(experiment.model.net.parameters())  # a learning rate below 0 is found here
    except (ArgumentError, ValueError, MisconfigurationException) as error:
        raise InvalidConfig(explained(str(error), words)) from error
    except InvalidConfig as error:  # of a slot, which does not know where it stands
        fault = class_fault(str(error), words) if type(error) is InvalidConfig else ""
        if not fault:
            raise
        raise InvalidConfig(f"the config cannot be used: {fault}") from error
    check_trainer(experiment.trainer, experiment.datamodule.labels.names.values())
    return experiment


def _and_inside(net: object, argument: str) -> str:
    """Where a number stands of a network that is built around another."""
    if not hasattr(net, "net"):
        return ""
    others = {"classes": "classes or out_channels", "in_channels": "in_channels, and there"}
    return f"; of a {type(net).__name__} that is {others[argument]} in model.net.init_args.net.init_args"


def quiet_lightning() -> None:
    """Silences Lightning's tips; what the user must know avnnet says itself."""
    for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message=".*args parameter is intended to run from within Python.*")
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message="(?s).*Dump of a value that does not round-trip")  # MONAI takes the text
    warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
    warnings.filterwarnings("ignore", message="The number of training batches .* is smaller than the logging interval")
    warnings.filterwarnings("ignore", message=".*GPU available but not used.*")
    warnings.filterwarnings("ignore", message=".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*")
