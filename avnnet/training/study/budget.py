"""The minutes of a study: what is not training is set aside, the rest is shared by folds and networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from avnnet.data.cache import Cache
from avnnet.data.cohort import Cohort
from avnnet.data.files import write_image
from avnnet.data.ignored import read_known_labels
from avnnet.measure import agreement_rows, measurement_row
from avnnet.progress import Reporter
from avnnet.readers import MANUAL
from avnnet.record import BudgetRecord, StudyRecord
from avnnet.training.config.experiment import Experiment
from avnnet.training.datamodule import CohortDataModule
from avnnet.training.fit import is_trained
from avnnet.training.minutes.budget import AIM, Pace, enough_minutes, fitting_steps, shares
from avnnet.training.minutes.budgeted import (
    GLANCE_S,
    GLANCE_STEPS,
    TIMED_SHARE,
    Measure,
    asked_steps,
    budget_in_words,
    budget_of,
    check_budget_is_kept,
    check_can_be_budgeted,
    same_budget,
    too_small,
    within,
)
from avnnet.training.minutes.forecast import disk_bytes, duration, forecast
from avnnet.training.minutes.timing import measured_pace
from avnnet.training.study.plan import Study

# models of all folds, tables, bootstrap, figures and report
REPORT_S = 25.0


@dataclass(frozen=True)
class Aside:
    """What a study needs besides its trainings.

    Args:
        preparing_s: seconds of preparing cases for the folds that are still to come.
        predicting_s: of predicting and measuring the held-out cases.
        reporting_s: of tables, figures and report.
    """

    preparing_s: float
    predicting_s: float
    reporting_s: float = REPORT_S

    @property
    def total_s(self) -> float:
        """The sum, in seconds."""
        return self.preparing_s + self.predicting_s + self.reporting_s

    def in_words(self) -> str:
        """What is set aside for what, and how it is known."""
        parts = f"{duration(self.preparing_s)} to prepare and {duration(self.predicting_s)} to predict cases"
        return f"{parts} (measured), {duration(self.reporting_s)} for the report (estimated)"


@dataclass(frozen=True)
class Timed:
    """What was found out on the first fold.

    Args:
        paces: how long the parts of a training take, by network.
        aside: what the study needs besides.
        disk: bytes on the disk.
    """

    paces: dict[str, Pace]
    aside: Aside
    disk: float


def budgeted_networks(
    study: Study,
    experiments: Mapping[str, Experiment],
    cohort: Cohort,
    held_out: Sequence[Sequence[str]],
    reporter: Reporter,
    *,
    clock: Callable[[], float] = time.monotonic,
    measure: Measure = measured_pace,
) -> tuple[dict[str, Experiment], dict[str, BudgetRecord]]:
    """The experiments with the number of steps that fits into `study.minutes`, and their budgets, none without minutes.

    All folds train alike. Every network is as much longer or shorter than its config as the others.

    Args:
        study: what is to be done.
        experiments: by name, as parsed.
        cohort: its cases.
        held_out: ids of the held-out cases of the folds to do.
        reporter: told of it; the minutes begin with it.
        clock: the reporter's, in seconds.
        measure: times the steps.

    Raises:
        BudgetTooSmall: if too few steps fit; the minutes that would be enough are named.
        CheckpointMismatch: if the folder holds trainings of another budget, or of none.
        InvalidConfig: if a config limits its length in another way.
    """
    is_begun = any(study.out.glob("fold*/*/run.json"))
    before = StudyRecord.read(study.out).budgets if is_begun and (study.out / StudyRecord.FILE).exists() else {}
    if study.minutes is None:
        for name, experiment in experiments.items():
            check_budget_is_kept(study.out, experiment, before.get(name))
        return dict(experiments), dict(before)
    for experiment in experiments.values():
        check_can_be_budgeted(experiment)
    if is_begun:
        kept = {name: same_budget(study.out, study.minutes, before.get(name)) for name in experiments}
        for name, budget in kept.items():
            reporter.say(f"{name}: {budget_in_words(budget)}, as recorded when this study was begun")
        return {name: within(experiment, kept[name]) for name, experiment in experiments.items()}, kept
    limit_s = TIMED_SHARE * 60 * study.minutes / len(experiments)
    timed = timed_networks(study, experiments, cohort, held_out, reporter, partial(measure, limit_s=limit_s))
    asked = {name: asked_steps(experiment) for name, experiment in experiments.items()}
    share, other_s = shares(asked, timed.paces), clock() - reporter.started_s + timed.aside.total_s
    fold_s = (AIM * 60 * study.minutes - other_s) / len(held_out)
    reporter.say(f"set aside: {timed.aside.in_words()}")
    budgets, training_s = {}, 0.0
    for name, pace in timed.paces.items():
        steps = fitting_steps(asked[name], pace, share[name] * fold_s)
        if steps.total < asked[name].least or pace.seconds(steps) > max(share[name] * fold_s, 0):
            enough = enough_minutes(asked, timed.paces, folds=len(held_out), other_s=other_s)
            raise too_small(study.minutes, asked[name].least, enough)
        budgets[name] = budget_of(study.minutes, steps, pace, asked[name])
        training_s += len(held_out) * pace.seconds(steps)
        reporter.say(f"{name}: {budget_in_words(budgets[name])} in each fold ({budgets[name].reason})")
    reporter.say(forecast("from here on", training_s + timed.aside.total_s, timed.disk, study.out))
    return {name: within(experiment, budgets[name]) for name, experiment in experiments.items()}, budgets


def say_forecast(
    study: Study,
    experiments: Mapping[str, Experiment],
    cohort: Cohort,
    held_out: Sequence[Sequence[str]],
    reporter: Reporter,
    *,
    measure: Measure = measured_pace,
) -> None:
    """Says how long the trainings that are still to be done will take, by a glance at each network's first steps.

    Args:
        study: what is to be done.
        experiments: by name, as they will be trained.
        cohort: its cases.
        held_out: ids of the held-out cases of the folds to do.
        reporter: told of it; where nobody listens, nothing is timed.
        measure: times the steps.
    """
    folds = range(study.folds) if study.only_fold is None else [study.only_fold]
    rest = {name: sum(not is_trained(study.fold_folder(fold) / name) for fold in folds) for name in experiments}
    if reporter.is_quiet or not any(rest.values()):
        return
    glance = partial(measure, limit_s=GLANCE_S, most=GLANCE_STEPS)
    timed = timed_networks(study, experiments, cohort, held_out, reporter, glance)
    training_s = sum(timed.paces[name].seconds(asked_steps(one)) * rest[name] for name, one in experiments.items())
    trainings = sum(rest.values())
    what = f"{trainings} training{'s' if trainings > 1 else ''}, prediction and report"
    reporter.say(forecast(what, training_s + timed.aside.total_s, timed.disk, study.out))


def timed_networks(
    study: Study,
    experiments: Mapping[str, Experiment],
    cohort: Cohort,
    held_out: Sequence[Sequence[str]],
    reporter: Reporter,
    measure: Measure,
) -> Timed:
    """How long the parts of a study take, by the first steps of each network on the first fold.

    Args:
        study: what is to be done.
        experiments: by name, as they will be trained.
        cohort: its cases.
        held_out: ids of the held-out cases of the folds to do.
        reporter: told of the preparation.
        measure: times the steps of a network, as `measured_pace` with its limits.
    """
    paces, disk, preparing_s, network_s, located_s = {}, 0.0, 0.0, 0.0, 0.0
    cases, folds = sum(map(len, held_out)), len(held_out)
    read_s = row_s = 0.0
    for name, parsed in experiments.items():
        experiment = parsed.of_fold(study.only_fold or 0)
        data = experiment.datamodule
        data.is_checked, data.reporter = True, reporter
        first_s = _setup_s(data)
        again = parsed.of_fold(study.only_fold or 0).datamodule
        again.is_checked, again.reporter = True, Reporter(is_quiet=True)
        # the median spacing of another fold may be another, and its cases then have to be prepared anew
        preparing_s += (folds - 1) * first_s if data.spacing_mm is None else folds * _setup_s(again)
        paces[name] = measure(experiment)
        weights, cached = disk_bytes(experiment.model.net, [*data.training_entries, *data.held_out_entries])
        disk += folds * weights + (folds if data.spacing_mm is None else 1) * cached
        mirrored = 2 ** len(data.augment.mirror_axes if data.mirror_at_test else [])
        seconds = paces[name].validation_s / len(data.held_out_entries) * mirrored
        network_s, located_s = (network_s + seconds, 0.0) if name in study.names else (network_s, seconds)
        read_s, row_s = _case_s(cohort, data)
    readers = len(study.names) + 2
    case_s = read_s + network_s + readers * row_s
    if study.locator is not None:  # once more around the head that was found
        case_s += located_s + network_s + row_s
    return Timed(paces, Aside(preparing_s, cases * case_s), disk)


def _setup_s(data: CohortDataModule) -> float:
    start_s = time.perf_counter()
    data.setup("fit")
    return time.perf_counter() - start_s


def _case_s(cohort: Cohort, data: CohortDataModule) -> tuple[float, float]:
    """The seconds of reading and resampling a case, and of writing, measuring and comparing one mask."""
    case = data.held_out_cases[0]
    with TemporaryDirectory() as folder:
        start_s = time.perf_counter()
        Cache(Path(folder)).add(case, data.prepared_by(), data.labels, has_ignored=data.has_ignored)
        read_s = time.perf_counter()
        manual = read_known_labels(case.label, data.labels, has_ignored=data.has_ignored)
        row = cohort.carried[cohort.carried["case_id"] == case.case_id]
        measurement_row(row, MANUAL, manual)
        agreement_rows(row, MANUAL, manual, manual)
        write_image(manual, Path(folder) / "mask.nii.gz")
        return read_s - start_s, time.perf_counter() - read_s
