"""`avnnet evaluate`: holds a trained model against a cohort that it never saw."""

from __future__ import annotations

import argparse

from avnnet.cases.evaluate import evaluate_cases, seen_in_training
from avnnet.commands.results import finish
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.errors import LeakageError
from avnnet.inference.device import chosen_device
from avnnet.inference.model_folder import load_model
from avnnet.progress import Reporter
from avnnet.record import StudyRecord
from avnnet.report import LOCATED_CENTRES
from avnnet.stats.battery import check_margins
from avnnet.tables import write_table


def evaluate(args: argparse.Namespace) -> int:
    """The number of cases that failed.

    Raises:
        LeakageError: if a case's image was in the model's training, unless it is only to be marked.
        AvnnetError: if the model or the cohort cannot be used.
    """
    reporter = Reporter()
    reporter.say("loading the model")
    model = load_model(args.model, device=chosen_device(args.device))
    reporter.say(model.summary())
    margins = dict(args.margin)
    check_margins(margins, model.scheme.volume_columns)
    cohort = read_cohort(args.cohort)
    model.ensemble.check_channels(cohort.channels)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        check_cohort(cohort, model.scheme, is_for_training=False, on_progress=lambda done, _: step(done))
    seen = seen_in_training(cohort, model.trained_on, reporter)
    if seen and not args.mark_seen:
        raise LeakageError(
            f"{len(seen)} of {len(cohort)} images were in the model's training: {', '.join(seen[:5])}"
            f"{' and more' if len(seen) > 5 else ''}. Leave them out, or mark them with --mark-seen",
            case_id=seen[0],
        )
    tables = evaluate_cases(
        cohort, cohort.cases, model, args.out / "masks", reporter=reporter, title="segmenting", seen=seen
    )
    if len(tables.located):
        write_table(tables.located, args.out / LOCATED_CENTRES)
    record = StudyRecord(
        title=f"Evaluation of a trained ensemble on {len(cohort)} cases",
        cohort=str(args.cohort),
        networks=tuple(model.ensemble.names),
        digital=cohort.is_digital,
        margins=margins,
        scheme=model.scheme,
        seen_in_training=len(seen),
        settings={"model": str(args.model), "members": len(model.members)},
    )
    return finish(tables.measurements, tables.agreement, args.out, record, reporter)
