"""Loggers that a config names: where they write, what they need installed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avnnet.errors import InvalidConfig, NotInstalled
from avnnet.training.config.words import merged, without

if TYPE_CHECKING:
    from avnnet.training.config.experiment import Experiment

RUN_FOLDER = "<run>"
"""Stands for the folder of the run in a config, so that all folds of a study have one config."""
NEEDED = {
    "TensorBoardLogger": ("tensorboard", "tensorboardX"),
    "WandbLogger": ("wandb",),
    "MLFlowLogger": ("mlflow",),
    "CometLogger": ("comet_ml",),
    "LitLogger": ("litlogger",),
}
"""Modules of which Lightning's loggers need one, by class name."""
PACKAGES = {"comet_ml": "comet-ml"}


def check_installed(words: Sequence[str]) -> None:
    """Refuse a logger of Lightning's whose package is not there.

    Args:
        words: of Lightning's command line, with `--trainer.logger` or a config that has it.

    Raises:
        NotInstalled: if it is not there; the command that installs it is named.

    Examples:
        >>> check_installed(["--trainer.logger=CSVLogger"])
    """
    for entry in _entries(_asked(words)):
        name = str(_class_path(entry)).rpartition(".")[2]
        modules = NEEDED.get(name, ())
        if modules and not any(importlib.util.find_spec(module) for module in modules):
            package = PACKAGES.get(modules[0], modules[0])
            raise NotInstalled(
                f"trainer.logger: {name} needs the package {package}, which is not installed and which avnnet does not "
                f"bring along; python -m pip install {package}, or take CSVLogger"
            )


def with_folders(words: Sequence[str]) -> list[str]:
    """The words, and one more that says `save_dir: <run>` for each logger that has such an argument and no value.

    `trainer.logger: true` is TensorBoard's where it is installed and otherwise the CSV logger, as in Lightning.

    Args:
        words: of Lightning's command line.

    Raises:
        InvalidConfig: if Lightning has no logger of a name without module.

    Examples:
        >>> with_folders(["--trainer.logger=CSVLogger"])[-1]
        '--trainer.logger={"class_path": "pytorch_lightning.loggers.CSVLogger", "init_args": {"save_dir": "<run>"}}'
    """
    asked = _asked(words)
    entries = [_with_folder(entry) for entry in _entries(asked)]
    if not entries or entries == _entries(asked):
        return list(words)
    whole = entries if isinstance(asked, list) else entries[0]
    return [*without("trainer.logger", words), f"--trainer.logger={json.dumps(whole)}"]


def open_in(experiment: Experiment, folder: Path) -> None:
    """Makes anew the loggers whose folder was left open, so that they write to the folder of the run.

    Args:
        experiment: the parsed config.
        folder: of the run.
    """
    from jsonargparse import ArgumentParser
    from pytorch_lightning.loggers import Logger

    asked = experiment.as_plain()["trainer"]["logger"]
    loggers = list(experiment.trainer.loggers)
    for number, entry in enumerate(_entries(asked)):
        if isinstance(entry, dict) and (entry.get("init_args") or {}).get("save_dir") == RUN_FOLDER:
            parser = ArgumentParser(exit_on_error=False)
            parser.add_argument("--logger", type=Logger)
            here = {**entry, "init_args": {**entry["init_args"], "save_dir": str(folder)}}
            loggers[number] = parser.instantiate_classes(parser.parse_object({"logger": here})).logger
    experiment.trainer.loggers = loggers


def _asked(words: Sequence[str]) -> Any:
    trainer = merged(words).get("trainer")
    return trainer.get("logger") if isinstance(trainer, dict) else None


def _entries(asked: Any) -> list[Any]:
    return asked if isinstance(asked, list) else [asked] if asked else []


def _class_path(entry: Any) -> Any:
    return entry.get("class_path") if isinstance(entry, dict) else entry


def _with_folder(entry: Any) -> Any:
    if entry is True:
        has_tensorboard = any(importlib.util.find_spec(module) for module in NEEDED["TensorBoardLogger"])
        entry = "TensorBoardLogger" if has_tensorboard else "CSVLogger"
    path = _class_path(entry)
    found = _imported(path) if isinstance(path, str) else None
    if found is None and isinstance(path, str) and path.isidentifier():
        raise InvalidConfig(
            f"trainer.logger: Lightning has no logger {path!r}; there are CSVLogger, {', '.join(NEEDED)}. One of "
            "your own is given with its module: my_module.MyLogger"
        )
    if found is None:
        return entry
    import inspect

    init_args = dict(entry.get("init_args") or {}) if isinstance(entry, dict) else {}
    takes = inspect.signature(found).parameters
    if "save_dir" in takes:
        init_args = {"save_dir": RUN_FOLDER, **init_args}
    elif isinstance(entry, dict):
        return entry
    rest = {key: value for key, value in entry.items() if key == "dict_kwargs"} if isinstance(entry, dict) else {}
    full = f"pytorch_lightning.loggers.{path}" if "." not in path else path
    return {"class_path": full, "init_args": init_args, **rest}


def _imported(path: str) -> type | None:
    from importlib import import_module

    module, _, name = path.rpartition(".")
    try:
        found = getattr(import_module(module or "pytorch_lightning.loggers"), name, None)
    except ImportError:  # the config parser says it better
        return None
    return found if isinstance(found, type) else None
