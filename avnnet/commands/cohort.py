"""`avnnet cohort`: lists a folder."""

from __future__ import annotations

import argparse

from avnnet.data.folders import cohort_of_folder
from avnnet.errors import OutputNotWritable
from avnnet.progress import Reporter
from avnnet.tables import write_table


def cohort(args: argparse.Namespace) -> int:
    """0, after the folder's `cohort.csv` is written.

    Raises:
        MissingFile, InvalidCohort: if the folder holds no complete pairs.
        OutputNotWritable: if there is a cohort.csv already.
    """
    table = cohort_of_folder(args.folder)
    path = args.folder / "cohort.csv"
    if path.exists():
        raise OutputNotWritable(f"{path} is there already and may hold columns of your own; move it away first")
    write_table(table, path)
    reporter = Reporter()
    reporter.say(f"{len(table)} cases: {path}")
    reporter.say("give cases of one patient the same patient_id; add side, arco_stage and centre_*_mm where known")
    return 0
