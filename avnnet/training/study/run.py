"""The cross-validated study: every fold, every network, their ensemble, the tables and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Cohort, read_cohort
from avnnet.data.splits import stored_folds
from avnnet.errors import InvalidConfig
from avnnet.labels import LabelScheme
from avnnet.progress import Reporter
from avnnet.readers import RESERVED
from avnnet.record import BudgetRecord
from avnnet.report import TRAINING, WEIGHED, write_report
from avnnet.stats.decided import named
from avnnet.tables import read_table, write_table
from avnnet.training.config.changes import OF_ANY_FOLD
from avnnet.training.config.experiment import Experiment
from avnnet.training.fit import check_same_run, is_trained
from avnnet.training.study.apart import Job, run_apart
from avnnet.training.study.budget import budgeted_networks, say_forecast
from avnnet.training.study.figures import write_figures
from avnnet.training.study.folds import cleaning_of, folds_made, tables_of, weighed_of
from avnnet.training.study.model import describe_model, write_model
from avnnet.training.study.one_fold import Fold, predict_fold, train_network
from avnnet.training.study.plan import Study
from avnnet.training.study.record import begin_record, end_record


def run_study(study: Study, reporter: Reporter | None = None) -> int:
    """The number of cases that failed in prediction; tables and `report.html` are in the study's folder.

    Args:
        study: what is to be done.
        reporter: told what is being done; a new one by default, which prints progress.

    Raises:
        AvnnetError: before any training, if a config, the cohort or the folds cannot be used.
    """
    reporter = reporter or Reporter()
    done = cross_validate(study, reporter)
    write_figures(study, done.cohort, done.scheme, done.tables["agreement"], has_ignored=done.has_ignored)
    write_report(study.out)
    describe_model(study, done.classes)
    return done.failed


@dataclass(frozen=True, eq=False)
class Validated:
    """A study whose folds are done.

    Args:
        cohort: its cases.
        scheme: names of the label ids.
        has_ignored: whether manual masks may hold 255, voxels that count nowhere.
        tables: measurements and agreement, of all folds.
        classes: of the user's own networks and blocks.
    """

    cohort: Cohort
    scheme: LabelScheme
    has_ignored: bool
    tables: Mapping[str, pd.DataFrame]
    classes: Sequence[type] = ()

    @property
    def failed(self) -> int:
        """The number of cases that failed in prediction."""
        return int(self.tables["measurements"].query("error != ''")["case_id"].nunique())


def cross_validate(study: Study, reporter: Reporter, *, is_forecast: bool = True) -> Validated:
    """The tables of a study, written to its folder with masks, models and records, without figures and report.

    Args:
        study: what is to be done.
        reporter: told what is being done.
        is_forecast: whether to time the networks' first steps and say how long it will take.

    Raises:
        AvnnetError: before any training, if a config, the cohort or the folds cannot be used.
    """
    cohort = read_cohort(study.cohort)
    if cohort.read_as:
        reporter.say(cohort.read_as)
    chosen = list(range(study.folds)) if study.only_fold is None else [study.only_fold]
    if not 0 <= min(chosen) <= max(chosen) < study.folds:
        raise InvalidConfig(f"--only-fold must be 0 to {study.folds - 1}; found {study.only_fold}")
    first = {name: study.experiment(net, chosen[0]) for name, net in _networks(study).items()}
    scheme, has_ignored = _one_scheme(study, first, cohort)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        drawn = check_cohort(cohort, scheme, has_ignored=has_ignored, on_progress=lambda done, _: step(done))
    held_out = stored_folds(study.out / "splits.json", cohort, study.folds, seed=study.seed)
    part = next(index for index, name in scheme.names.items() if name == scheme.part)
    for number, case_ids in enumerate(held_out):
        if not any(part in drawn[case_id] for case_id in case_ids):
            reporter.say(f"fold {number} holds out no case with {scheme.part}: nothing will be known of it there")
    first, budgets = budgeted_networks(study, first, cohort, [held_out[fold] for fold in chosen], reporter)
    record = begin_record(study, cohort, scheme, first, held_out, budgets)
    if is_forecast and not budgets:
        say_forecast(study, first, cohort, [held_out[fold] for fold in chosen], reporter)
    # the configs have imported these classes, so that a network of the user's own can be read again
    classes = list({one for experiment in first.values() for one in experiment.own_classes()})
    every = [Fold(study, number, cohort, cases, scheme, classes, has_ignored) for number, cases in enumerate(held_out)]
    _run_folds([every[number] for number in chosen], first, budgets, reporter)
    cleaning = cleaning_of(study)  # known with the last fold, whichever that is
    made = folds_made(study)
    is_otherwise = [fold.number not in made and not _untrained(fold, first) for fold in every]
    if cleaning is not None and any(is_otherwise):
        words = named(cleaning.steps)
        reporter.say(f"held-out cases speak for another cleaning of masks ({words}): they are predicted again")
        _run_folds([fold for fold, other in zip(every, is_otherwise, strict=True) if other], first, budgets, reporter)
    tables = _collect(study)
    end_record(study, record)
    return Validated(cohort, scheme, has_ignored, tables, classes)


def _networks(study: Study) -> dict[str, Path]:
    """The configs of all trainings of a fold by name, the locator's last.

    Raises:
        InvalidConfig: if two have one name, or one that a reader has.
    """
    configs = [*study.nets, *([study.locator] if study.locator is not None else [])]
    names = study.trained_names
    if len(set(names)) != len(names) or RESERVED & set(names):
        raise InvalidConfig(
            f"the configs' file names name the networks, must differ, and be none of {sorted(RESERVED)}, which name "
            f"readers; found {names}. Rename a file"
        )
    return dict(zip(names, configs, strict=True))


def _one_scheme(study: Study, experiments: Mapping[str, Experiment], cohort: Cohort) -> tuple[LabelScheme, bool]:
    """The label scheme of all networks, and whether voxels of id 255 count nowhere."""
    schemes = [experiment.datamodule.labels for experiment in experiments.values()]
    has_ignored = {name: experiment.datamodule.has_ignored for name, experiment in experiments.items()}
    if study.locator is not None and [*experiments.values()][-1].datamodule.crop is not None:
        raise InvalidConfig("a locator sees the whole image: its config must say data.crop: null")
    if any(scheme != schemes[0] for scheme in schemes):
        raise InvalidConfig(f"all configs of a study need the same data.labels; found {schemes}")
    if len(set(has_ignored.values())) > 1:
        raise InvalidConfig(
            f"all configs of a study need the same data.has_ignored, for they are held against the same masks; found "
            f"{has_ignored}. Say --set data.has_ignored=true if masks hold 255"
        )
    for name, experiment in experiments.items():
        try:
            experiment.check_network(cohort)
        except InvalidConfig as error:
            raise type(error)(f"{name}: {error}") from error
    return schemes[0], any(has_ignored.values())


def _run_folds(
    folds: Sequence[Fold], first: Mapping[str, Experiment], budgets: Mapping[str, BudgetRecord], reporter: Reporter
) -> None:
    """Trains and predicts what is still to be, and writes the model after every fold, or after all side by side."""
    study, scheme, classes = folds[0].study, folds[0].scheme, folds[0].classes
    if study.processes > 1:
        _run_folds_apart(folds, first, reporter)
        write_model(study, scheme, classes)
        return
    for fold in folds:
        _run_fold(fold, first, budgets, reporter)
        write_model(study, scheme, classes)


def _run_fold(
    fold: Fold, experiments: Mapping[str, Experiment], budgets: Mapping[str, BudgetRecord], reporter: Reporter
) -> None:
    if fold.is_done:
        reporter.say(f"{fold.place}: done before")
        return
    for name, parsed in _untrained(fold, experiments).items():
        train_network(fold, name, parsed.of_fold(fold.number), reporter, budget=budgets.get(name))
    predict_fold(fold, reporter)


def _untrained(fold: Fold, experiments: Mapping[str, Experiment]) -> dict[str, Experiment]:
    left = {}
    for name, parsed in experiments.items():
        if is_trained(fold.run(name)):  # the config may have been edited since
            check_same_run(fold.run(name), parsed, irrelevant=OF_ANY_FOLD)
        else:
            left[name] = parsed
    return left


def _run_folds_apart(folds: Sequence[Fold], experiments: Mapping[str, Experiment], reporter: Reporter) -> None:
    """The same as `_run_fold` of every fold: each training, and each prediction of a fold, is a job of its own."""
    jobs: list[Job] = []
    for fold in folds:
        if fold.is_done:
            reporter.say(f"{fold.place}: done before")
            continue
        trainings = [
            Job(
                f"{fold.place}, training {name}",
                (fold, name, parsed.plain_with({"data.fold": fold.number}), parsed.trainer.precision_choice),
            )
            for name, parsed in _untrained(fold, experiments).items()
        ]
        after = tuple(job.name for job in trainings)
        jobs += [*trainings, Job(f"{fold.place}, predicting held-out cases", (fold,), after)]
    run_apart(jobs, _do_job, folds[0].study.processes, reporter)


def _do_job(fold: Fold, *words: Any) -> None:
    """A training, which has a name and a config, or a prediction."""
    *training, reporter = words
    if training:
        name, config, choice = training
        train_network(fold, name, Experiment.of_plain(config, choice), reporter)
    else:
        predict_fold(fold, reporter)


def _collect(study: Study) -> dict[str, pd.DataFrame]:
    tables = {}
    made = folds_made(study)
    for name, file in tables_of(study).items():
        parts = [read_table(study.fold_folder(fold) / file) for fold in made]
        tables[name] = pd.concat(parts, ignore_index=True)
        write_table(tables[name], study.out / file)
    if (weighed := weighed_of(study)) is not None:
        write_table(weighed, study.out / WEIGHED)
    epochs = [
        read_table(study.fold_folder(fold) / name / "metrics.csv").assign(network=name, fold=fold)
        for fold in made
        for name in study.trained_names
    ]
    progress = pd.concat(epochs, ignore_index=True)
    first = ["network", "fold"]
    write_table(progress[[*first, *progress.columns.drop(first)]], study.out / TRAINING)
    return tables
