"""`avnnet report`: makes the tables and the report of a folder anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.words import Commands, output_folder
from avnnet.progress import Reporter


def add(commands: Commands) -> None:
    """Adds `report` to the commands."""
    report = commands.add_parser(
        "report",
        help="make tables and report of a folder anew",
        description="Makes tables/ and report.html from measurements.csv, agreement.csv and study.json alone, those of "
        "an ablation from ablation.json, agreement.csv and training.csv.",
    )
    report.set_defaults(run=run)
    report.add_argument(
        "folder", type=output_folder, help="folder of a study, an evaluation, a comparison or an ablation"
    )


def run(args: argparse.Namespace) -> int:
    """0; makes the tables and the report of a folder anew.

    Raises:
        MissingFile, UnreadableFile, StatisticsError: if the folder's tables cannot be used.
    """
    from avnnet.cli.results import print_results
    from avnnet.report import write_ablation_report, write_report

    folder: Path = args.folder
    if (folder / "ablation.json").is_file():
        Reporter().say(f"report: {write_ablation_report(folder).resolve()}")
        return 0
    write_report(folder)
    print_results(folder, Reporter())
    return 0
