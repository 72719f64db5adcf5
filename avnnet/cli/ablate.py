"""`avnnet ablate`: does a change help? A base and overlays on the same folds, draws and seeds, with intervals."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.classes import see_working_directory
from avnnet.cli.words import Commands, add_out, minutes_of_budget, whole_number
from avnnet.progress import Reporter

DESCRIPTION = """
Trains a base and every variant of it on the same folds, with the same seeds, and says how far they differ: paired
differences per structure with 95 % intervals that know of patients and of seeds, adjusted p values, minutes,
parameters, GFLOP and peak memory, in a report with a forest and a Pareto plot. The same command goes on where it was
stopped. Exit code 3: some cases failed, their rows say why.
"""
EPILOG = """
an overlay is a config with the keys that change, and nothing else; its file name names the variant:
  # residual.yaml
  model: {net: {init_args: {block: avnnet.models.ResidualBlock}}}

does it help? two folds, three seeds, the same number of steps:
  avnnet ablate experiments/laptop/unet3d.yaml experiments/ablations/residual.yaml \\
    --cohort COHORT.csv --folds 2 --seeds 3 --out runs/ablation

the same minutes instead, so that a slower network pays for its slowness:
  avnnet ablate experiments/laptop/unet3d.yaml experiments/ablations/residual.yaml \\
    --cohort COHORT.csv --minutes 10 --out runs/equal_minutes

the answer is in runs/ablation: report.html, tables/differences.csv, tables/costs.csv, results.json.
Give the command again with more seeds, or with a further overlay: only what is missing is trained.
"""


def add(commands: Commands) -> None:
    """Adds `ablate` to the commands."""
    ablate = commands.add_parser(
        "ablate",
        help="does a change help? compare variants of a network with a base, with intervals and costs",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ablate.set_defaults(run=run)
    ablate.add_argument(
        "base", type=Path, metavar="BASE.yaml", help="a full config: what the variants are compared with"
    )
    ablate.add_argument(
        "overlays",
        type=Path,
        nargs="+",
        metavar="OVERLAY.yaml",
        help="what a variant changes of the base; several files of one variant with plus signs: a.yaml+b.yaml",
    )
    ablate.add_argument(
        "--cohort", type=Path, required=True, metavar="CSV", help="with patient_id, case_id, image, label"
    )
    add_out(ablate, "folder of the ablation")
    ablate.add_argument("--folds", type=whole_number, default=5, help="number of folds (default 5)")
    ablate.add_argument(
        "--seeds",
        type=whole_number,
        default=3,
        metavar="N",
        help="train each variant N times on each fold, with the seeds 1 to N (default 3); with 1 there is no interval",
    )
    ablate.add_argument(
        "--minutes",
        type=minutes_of_budget,
        metavar="M",
        help="give every training M minutes instead of its config's number of steps: a timing of each variant fixes "
        "how many steps that is, the same for all seeds and folds",
    )
    ablate.add_argument(
        "--processes",
        type=whole_number,
        default=1,
        metavar="N",
        help="train N networks at a time, each with its share of the cores (default 1; not with --minutes)",
    )
    ablate.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="change base and variants alike, for example --set trainer.max_epochs=5; may be repeated",
    )


def run(args: argparse.Namespace) -> int:
    """The number of cases that failed; prints the differences and the report's path.

    Raises:
        AvnnetError: if a config, the cohort, the folds or the folder cannot be used.
    """
    from avnnet.training.config.keys import check_keys
    from avnnet.training.config.loggers import check_installed

    reporter = Reporter()
    see_working_directory()  # a config may name classes of the user's own
    # a slip is answered before torch and Lightning are imported
    for overlay in args.overlays:
        files = [*str(args.base).split("+"), *str(overlay).split("+")]
        words = [word for file in files for word in ("--config", file)]
        words += [f"--{override}" for override in args.overrides]
        check_keys(words)
        check_installed(words)
    reporter.say("loading torch, MONAI and Lightning")
    from avnnet.training.ablation.plan import Ablation
    from avnnet.training.ablation.run import run_ablation

    plan = Ablation(
        cohort=args.cohort,
        base=args.base,
        overlays=args.overlays,
        out=args.out,
        folds=args.folds,
        seeds=args.seeds,
        minutes=args.minutes,
        processes=args.processes,
        overrides=[f"--{override}" for override in args.overrides],
        command=args.typed,
    )
    failed = run_ablation(plan, reporter)
    _print(plan.out, reporter)
    if failed:
        reporter.say(f"{failed} cases failed; the column error of seed*/measurements.csv says why")
    return failed


def _print(folder: Path, reporter: Reporter) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from avnnet.report import read_ablation
    from avnnet.report.ablation_words import answers, cost_printed, difference_rows, warnings_of

    tables = read_ablation(folder)
    differences = tables.differences
    console = Console()
    wide = Console(width=console.width if console.is_terminal else 160)
    header, rows = difference_rows(differences[differences["metric"] == "dice"])
    costs = cost_printed(tables.costs)
    for title, names, cells in (
        ("Dice", header[1:], [row[1:] for row in rows]),
        (costs.title, costs.header, costs.rows),
    ):
        table = Table(*names, title=title)
        for row in cells:
            table.add_row(*map(escape, row))
        wide.print(table)
    for line in [*warnings_of(differences), *answers(differences, tables.record.scheme.part)]:
        reporter.say(line)
    reporter.say(f"report: {(folder / 'report.html').resolve()}")
