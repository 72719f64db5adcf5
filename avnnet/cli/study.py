"""`avnnet study`: cross-validates networks and their ensemble on a cohort."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.classes import see_working_directory
from avnnet.cli.words import Commands, add_margin, add_out, minutes_of_budget, whole_number
from avnnet.progress import Reporter


def add(commands: Commands) -> None:
    """Adds `study` to the commands."""
    study = commands.add_parser(
        "study",
        help="cross-validate networks and their ensemble on a cohort, with tables and report",
        description="Trains every network on every fold, predicts the held-out cases, averages the softmax, and "
        "writes masks, measurements.csv, agreement.csv, tables/ and report.html. The same command goes on where "
        "it was stopped. Exit code 3: some cases failed, their rows say why.",
    )
    study.set_defaults(run=run)
    study.add_argument("cohort", type=Path, help="CSV with patient_id, case_id, image, label (paths relative to it)")
    study.add_argument(
        "--nets",
        type=Path,
        nargs="+",
        required=True,
        metavar="NET.yaml",
        help="a config per network; with an overlay for an ablation: unet3d.yaml+residual.yaml",
    )
    study.add_argument(
        "--locator",
        type=Path,
        metavar="NET.yaml",
        help="a config that finds the heads in the whole image; each fold's held-out cases are then predicted around "
        "the centres that it found too, as the reader ensemble_located, and the model needs no --centre",
    )
    add_out(study, "folder of the study")
    add_margin(study)
    study.add_argument("--folds", type=whole_number, default=5, help="number of folds (default 5)")
    study.add_argument("--only-fold", type=whole_number, metavar="K", help="do fold K alone, counted from 0")
    study.add_argument(
        "--minutes",
        type=minutes_of_budget,
        metavar="N",
        help="end after about N minutes: a timing fixes every network's number of steps, and its schedule ends with it",
    )
    study.add_argument("--seed", type=whole_number, default=1, help="of the folds (default 1)")
    study.add_argument(
        "--processes",
        type=whole_number,
        default=1,
        metavar="N",
        help="train N networks at a time, each in a process with its share of the cores: faster for small networks "
        "without a GPU (default 1)",
    )
    study.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="change all configs, for example --set trainer.max_epochs=5; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """The number of cases that failed; prints the results table and the report's path.

    Raises:
        AvnnetError: if a config, the cohort or the folds cannot be used.
    """
    from avnnet.training.config.keys import check_keys
    from avnnet.training.config.loggers import check_installed

    reporter = Reporter()
    overrides: list[str] = args.overrides
    see_working_directory()  # a config may name classes of the user's own
    # a slip is answered before torch and Lightning are imported
    for net in [*args.nets, *([args.locator] if args.locator is not None else [])]:
        words = [word for config in str(net).split("+") for word in ("--config", config)]
        words += [f"--{override}" for override in overrides]
        check_keys(words)
        check_installed(words)
    reporter.say("loading torch, MONAI and Lightning")
    from avnnet.cli.results import print_results
    from avnnet.training.study.plan import Study
    from avnnet.training.study.run import run_study

    plan = Study(
        cohort=args.cohort,
        nets=args.nets,
        out=args.out,
        folds=args.folds,
        seed=args.seed,
        only_fold=args.only_fold,
        overrides=[f"--{override}" for override in overrides],
        command=args.typed,
        margins=dict(args.margin),
        locator=args.locator,
        minutes=args.minutes,
        processes=args.processes,
    )
    run_study(plan, reporter)
    return print_results(plan.out, reporter)
