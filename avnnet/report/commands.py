"""The commands that compare and report: what the command line calls."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avnnet.atomic import write_text_atomically
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.errors import LeakageError, StatisticsError
from avnnet.inference.evaluation import Evaluation, evaluate_cases, seen_in_training
from avnnet.inference.segmenter import load_model
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter
from avnnet.report import masks, results_table, write_report
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
    tables = Evaluation(*masks.compare_masks(pairs, scheme, reporter))
    about = {
        "title": "Two sets of masks",
        "cohort": f"{args.manual} against {args.automatic}",
        "networks": ["automatic"],
    }
    return _finish(tables, args.out, scheme, about, reporter)


def evaluate(args: argparse.Namespace) -> int:
    """The number of cases that failed.

    Raises:
        LeakageError: if a case's image was in the model's training, unless it is only to be marked.
        AvnnetError: if the model or the cohort cannot be used.
    """
    reporter = Reporter()
    reporter.say("loading the model")
    model = load_model(args.model)
    cohort = read_cohort(args.cohort)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        check_cohort(cohort, model.scheme, on_progress=lambda done, _: step(done))
    seen = seen_in_training(cohort, [one for member in model.members for one in member.trained_on], reporter)
    if seen and not args.mark_seen:
        raise LeakageError(
            f"{len(seen)} of {len(cohort)} images were in the model's training: {', '.join(seen[:5])}"
            f"{' and more' if len(seen) > 5 else ''}. Leave them out, or mark them with --mark-seen",
            case_id=seen[0],
        )
    tables = evaluate_cases(
        cohort, cohort.cases, model.members, model.scheme, args.out / "masks",
        precision=model.precision, reporter=reporter, title="segmenting", seen=seen,
    )  # fmt: skip
    source = cohort.table["source"].astype(str) if "source" in cohort.table.columns else None
    about = {
        "title": f"Evaluation of a trained ensemble on {len(cohort)} cases",
        "cohort": str(args.cohort),
        "networks": list(dict.fromkeys(member.name for member in model.members)),
        "digital": source is not None and bool((source == "digital hip").any()),
        "settings": {"model": str(args.model), "members": len(model.members), "seen_in_training": len(seen)},
    }
    return _finish(tables, args.out, model.scheme, about, reporter)


def _finish(tables: Evaluation, out: Path, scheme: LabelScheme, about: dict[str, Any], reporter: Reporter) -> int:
    measurements = tables.measurements
    if tables.agreement.empty:
        raise StatisticsError(f"no case could be compared; the first: {measurements['error'].iloc[0]}")
    write_table(measurements, out / "measurements.csv")
    write_table(tables.agreement, out / "agreement.csv")
    scheme_record = {"names": scheme.names, "part": scheme.part, "whole": scheme.whole}
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    record = {"digital": False, **about, "scheme": scheme_record, "finished": finished}
    write_text_atomically(out / "study.json", json.dumps(record, indent=1))
    write_report(out)
    print_results(out, reporter)
    failed = int(measurements.loc[measurements["error"] != "", "case_id"].nunique())
    if failed:
        reporter.say(f"{failed} cases failed; the column error of measurements.csv says why")
    return failed
