"""`avnnet fit`: trains one network on one fold."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.classes import see_working_directory
from avnnet.cli.fit_words import taken_out
from avnnet.cli.words import Commands, minutes_of_budget
from avnnet.errors import InvalidConfig
from avnnet.progress import Reporter

NO_PREFIX = "\0"  # to the parser no word is an option, so that Lightning gets all of them, --help too


def add(commands: Commands) -> None:
    """Adds `fit` to the commands; its words and its help are Lightning's."""
    fit = commands.add_parser(
        "fit",
        help="train one network on one fold (Lightning CLI)",
        description="Trains one network on one fold.",
        add_help=False,
        prefix_chars=NO_PREFIX,
    )
    fit.set_defaults(run=run)
    fit.add_argument("words", nargs="*")


def run(args: argparse.Namespace) -> int:
    """0; trains a network and writes its model folder.

    Raises:
        AvnnetError: if the config or the cohort cannot be used.
    """
    from avnnet.training.config.keys import check_keys
    from avnnet.training.config.loggers import check_installed

    reporter = Reporter()  # the minutes of a budget begin here
    start, words = taken_out("--from", args.words)
    asked, words = taken_out("--minutes", words)
    minutes = None if asked is None else _minutes(asked)
    see_working_directory()  # a config may name classes of the user's own
    # a slip is answered before torch and Lightning are imported
    check_keys(words)
    check_installed(words)
    from avnnet.training.config.experiment import parse_experiment
    from avnnet.training.fit import recorded_precision, recorded_run, train
    from avnnet.training.minutes.budgeted import plan_fit
    from avnnet.training.study.plan import name_of
    from avnnet.training.warm_start import check_start

    experiment = parse_experiment(words)
    configs = [Path(str(path)) for path in experiment.config.get("config") or []]
    name = name_of(configs) or "network"
    place = f"{configs[0].resolve().parent.name}-{name}" if configs else name
    default = Path("runs") / f"{place}-fold{experiment.datamodule.fold}"
    folder = Path(experiment.config.trainer.default_root_dir or default)
    begun_with = recorded_precision(folder)
    if begun_with not in (None, experiment.trainer.precision_choice.precision):
        experiment = parse_experiment([*words, f"--trainer.precision={begun_with}"])
    experiment.datamodule.reporter = reporter
    reporter.say(
        f"precision {experiment.trainer.precision_choice.precision} ({experiment.trainer.precision_choice.reason})"
    )
    if start is not None and recorded_run(folder) is None:
        check_start(experiment.model.net, start, experiment.own_classes())  # before anything is prepared and timed
    experiment, budget = plan_fit(experiment, folder, minutes, reporter)
    with reporter.steps(f"training {name}", experiment.trainer.max_epochs or 0) as step:
        train(experiment, folder, name=name, on_epoch=step, start=start, budget=budget)
    reporter.say(f"model: {folder / 'model'}")
    return 0


def _minutes(text: str) -> float:
    try:
        return minutes_of_budget(text)
    except argparse.ArgumentTypeError as error:
        raise InvalidConfig(f"--minutes: {error}") from error
