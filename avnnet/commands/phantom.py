"""`avnnet phantom`: makes digital hips, and pictures of them."""

from __future__ import annotations

import argparse

from avnnet.phantom import CohortPlan, FileFormat, Plane, SignalMode, Size, usual, write_cohort
from avnnet.plots.gallery import write_gallery
from avnnet.progress import Reporter


def phantom(args: argparse.Namespace) -> int:
    """0, after the cohort or the gallery is written."""
    return _gallery(args) if args.what == "gallery" else _cohort(args)


def _cohort(args: argparse.Namespace) -> int:
    mode = None if args.sequence == "mixed" else SignalMode(args.sequence)
    plan = CohortPlan(
        patients=args.patients,
        seed=args.seed,
        mode=mode,
        acquisition=usual(
            Size(args.size),
            plane=args.plane and Plane(args.plane),
            both_hips=args.both_hips,
            is_2d=mode is SignalMode.PD_TSE,
        ),
        other_hip_every=args.other_hip_every,
        file_format=FileFormat(args.format),
    )
    reporter = Reporter()
    with reporter.steps("making digital hips", plan.patients) as step:
        path = write_cohort(plan, args.out, on_progress=lambda done, _: step(done))
    reporter.say(f"cohort: {path}")
    return 0


def _gallery(args: argparse.Namespace) -> int:
    reporter = Reporter()
    with reporter.steps("making pictures", 2) as step:
        for done, path in enumerate(write_gallery(args.out, seed=args.seed, size=Size(args.size)), start=1):
            step(done, path.name)
    reporter.say(f"pictures: {args.out}")
    return 0
