"""Classes of a user's own: imported because the user names them, never because a file does."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from avnnet.errors import InvalidClass


def add_classes(command: argparse.ArgumentParser) -> None:
    """Adds `--classes` to a command that loads a model."""
    command.add_argument(
        "--classes",
        nargs="+",
        action="extend",
        default=[],
        type=own_class,
        metavar="MODULE.CLASS",
        help="blocks, networks and normalisations of your own that the model was trained with, such as "
        "my_module.MyBlock; modules in the working directory can be imported. It is code: name only your own",
    )


def see_working_directory() -> None:
    """Makes the modules in the working directory importable, as `python` itself does.

    They come last, so that a file there never stands in for a module that avnnet needs.
    """
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)


def own_class(word: str) -> type:
    """The class that a word such as "my_module.MyBlock" names.

    Raises:
        InvalidClass: if the word names no module and class, if the module is missing or raises an error, or if what it
            names is neither a network nor a block nor an intensity normalisation.

    Examples:
        >>> own_class("avnnet.models.ConvBlock")
        <class 'avnnet.models.pieces.blocks.ConvBlock'>
    """
    from torch import nn

    from avnnet.data.normalise import Normalisation

    see_working_directory()
    name, _, attribute = word.rpartition(".")
    if not name or not all(part.isidentifier() for part in word.split(".")):
        raise InvalidClass(f"--classes takes MODULE.CLASS with a dot, such as my_module.MyBlock; found {word!r}")
    try:
        module = import_module(name)
    except (Exception, SystemExit) as error:  # whatever a module does when it is imported
        if isinstance(error, ModuleNotFoundError) and error.name and f"{name}.".startswith(f"{error.name}."):
            raise InvalidClass(
                f"there is no module {error.name} for --classes {word}; run the command in the folder of "
                f"{error.name.partition('.')[0]}.py, or install the package"
            ) from error
        raise InvalidClass(
            f"the module {name} of --classes {word} raises {type(error).__name__}: {error}; see that "
            f'python -c "import {name}" runs'
        ) from error
    if not hasattr(module, attribute):
        raise InvalidClass(
            f"the module {name} ({getattr(module, '__file__', None) or 'built in'}) has no {attribute}; look at the "
            "spelling, and whether this is your module"
        )
    found = getattr(module, attribute)
    if not isinstance(found, type):
        raise InvalidClass(
            f"{word} is not a class, it is of type {type(found).__name__}; name the class of a network or block"
        )
    if not issubclass(found, nn.Module) and not issubclass(found, Normalisation):
        raise InvalidClass(
            f"{word} is neither a network nor a block nor a normalisation: the first two are a torch.nn.Module, and a "
            "network keeps the contract of avnnet.models.NetworkLike; a normalisation is an "
            "avnnet.data.normalise.Normalisation. An augmentation and a sampler are no part of a model: leave them out"
        )
    return found
