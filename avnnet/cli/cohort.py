"""`avnnet cohort`: lists a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.words import Commands
from avnnet.errors import OutputNotWritable
from avnnet.progress import Reporter


def add(commands: Commands) -> None:
    """Adds `cohort` to the commands."""
    cohort = commands.add_parser(
        "cohort",
        help="write the cohort.csv of a folder of images and masks",
        description="Lists nnU-Net's raw data (imagesTr, labelsTr), a folder with images and labels of equal names, or "
        "a flat folder of CASE.nii.gz and CASE_label.nii.gz as FOLDER/cohort.csv.",
    )
    cohort.set_defaults(run=run)
    cohort.add_argument("folder", type=Path, help="the folder")


def run(args: argparse.Namespace) -> int:
    """0; writes the folder's `cohort.csv`.

    Raises:
        MissingFile, InvalidCohort: if the folder holds no complete pairs.
        OutputNotWritable: if there is a cohort.csv already.
    """
    from avnnet.data.folders import cohort_of_folder
    from avnnet.tables import write_table

    folder: Path = args.folder
    table = cohort_of_folder(folder)
    path = folder / "cohort.csv"
    if path.exists():
        raise OutputNotWritable(f"{path} is there already and may hold columns of your own; move it away first")
    write_table(table, path)
    reporter = Reporter()
    reporter.say(f"{len(table)} cases: {path}")
    reporter.say("give cases of one patient the same patient_id; add side, arco_stage and centre_*_mm where known")
    return 0
