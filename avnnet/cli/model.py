"""The words of commands that run a trained model, and the model that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.cli.classes import add_classes

if TYPE_CHECKING:
    from avnnet.inference.segmenter import Segmenter


def add_model(command: argparse.ArgumentParser) -> None:
    """Adds the model folder, `--fast`, `--classes`, `--device` and `--engine` to a command."""
    command.add_argument("model", type=Path, help="model folder of a study or a fit")
    command.add_argument(
        "--fast",
        action="store_true",
        help="only the networks that the model's study found to be enough: one network of the cheapest configurations "
        "that lose at most 0.01 of the Dice of held-out cases (tables/fast.csv)",
    )
    add_classes(command)
    command.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    command.add_argument(
        "--engine",
        default="auto",
        metavar="{auto,torch,openvino}",
        help="what computes the networks: auto takes OpenVINO where it is installed and a CPU computes, torch "
        "elsewhere, and says why (default auto)",
    )


def asked_model(args: argparse.Namespace, say: Callable[[str], None]) -> Segmenter:
    """The model that the words of `add_model` ask for.

    Args:
        args: the parsed words.
        say: told which engine computes and why, and which networks.

    Raises:
        InvalidConfig: if there is no such device or engine, or no fast choice in the model.
        AvnnetError: if the model cannot be used.
    """
    from avnnet.inference.engines import chosen_engine
    from avnnet.inference.model_folder import COMPILED, load_model

    folder: Path = args.model
    classes: list[type] = args.classes
    device: str = args.device
    engine = chosen_engine(args.engine, device, folder / COMPILED, say)
    model = load_model(folder, classes=classes, device=device, engine=engine)
    if args.fast:
        model = model.as_fast()
    say(model.summary())
    return model
