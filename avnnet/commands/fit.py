"""`avnnet fit`: trains one network on one fold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avnnet.progress import Reporter


def fit(words: Sequence[str]) -> int:
    """The exit code of a training; `--help` and all flags are Lightning's."""
    from avnnet.training.config import parse_experiment
    from avnnet.training.fit import recorded_precision, train
    from avnnet.training.plan import name_of

    experiment = parse_experiment(words)
    configs = [Path(str(path)) for path in experiment.config.get("config") or []]
    name = name_of(configs) or "network"
    place = f"{configs[0].resolve().parent.name}-{name}" if configs else name
    default = Path("runs") / f"{place}-fold{experiment.datamodule.fold}"
    folder = Path(experiment.config.trainer.default_root_dir or default)
    begun_with = recorded_precision(folder)
    if begun_with not in (None, experiment.trainer.precision_choice.precision):
        experiment = parse_experiment([*words, f"--trainer.precision={begun_with}"])
    reporter = Reporter()
    experiment.datamodule.reporter = reporter
    reporter.say(
        f"precision {experiment.trainer.precision_choice.precision} ({experiment.trainer.precision_choice.reason})"
    )
    with reporter.steps(f"training {name}", experiment.trainer.max_epochs or 0) as step:
        train(experiment, folder, name=name, on_epoch=step)
    reporter.say(f"model: {folder / 'model'}")
    return 0
