"""`avnnet report`: makes the tables and the report of a folder anew."""

from __future__ import annotations

import argparse

from avnnet.commands.results import print_results
from avnnet.progress import Reporter
from avnnet.report import write_report


def report(args: argparse.Namespace) -> int:
    """0, after tables and report are made anew from a folder's measurements, agreement and study.json.

    Raises:
        MissingFile, UnreadableFile, StatisticsError: if the folder's tables cannot be used.
    """
    reporter = Reporter()
    write_report(args.folder)
    print_results(args.folder, reporter)
    return 0
