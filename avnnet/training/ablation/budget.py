"""The minutes of an ablation: each training gets the same, and how long all of them will take is said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from avnnet.data.cohort import Cohort
from avnnet.errors import BudgetTooSmall
from avnnet.progress import Reporter
from avnnet.record import BudgetRecord
from avnnet.training.ablation.plan import Ablation
from avnnet.training.config.experiment import Experiment
from avnnet.training.fit import is_trained
from avnnet.training.minutes.budget import AIM, Pace, Steps, enough_minutes, fitting_steps
from avnnet.training.minutes.budgeted import (
    GLANCE_S,
    GLANCE_STEPS,
    TIMED_SHARE,
    Measure,
    asked_steps,
    budget_in_words,
    budget_of,
    check_can_be_budgeted,
    too_small,
    within,
)
from avnnet.training.minutes.forecast import forecast
from avnnet.training.minutes.timing import measured_pace
from avnnet.training.study.budget import timed_networks


def steps_within(minutes: float, asked: Steps, pace: Pace) -> Steps:
    """The training that ends within minutes of its own, whatever the others take.

    Args:
        minutes: of one training.
        asked: what its config asks for.
        pace: how long its parts take.

    Raises:
        BudgetTooSmall: if too few steps fit; the minutes that would be enough are named.

    Examples:
        >>> [steps_within(10, Steps(9, 30, 3), Pace(step_s=step_s)).total for step_s in (0.5, 1.0)]
        [1152, 576]
    """
    own_s = AIM * 60 * minutes
    steps = fitting_steps(asked, pace, own_s)
    if steps.total < asked.least or pace.seconds(steps) > own_s:
        raise too_small(minutes, asked.least, enough_minutes({"": asked}, {"": pace}))
    return steps


def budgeted_variants(
    ablation: Ablation,
    experiments: Mapping[str, Experiment],
    new: Sequence[str],
    cohort: Cohort,
    held_out: Sequence[Sequence[str]],
    reporter: Reporter,
    *,
    rounds: Mapping[str, int],
    measure: Measure = measured_pace,
) -> tuple[dict[str, Experiment], dict[str, BudgetRecord]]:
    """The experiments, new ones with the steps that fit into the minutes of a training, and the budgets of these.

    Says how long what is still to be done will take. Without minutes, and where nobody listens, nothing is timed.

    Args:
        ablation: what is to be done.
        experiments: by name; those that were begun have their steps.
        new: names of the variants that are begun now.
        cohort: its cases.
        held_out: ids of the held-out cases of each fold.
        reporter: told of it.
        rounds: the round of each variant.
        measure: times the steps.

    Raises:
        BudgetTooSmall: if too few steps fit; the minutes that would be enough are named.
        InvalidConfig: if a config limits its length in another way.
    """
    left = {name: _trainings_left(ablation, name, rounds[name]) for name in experiments}
    minutes = ablation.minutes
    if minutes is not None:
        for name in new:
            check_can_be_budgeted(experiments[name])
    # of those that were begun with minutes the time is known
    timed_names = [name for name in experiments if left[name] and (minutes is None or name in new)]
    if not any(left.values()) or (minutes is None and reporter.is_quiet):
        return dict(experiments), {}
    result, budgets, training_s = dict(experiments), dict[str, BudgetRecord](), 0.0
    aside_s = disk = 0.0
    if timed_names:
        study = ablation.study(1, 1, timed_names)
        limits = (
            {"limit_s": GLANCE_S, "most": GLANCE_STEPS} if minutes is None else {"limit_s": TIMED_SHARE * 60 * minutes}
        )
        chosen = {name: experiments[name] for name in timed_names}
        timed = timed_networks(study, chosen, cohort, held_out, reporter, partial(measure, **limits))
        aside_s, disk = timed.aside.preparing_s, ablation.seeds * timed.disk
        for name in timed_names:
            asked, pace = asked_steps(experiments[name]), timed.paces[name]
            if minutes is None:
                training_s += left[name] * pace.seconds(asked)
                continue
            try:
                steps = steps_within(minutes, asked, pace)
            except BudgetTooSmall as error:
                raise BudgetTooSmall(f"{name}: {error}") from error
            budgets[name] = budget_of(minutes, steps, pace, asked)
            result[name] = within(experiments[name], budgets[name])
            reporter.say(f"{name}: {budget_in_words(budgets[name])} in each training ({budgets[name].reason})")
        aside_s += ablation.seeds * timed.aside.predicting_s
    if minutes is not None:
        training_s = 60 * minutes * sum(left.values())
    what = (
        f"{sum(left.values())} trainings ({len(experiments)} variants, {ablation.seeds} seeds, {ablation.folds} folds)"
    )
    reporter.say(
        forecast(f"{what} and their predictions", training_s / ablation.processes + aside_s, disk, ablation.out)
    )
    return result, budgets


def _trainings_left(ablation: Ablation, name: str, round: int) -> int:
    studies = [ablation.study(seed, round, [name]) for seed in range(1, ablation.seeds + 1)]
    return sum(not is_trained(study.fold_folder(fold) / name) for study in studies for fold in range(ablation.folds))
