"""`avnnet phantom`: makes digital hips."""

from __future__ import annotations

import argparse

from avnnet.data.phantom.cohort import write_cohort
from avnnet.progress import Reporter


def phantom(args: argparse.Namespace) -> int:
    """0, after the cohort is written."""
    reporter = Reporter()
    fine = ((104, 384, 384), (1.0, 0.44, 0.44))
    coarse = ((64, 192, 192), (1.6, 0.88, 0.88))
    shape, spacing_mm = fine if args.full else coarse
    with reporter.steps("making digital hips", args.patients) as step:
        path = write_cohort(
            args.out,
            patients=args.patients,
            seed=args.seed,
            shape=shape,
            spacing_mm=spacing_mm,
            on_progress=lambda done, _: step(done),
        )
    reporter.say(f"cohort: {path}")
    return 0
