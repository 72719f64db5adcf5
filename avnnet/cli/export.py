"""`avnnet export`: cohorts and models as other programs take them."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.choice import DatasetFormat, ModelFormat
from avnnet.cli.words import Commands, choices, nonempty_path, output_folder
from avnnet.errors import UnsupportedFormat


def add(commands: Commands) -> None:
    """Adds `export` to the commands, and to it `dataset` and `model`."""
    export = commands.add_parser(
        "export",
        help="write a cohort or a model as another program takes it",
        description="Writes what other programs take: nnU-Net's data sets and results folders.",
    )
    whats = export.add_subparsers(dest="what", required=True, metavar="WHAT")
    dataset = whats.add_parser("dataset", help="a cohort as a data set of another program")
    dataset.set_defaults(run=run_dataset)
    dataset.add_argument("cohort", type=nonempty_path, help="CSV with patient_id, case_id, image, label")
    dataset.add_argument("--format", required=True, choices=choices(DatasetFormat), help="whose data set")
    dataset.add_argument("--out", type=output_folder, required=True, metavar="DIR", help="folder to make")
    model = whats.add_parser("model", help="a model as another program runs it")
    model.set_defaults(run=run_model)
    model.add_argument("model", type=nonempty_path, help="OUT/model of a study, or RUN/model of avnnet fit")
    model.add_argument("--format", required=True, choices=choices(ModelFormat), help="whose model")
    model.add_argument("--out", type=output_folder, required=True, metavar="DIR", help="folder to make")


def run_dataset(args: argparse.Namespace) -> int:
    """0; writes a data set."""
    raise UnsupportedFormat(f"{DatasetFormat(args.format)} is not written yet")


def run_model(args: argparse.Namespace) -> int:
    """0; writes a model."""
    model: Path = args.model
    raise UnsupportedFormat(f"{ModelFormat(args.format)} of {model} is not written yet")
