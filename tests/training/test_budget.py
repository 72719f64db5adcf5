"""A budget in minutes comes to a number of steps that fits, is kept, and trains as the same number by hand."""

import itertools
import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from avnnet.cli import main
from avnnet.data.cohort import read_cohort
from avnnet.data.splits import stored_folds
from avnnet.errors import BudgetTooSmall, CheckpointMismatch, InvalidConfig
from avnnet.progress import Reporter
from avnnet.record import RunRecord, StudyRecord
from avnnet.training.fit import train
from avnnet.training.minutes.budget import MAX_STEPS, Pace, Steps, enough_minutes, fitting_steps, shares
from avnnet.training.minutes.budgeted import plan_fit
from avnnet.training.minutes.timing import measured_pace
from avnnet.training.study import run as study_module
from avnnet.training.study.budget import budgeted_networks
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET
from tests.training.test_resume import equal, weights

PACE = Pace(step_s=1.0, epoch_s=0.1, validation_s=1.0, start_s=0.5, end_s=0.5)
ASKED = [Steps(9, 30, 3), Steps(2, 3, 1), Steps(250, 250, 10), Steps(20, 30, 5), Steps(7, 11, 4), Steps(1, 1, 1)]
PACES = [PACE, Pace(0.02, 0.05, 3.0, 5.0, 2.0), Pace(7.0, 0.5, 40.0, 9.0, 3.0), Pace(0.3)]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("pace", PACES)
def test_what_fits_ends_in_time_wastes_little_and_validates_its_last_epoch(asked, pace):
    for minutes in (2, 3, 10, 30, 100, 1000):
        seconds = 60.0 * minutes
        steps = fitting_steps(asked, pace, seconds)
        if seconds < 60 * enough_minutes({"": asked}, {"": pace}):
            continue
        assert pace.seconds(steps) <= seconds
        assert steps.epochs == steps.validations * steps.validate_every
        assert 1 <= steps.validations <= asked.validations
        assert steps.total >= asked.least
        # a step of the schedule is what can be lost, or some percent by whole epochs
        assert pace.seconds(steps) >= 0.95 * seconds - pace.step_s or steps.total > 0.98 * MAX_STEPS


def test_more_minutes_are_never_fewer_steps():
    for asked, pace in itertools.product(ASKED, PACES):
        totals = [fitting_steps(asked, pace, 60.0 * minutes).total for minutes in (5, 10, 20, 40, 80)]
        assert totals == sorted(totals)


def test_a_year_is_bounded_by_the_steps_of_nnunet_or_by_the_configs_own():
    year_s = 365 * 86400.0
    assert fitting_steps(Steps(9, 30, 3), Pace(0.01, 0.1, 1.0), year_s).total == pytest.approx(MAX_STEPS, rel=0.01)
    longer = Steps(2000, 250, 10)
    assert fitting_steps(longer, Pace(0.01, 0.1, 1.0), year_s).total == pytest.approx(longer.total, rel=0.01)


def test_networks_share_the_time_as_their_configs_do():
    asked = {"a": Steps(9, 30, 3), "b": Steps(18, 30, 3)}
    assert shares(asked, {"a": Pace(1.0), "b": Pace(1.0)}) == {"a": pytest.approx(1 / 3), "b": pytest.approx(2 / 3)}


def planned(experiment, folder, minutes=0.5, measure=lambda *_, **__: PACE):
    # no time has gone by since the reporter began
    return plan_fit(experiment, folder, minutes, QUIET, clock=lambda: QUIET.started_s, measure=measure)


def test_a_budget_trains_as_its_steps_by_number_and_goes_on_with_them(parsed, tmp_path):
    run = tmp_path / "run"
    experiment, budget = planned(parsed(), run)

    def kill(done: int, _: str) -> None:
        if done == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(experiment, run, name="unet3d", on_epoch=kill, budget=budget)
    again, kept = planned(parsed(), run, measure=lambda *_, **__: pytest.fail("timed anew"))
    assert kept == budget == RunRecord.read(run).budget
    train(again, run, name="unet3d", on_epoch=lambda *_: None, budget=kept)
    numbers = [f"--trainer.max_epochs={budget.epochs}", f"--data.steps_per_epoch={budget.steps_per_epoch}"]
    numbers.append(f"--trainer.check_val_every_n_epoch={budget.validate_every}")
    train(parsed(*numbers), tmp_path / "number", name="unet3d", on_epoch=lambda *_: None)
    assert budget.epochs * budget.steps_per_epoch > 6  # those of the config
    assert equal(weights(run / "model"), weights(tmp_path / "number" / "model"))


def test_a_training_that_was_begun_otherwise_is_not_gone_on_with(parsed, tmp_path):
    run = tmp_path / "run"
    experiment, budget = planned(parsed(), run)
    train(experiment, run, name="unet3d", on_epoch=lambda *_: None, budget=budget)
    with pytest.raises(CheckpointMismatch, match=r"begun with --minutes 0.5 .*, and --minutes 7 is asked for"):
        planned(parsed(), run, 7)
    with pytest.raises(CheckpointMismatch, match=r"was begun with --minutes 0.5: .*Give --minutes 0.5 again"):
        planned(parsed(), run, None)
    record = json.loads((run / "run.json").read_text())
    del record["budget"]
    (run / "run.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointMismatch, match="begun without --minutes"):
        planned(parsed(), run)


def test_a_budget_too_small_names_one_that_is_enough(parsed, tmp_path):
    slow = Pace(step_s=30.0)
    with pytest.raises(BudgetTooSmall, match=r"no training of 6 steps fits.*--minutes 4 would be enough") as refused:
        planned(parsed(), tmp_path / "run", 1, measure=lambda *_, **__: slow)
    assert not (tmp_path / "run").exists(), refused
    assert planned(parsed(), tmp_path / "run", 4, measure=lambda *_, **__: slow)[1].epochs > 0


@pytest.mark.parametrize("word", ["max_steps=5", "max_time=00:00:01:00", "limit_train_batches=2", "fast_dev_run=true"])
def test_two_limits_of_one_training_are_refused(parsed, tmp_path, word):
    with pytest.raises(InvalidConfig, match=f"trainer.{word.partition('=')[0]} is .*leave one of them out"):
        planned(parsed(f"--trainer.{word}"), tmp_path / "run")


@pytest.mark.parametrize("word", ["0", "-3", "nan", "inf", "ten", "10,5", "", "1e9"])
@pytest.mark.parametrize("command", ["fit", "study"])
def test_minutes_that_are_none_are_refused_by_name(command, word, capsys, tmp_path):
    words = [f"--minutes={word}"]
    if command == "study":
        words += ["cohort.csv", "--nets", "n.yaml", "--out", str(tmp_path / "o")]
    try:
        code = main([command, *words])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    is_without = command == "fit" and not word  # words of Lightning's command line are looked at before their values
    expected = "--minutes needs a value" if is_without else "--minutes: must be a number of minutes above 0"
    assert expected in capsys.readouterr().err


def test_a_timing_by_a_clock_gives_its_seconds_and_changes_no_random_number(parsed):
    experiment = parsed()
    experiment.datamodule.setup("fit")
    before = {name: value.clone() for name, value in experiment.model.state_dict().items()}
    state, ticks = torch.random.get_rng_state(), itertools.count()
    # every look at this clock takes a second: one look a step, two a validated case
    pace = measured_pace(experiment, limit_s=4, clock=lambda: float(next(ticks)))
    assert (pace.step_s, pace.validation_s) == (1.0, len(experiment.datamodule.held_out_entries))
    assert torch.equal(state, torch.random.get_rng_state())
    assert equal(before, dict(experiment.model.state_dict()))


def test_a_long_work_says_before_it_how_long_and_how_large_it_will_be(parsed, tmp_path, capsys):
    loud = Reporter()
    plan_fit(parsed(), tmp_path / "run", None, loud, measure=lambda *_, **__: Pace(step_s=300.0))
    assert "training of 6 steps: about 30 min; memory about" in capsys.readouterr().out


def test_a_study_of_minutes_goes_on_in_every_fold_with_what_it_recorded(plan, monkeypatch, no_report):
    def measure(experiment, limit_s, **_):
        return Pace(0.5 if experiment.model.net.ndim == 2 else 2.0, start_s=0.5)

    timed = partial(budgeted_networks, measure=measure, clock=lambda: QUIET.started_s)
    monkeypatch.setattr(study_module, "budgeted_networks", timed)
    study = plan(minutes=1.5, only_fold=0)
    assert run_study(study, QUIET) == 0
    budgets = StudyRecord.read(study.out).budgets
    assert {name: RunRecord.read(study.fold_folder(0) / name).budget for name in study.names} == budgets
    totals = {name: one.epochs * one.steps_per_epoch for name, one in budgets.items()}
    assert totals["unet2d"] == pytest.approx(totals["unet3d"], rel=0.4)  # a step of one takes four times as long
    assert totals["unet3d"] > 6

    def go_on(**changes):
        other = replace(study, only_fold=1, **changes)
        experiments = {name: other.experiment(net, 1) for name, net in zip(other.names, other.nets, strict=True)}
        cohort = read_cohort(other.cohort)
        never = {"measure": lambda *_, **__: pytest.fail("timed anew")}
        return budgeted_networks(other, experiments, cohort, [["hip-001"]], QUIET, **never)

    experiments, kept = go_on()
    assert kept == budgets
    assert {name: one.trainer.max_epochs for name, one in experiments.items()} == {n: b.epochs for n, b in kept.items()}
    with pytest.raises(CheckpointMismatch, match=r"Give --minutes 1.5 again"):
        go_on(minutes=None)
    with pytest.raises(CheckpointMismatch, match=r"begun with --minutes 1.5 .*, and --minutes 3 is asked for"):
        go_on(minutes=3.0)


def test_minutes_too_few_for_a_study_are_refused_with_what_is_enough_before_any_training(plan, monkeypatch, cohort):
    study, clock = plan(minutes=1.0), lambda: QUIET.started_s
    experiments = {name: study.experiment(net, 0) for name, net in zip(study.names, study.nets, strict=True)}
    held_out = stored_folds(study.out / "splits.json", cohort, 2, seed=1)
    how = {"measure": lambda *_, **__: Pace(step_s=10.0), "clock": clock}
    with pytest.raises(
        BudgetTooSmall, match=r"--minutes 1 is too little: .*; --minutes \d+ would be enough"
    ) as refused:
        budgeted_networks(study, experiments, cohort, held_out, QUIET, **how)
    enough = int(str(refused.value).split("--minutes ")[2].split()[0])
    _, budgets = budgeted_networks(replace(study, minutes=enough), experiments, cohort, held_out, QUIET, **how)
    assert all(one.epochs * one.steps_per_epoch >= 6 for one in budgets.values())
    assert not any(study.out.glob("fold*"))
