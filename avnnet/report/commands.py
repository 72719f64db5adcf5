"""The commands that compare and report: what the command line calls."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.errors import StatisticsError
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter
from avnnet.report import masks, read_study, results_table, write_report
from avnnet.stats import best_reader
from avnnet.tables import write_table


def print_results(folder: Path, reporter: Reporter) -> None:
    """Prints the results table of a study's folder and the path of its report."""
    from rich.console import Console
    from rich.table import Table

    header, *rows = results_table(folder)
    table = Table(*header, title="Results")
    for row in rows:
        table.add_row(*row)
    console = Console()
    # a log has no width of its own, and a wrapped table cannot be read
    Console(width=console.width if console.is_terminal else 140).print(table)
    study = read_study(folder)
    if study.agreement["reader"].nunique() > 1:
        reporter.say("best: {}, by the {}".format(*best_reader(study.agreement, study.scheme)))
    reporter.say(f"report: {(folder / 'report.html').resolve()}")


def report(args: argparse.Namespace) -> int:
    """0, after tables and report are made anew from a folder's measurements, agreement and study.json.

    Raises:
        MissingFile, UnreadableFile, StatisticsError: if the folder's tables cannot be used.
    """
    reporter = Reporter()
    write_report(args.folder)
    print_results(args.folder, reporter)
    return 0


def compare(args: argparse.Namespace) -> int:
    """The number of pairs that could not be compared.

    Raises:
        MissingFile, InvalidCohort: if the masks cannot be paired.
        StatisticsError: if no pair could be compared.
    """
    reporter = Reporter()
    scheme = HIP if args.labels is None else LabelScheme(args.labels, part=args.part, whole=args.whole)
    pairs = masks.pair_masks(args.manual, args.automatic)
    tables = masks.compare_masks(pairs, scheme, reporter)
    about = {
        "title": "Two sets of masks",
        "cohort": f"{args.manual} against {args.automatic}",
        "networks": ["automatic"],
    }
    return finish(*tables, args.out, scheme, about, reporter)


def finish(
    measurements: pd.DataFrame,
    agreement: pd.DataFrame,
    out: Path,
    scheme: LabelScheme,
    about: dict[str, Any],
    reporter: Reporter,
) -> int:
    """The number of cases that failed, after tables and report are written and the results printed.

    Args:
        measurements: case x reader.
        agreement: case x reader x structure.
        out: the folder.
        scheme: names of the label ids.
        about: what `study.json` says beside the scheme.
        reporter: told where the report is.

    Raises:
        StatisticsError: if no case could be compared.
    """
    if agreement.empty:
        raise StatisticsError(f"no case could be compared; the first: {measurements['error'].iloc[0]}")
    write_table(measurements, out / "measurements.csv")
    write_table(agreement, out / "agreement.csv")
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"digital": False, **about, "scheme": asdict(scheme), "finished": finished}
    write_text_atomically(out / "study.json", json.dumps(record, indent=1))
    write_report(out)
    print_results(out, reporter)
    failed = int(measurements.loc[measurements["error"] != "", "case_id"].nunique())
    if failed:
        reporter.say(f"{failed} cases failed; the column error of measurements.csv says why")
    return failed
