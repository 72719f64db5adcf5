"""`avnnet study`: cross-validates networks and their ensemble on a cohort."""

from __future__ import annotations

import argparse

from avnnet.progress import Reporter


def study(args: argparse.Namespace, *, command: str) -> int:
    """The number of cases that failed; prints the results table and the report's path."""
    reporter = Reporter()
    reporter.say("loading torch, MONAI and Lightning")
    from avnnet.commands.results import print_results
    from avnnet.training.plan import Study
    from avnnet.training.study import run_study

    plan = Study(
        args.cohort,
        args.nets,
        args.out,
        args.folds,
        args.seed,
        args.only_fold,
        [f"--{override}" for override in args.overrides],
        command,
        dict(args.margin),
        args.locator,
    )
    run_study(plan, reporter)
    return print_results(args.out, reporter)
