"""`avnnet compare`: holds masks from anywhere against manual ones."""

from __future__ import annotations

import argparse

from avnnet.cases.compare import compare_masks, pair_masks
from avnnet.commands.results import finish
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter
from avnnet.record import StudyRecord
from avnnet.stats.battery import check_margins


def compare(args: argparse.Namespace) -> int:
    """The number of pairs that could not be compared.

    Raises:
        MissingFile, InvalidCohort: if the masks cannot be paired.
        StatisticsError: if no pair could be compared.
    """
    reporter = Reporter()
    scheme = HIP if args.labels is None else LabelScheme(args.labels, part=args.part, whole=args.whole)
    margins = dict(args.margin)
    check_margins(margins, scheme.volume_columns)
    pairs = pair_masks(args.manual, args.automatic)
    tables = compare_masks(pairs, scheme, reporter, prefer=args.prefer)
    record = StudyRecord(
        title="Two sets of masks",
        cohort=f"{args.manual} against {args.automatic}",
        networks=("automatic",),
        margins=margins,
        scheme=scheme,
    )
    return finish(*tables, args.out, record, reporter)
