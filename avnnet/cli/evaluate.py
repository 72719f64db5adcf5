"""`avnnet evaluate`: holds a trained model against a cohort that it never saw."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.model import add_model, asked_model
from avnnet.cli.words import Commands, add_margin, add_out
from avnnet.errors import LeakageError
from avnnet.progress import Reporter


def add(commands: Commands) -> None:
    """Adds `evaluate` to the commands."""
    evaluate = commands.add_parser(
        "evaluate",
        help="hold a trained model against the manual masks of a cohort that it never saw",
        description="External validation: segments every case of a cohort with the ensemble in a model folder and "
        "writes masks, measurements.csv, agreement.csv, tables/ and report.html. An image that was in the model's "
        "training is refused. Exit code 3: some cases failed, their rows say why.",
    )
    evaluate.set_defaults(run=run)
    add_model(evaluate)
    evaluate.add_argument("cohort", type=Path, help="CSV with patient_id, case_id, image, label")
    add_out(evaluate, "folder of the evaluation")
    add_margin(evaluate)
    evaluate.add_argument(
        "--has-ignored",
        action="store_true",
        help="manual masks may hold 255, voxels that count nowhere: they are left out of all masks of their case",
    )
    evaluate.add_argument("--mark-seen", action="store_true", help="flag images of the training instead of refusing")


def run(args: argparse.Namespace) -> int:
    """The number of cases that failed.

    Raises:
        LeakageError: if a case's image was in the model's training, unless it is only to be marked.
        AvnnetError: if the model or the cohort cannot be used.
    """
    from avnnet.atomic import check_writable
    from avnnet.cases.evaluate import evaluate_cases, seen_in_training
    from avnnet.cli.results import write_results
    from avnnet.data.checks import check_cohort
    from avnnet.data.cohort import read_cohort
    from avnnet.record import StudyRecord
    from avnnet.report import LOCATED_CENTRES
    from avnnet.stats.battery import check_margins
    from avnnet.tables import write_table

    folder: Path = args.model
    table: Path = args.cohort
    out: Path = args.out
    margins: dict[str, float] = dict(args.margin)
    mark_seen: bool = args.mark_seen
    has_ignored: bool = args.has_ignored
    reporter = Reporter()
    reporter.say("loading the model")
    model = asked_model(args, reporter.say)
    check_margins(margins, model.scheme.volume_columns)
    cohort = read_cohort(table)
    if cohort.read_as:
        reporter.say(cohort.read_as)
    model.ensemble.check_channels(cohort.channels)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        check_cohort(
            cohort,
            model.scheme,
            is_for_training=False,
            has_ignored=has_ignored,
            on_progress=lambda done, _: step(done),
        )
    seen = seen_in_training(cohort, model.trained_on, reporter)
    if seen and not mark_seen:
        raise LeakageError(
            f"{len(seen)} of {len(cohort)} images were in the model's training: {', '.join(seen[:5])}"
            f"{' and more' if len(seen) > 5 else ''}. Leave them out, or mark them with --mark-seen",
            case_id=seen[0],
        )
    check_writable(out)
    tables = evaluate_cases(
        cohort,
        cohort.cases,
        model,
        out / "masks",
        reporter=reporter,
        title="segmenting",
        seen=seen,
        has_ignored=has_ignored,
    )
    if len(tables.located):
        write_table(tables.located, out / LOCATED_CENTRES)
    record = StudyRecord(
        title=f"Evaluation of a trained ensemble on {len(cohort)} cases",
        cohort=str(table),
        networks=tuple(model.ensemble.names),
        digital=cohort.is_digital,
        margins=margins,
        scheme=model.scheme,
        seen_in_training=len(seen),
        settings={"model": str(folder), "members": len(model.members), "fast": model.is_fast},
    )
    return write_results(tables.measurements, tables.agreement, out, record, reporter)
