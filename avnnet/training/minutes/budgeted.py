"""A training that fits into minutes: timed, fixed, said and recorded before its first step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from avnnet.data.cohort import read_cohort
from avnnet.errors import BudgetTooSmall, CheckpointMismatch, InvalidConfig
from avnnet.progress import Reporter
from avnnet.record import BudgetRecord
from avnnet.tables import read_table
from avnnet.training.config.experiment import Experiment
from avnnet.training.fit import check_same_run, recorded_run
from avnnet.training.minutes.budget import AIM, MAX_STEPS, Pace, Steps, enough_minutes, fitting_steps
from avnnet.training.minutes.forecast import disk_bytes, forecast
from avnnet.training.minutes.timing import measured_pace

# how much of a budget its timing takes, and how little it is where only the time is to be said
TIMED_SHARE = 0.05
GLANCE_S, GLANCE_STEPS = 3.0, 10
# Lightning's number where a config gives none
USUAL_EPOCHS = 1000
UNLIMITED = {"max_steps": -1, "max_time": None, "overfit_batches": 0.0, "fast_dev_run": False}

Measure = Callable[..., Pace]


def asked_steps(experiment: Experiment) -> Steps:
    """The number of steps that a config asks for.

    Args:
        experiment: the parsed config.
    """
    trainer = experiment.trainer
    epochs = trainer.max_epochs if trainer.max_epochs is not None and trainer.max_epochs > 0 else USUAL_EPOCHS
    return Steps(epochs, experiment.datamodule.steps_per_epoch, min(trainer.check_val_every_n_epoch or 1, epochs))


def check_can_be_budgeted(experiment: Experiment) -> None:
    """Refuse a config that fixes the length of a training in another way.

    Raises:
        InvalidConfig: if it has another limit than epochs, or several devices.
    """
    config = experiment.config.trainer
    given = [key for key, none in UNLIMITED.items() if config[key] != none]
    given += [key for key in ("limit_train_batches", "val_check_interval") if config[key] not in (None, 1.0)]
    given += ["check_val_every_n_epoch"] if experiment.trainer.check_val_every_n_epoch is None else []
    if given:
        raise InvalidConfig(
            f"--minutes chooses the number of steps, and trainer.{given[0]} is {config[given[0]]}; leave one of them "
            "out"
        )
    if experiment.trainer.world_size > 1:
        raise InvalidConfig(
            f"--minutes times one device; found {experiment.trainer.world_size}. Set trainer.devices: 1, or give "
            "trainer.max_epochs instead"
        )


def within(experiment: Experiment, budget: BudgetRecord) -> Experiment:
    """The same config with the steps of a budget, from initial weights on, and the data that were prepared.

    Args:
        experiment: the parsed config.
        budget: the number of steps.
    """
    changed = experiment.with_values(
        {
            "trainer.max_epochs": budget.epochs,
            "trainer.check_val_every_n_epoch": budget.validate_every,
            "data.steps_per_epoch": budget.steps_per_epoch,
        }
    )
    changed.datamodule.take_over(experiment.datamodule)
    return changed


def budget_of(minutes: float, steps: Steps, pace: Pace, asked: Steps) -> BudgetRecord:
    """What is recorded of a budget.

    Args:
        minutes: that were asked for.
        steps: what they came to.
        pace: by what timing.
        asked: the config's own number.
    """
    reason = f"timed {pace.step_s:.3g} s a step, {pace.validation_s:.3g} s a validation"
    if steps.total >= 0.99 * max(MAX_STEPS, asked.total):
        reason += f"; never more than {max(MAX_STEPS, asked.total)} steps"
    return BudgetRecord(minutes, **asdict(steps), reason=reason)


def plan_fit(
    experiment: Experiment,
    folder: Path,
    minutes: float | None,
    reporter: Reporter,
    *,
    clock: Callable[[], float] = time.monotonic,
    measure: Measure = measured_pace,
) -> tuple[Experiment, BudgetRecord | None]:
    """The experiment to train and its budget, if minutes are given; says how long it will take.

    The minutes begin with the reporter. A training that goes on keeps its recorded number of steps.

    Args:
        experiment: the parsed config.
        folder: of the run.
        minutes: that the whole command may take, or None for the config's own number of steps.
        reporter: told of it.
        clock: the reporter's, in seconds.
        measure: times the steps.

    Raises:
        BudgetTooSmall: if too few steps fit; the minutes that would be enough are named.
        CheckpointMismatch: if the folder holds a training of another budget, or of none.
        InvalidConfig: if the config limits its length in another way, or the network does not fit the cohort.
    """
    begun = recorded_run(folder)
    if minutes is not None:
        check_can_be_budgeted(experiment)
        if begun is not None:
            kept = same_budget(folder, minutes, begun.budget)
            experiment = within(experiment, kept)
            reporter.say(f"--minutes {minutes:g}: {budget_in_words(kept)}, as recorded when this training was begun")
            check_same_run(folder, experiment)
            _say_rest(experiment, folder, reporter)
            return experiment, kept
    check_budget_is_kept(folder, experiment, None if begun is None else begun.budget)
    check_same_run(folder, experiment)
    if begun is not None or (minutes is None and reporter.is_quiet):
        _say_rest(experiment, folder, reporter)
        return experiment, None
    asked, data = asked_steps(experiment), experiment.datamodule
    experiment.check_network(read_cohort(data.cohort))
    data.setup("fit")
    data.is_checked = True
    budget: BudgetRecord | None = None
    if minutes is None:
        pace = measure(experiment, limit_s=GLANCE_S, most=GLANCE_STEPS)
        steps = asked
    else:
        pace = measure(experiment, limit_s=TIMED_SHARE * 60 * minutes)
        used_s = clock() - reporter.started_s
        left_s = AIM * 60 * minutes - used_s
        steps = fitting_steps(asked, pace, left_s)
        if steps.total < asked.least or pace.seconds(steps) > max(left_s, 0):
            raise too_small(minutes, asked.least, enough_minutes({"": asked}, {"": pace}, other_s=used_s))
        budget = budget_of(minutes, steps, pace, asked)
        experiment = within(experiment, budget)
        reporter.say(f"--minutes {minutes:g}: {budget_in_words(budget)} ({budget.reason})")
    disk = sum(disk_bytes(experiment.model.net, [*data.training_entries, *data.held_out_entries]))
    reporter.say(forecast(f"training of {steps.total} steps", pace.seconds(steps), disk, folder))
    return experiment, budget


def too_small(minutes: float, least: int, enough: int) -> BudgetTooSmall:
    """The error of a budget that is too small.

    Args:
        minutes: that were asked for.
        least: steps of a sensible training.
        enough: minutes that would be enough.
    """
    return BudgetTooSmall(
        f"--minutes {minutes:g} is too little: with what comes before and behind it, no training of {least} steps "
        f"fits, the least that is sensible; --minutes {enough} would be enough"
    )


def budget_in_words(budget: BudgetRecord) -> str:
    """What a budget came to.

    Examples:
        >>> budget_in_words(BudgetRecord(10, epochs=33, steps_per_epoch=30, validate_every=11))
        '990 steps, 33 epochs of 30, validated every 11'
    """
    total = budget.epochs * budget.steps_per_epoch
    return f"{total} steps, {budget.epochs} epochs of {budget.steps_per_epoch}, validated every {budget.validate_every}"


def same_budget(folder: Path, minutes: float, before: BudgetRecord | None) -> BudgetRecord:
    """The budget that a folder was begun with.

    Args:
        folder: of the training or the study.
        minutes: that are asked for now.
        before: what it records.

    Raises:
        CheckpointMismatch: if it was begun with other minutes, or with none.
    """
    if before is None or before.minutes != minutes:
        found = "without --minutes"
        if before is not None:
            found = f"with --minutes {before.minutes:g} ({budget_in_words(before)})"
        raise CheckpointMismatch(
            f"{folder} holds a training that was begun {found}, and --minutes {minutes:g} is asked for; a training "
            "that goes on keeps its number of steps. Ask for it as before, or choose another folder"
        )
    return before


def check_budget_is_kept(folder: Path, experiment: Experiment, budget: BudgetRecord | None) -> None:
    """Refuse another number of steps than that of the budget which a folder was begun with.

    Args:
        folder: of the training or the study.
        experiment: as it is asked for now, without minutes.
        budget: what the folder records.

    Raises:
        CheckpointMismatch: if it has another.
    """
    if budget is not None:
        recorded = Steps(budget.epochs, budget.steps_per_epoch, budget.validate_every)
        if asked_steps(experiment) != recorded:
            raise CheckpointMismatch(
                f"{folder} was begun with --minutes {budget.minutes:g}: {budget_in_words(budget)}. Give --minutes "
                f"{budget.minutes:g} again to go on, or choose another folder"
            )


def _say_rest(experiment: Experiment, folder: Path, reporter: Reporter) -> None:
    path = folder / "metrics.csv"
    rows = read_table(path) if path.exists() else None
    if rows is not None and len(rows):
        last, epochs = rows.iloc[-1], asked_steps(experiment).epochs
        done = int(last["epoch"]) + 1
        rest_s = (epochs - done) * float(last["seconds"]) / done
        reporter.say(forecast(f"going on after epoch {done} of {epochs}", rest_s, 0, folder))
