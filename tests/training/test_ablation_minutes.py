"""The minutes of an ablation: each training gets the same, whatever its network costs."""

import numpy as np
import pytest
import torch
import yaml

from avnnet.ablation_record import AblationRecord, VariantRecord
from avnnet.data.cohort import read_cohort
from avnnet.data.splits import stored_folds
from avnnet.errors import BudgetTooSmall, InvalidConfig, WorkerFailed
from avnnet.labels import HIP
from avnnet.progress import Reporter
from avnnet.training.ablation.budget import budgeted_variants
from avnnet.training.ablation.configs import built_variants
from avnnet.training.ablation.peak_memory import batch_shapes, peak_memory
from avnnet.training.ablation.plan import Ablation
from avnnet.training.minutes.budget import Pace
from avnnet.training.minutes.budgeted import asked_steps
from tests.conftest import write_net
from tests.training.conftest import QUIET

OVERLAY = {"model": {"net": {"init_args": {"block": "avnnet.models.ResidualBlock"}}}}


class Lines(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._print = self.lines.append


def steps_take(**seconds):
    """A timing in which a step of each kind of block takes so many seconds."""

    def measure(experiment, *, limit_s, most=None):
        return Pace(step_s=seconds[experiment.model.net.block.__name__], epoch_s=0.1, validation_s=0.5)

    return measure


@pytest.fixture
def plan(hips, tmp_path):
    base = write_net(tmp_path, "unet3d", steps_per_epoch=10)
    overlay = tmp_path / "residual.yaml"
    overlay.write_text(yaml.safe_dump(OVERLAY))

    def make(**changes) -> Ablation:
        return Ablation(
            **{"cohort": hips, "base": base, "overlays": [overlay], "out": tmp_path / "out", "folds": 2, **changes}
        )

    return make


def budgeted(ablation, measure, reporter=QUIET):
    cohort = read_cohort(ablation.cohort)
    experiments, _ = built_variants(ablation, None, cohort)
    held_out = stored_folds(ablation.out / "splits.json", cohort, ablation.folds, seed=1)
    rounds = dict.fromkeys(experiments, 1)
    return budgeted_variants(
        ablation, experiments, list(experiments), cohort, held_out, reporter, rounds=rounds, measure=measure
    )


def test_all_variants_of_a_seed_are_shown_the_same_patches_in_the_same_order(plan, cohort):
    def shown(name):
        ablation = plan()
        stored_folds(ablation.out / "splits.json", cohort, ablation.folds, seed=1)
        data = built_variants(ablation, None, cohort)[0][name].datamodule
        data.setup("fit")
        batches = [part for batch in data.train_dataloader() for part in batch]
        return torch.cat([part.double().sum((1, 2, 3, 4)) for part in batches])

    first = shown("unet3d")
    assert first[::2].unique().numel() > 1
    assert torch.equal(shown("residual"), first)


def test_a_network_that_is_twice_as_slow_makes_half_of_the_steps_in_the_same_minutes(plan):
    lines = Lines()
    planned, budgets = budgeted(plan(minutes=2.0), steps_take(ConvBlock=0.1, ResidualBlock=0.2), lines)
    steps = {name: budget.epochs * budget.steps_per_epoch for name, budget in budgets.items()}
    assert steps["unet3d"] / steps["residual"] == pytest.approx(2, abs=0.1)
    assert steps["residual"] * 0.2 == pytest.approx(120, rel=0.1)
    assert {name: asked_steps(one).total for name, one in planned.items()} == steps
    assert any("12 trainings (2 variants, 3 seeds, 2 folds)" in line and "about 2" in line for line in lines.lines)


def test_too_few_minutes_are_refused_with_how_many_would_be_enough(plan):
    with pytest.raises(BudgetTooSmall, match=r"unet3d: --minutes 0\.05 is too little.*--minutes 1 would be enough"):
        budgeted(plan(minutes=0.05), steps_take(ConvBlock=1.0, ResidualBlock=2.0))


def test_a_config_that_fixes_its_length_in_another_way_is_refused(plan):
    with pytest.raises(InvalidConfig, match=r"trainer\.max_steps is 5"):
        budgeted(plan(minutes=2.0, overrides=["--trainer.max_steps=5"]), steps_take(ConvBlock=1.0, ResidualBlock=2.0))


def test_without_minutes_every_variant_keeps_the_steps_of_its_config_and_the_time_is_said(plan):
    lines = Lines()
    planned, budgets = budgeted(plan(), steps_take(ConvBlock=10.0, ResidualBlock=20.0), lines)
    assert budgets == {}
    assert {asked_steps(one).total for one in planned.values()} == {20}
    # 20 steps x (10 + 20) s x 6 trainings each is an hour
    assert any("about 60 min" in line or "about 61 min" in line for line in lines.lines)


@pytest.mark.parametrize(("asked", "expected"), [("auto", "bf16-mixed"), ("32-true", "32-true")])
def test_the_precision_that_a_timing_chose_when_an_ablation_was_begun_holds_for_the_rest(plan, cohort, asked, expected):
    ablation = plan()
    config = yaml.safe_load(ablation.base.read_text())
    config["trainer"]["precision"] = asked
    ablation.base.write_text(yaml.safe_dump(config))
    begun = VariantRecord((), "trainer: {precision: bf16-mixed}")
    before = AblationRecord("unet3d", {"unet3d": begun}, (1,), 2, 1, "hips.csv", "", True, HIP)
    experiments, _ = built_variants(ablation, before, cohort)  # the second variant is a new one
    assert {yaml.safe_load(one.as_text())["trainer"]["precision"] for one in experiments.values()} == {expected}
    assert {str(one.trainer.precision) for one in experiments.values()} == {expected}


def test_a_2d_network_is_given_the_slices_of_a_patch(hips, tmp_path):
    from avnnet.training.config.experiment import load_experiment

    flat = load_experiment([write_net(tmp_path, "unet2d")])
    assert batch_shapes(flat) == ([16, 1, 18, 18], [8, 1, 18, 18])
    assert batch_shapes(load_experiment([write_net(tmp_path, "unet3d")])) == ([1, 1, 16, 18, 18], [2, 1, 16, 18, 18])


def test_a_training_step_that_cannot_be_made_is_named_before_any_training(tmp_path):
    from avnnet.training.config.experiment import load_experiment

    broken = load_experiment([write_net(tmp_path, "unet3d")], ["--model.scale_weights=[1.0,2.0,3.0,4.0]"])
    with pytest.raises(WorkerFailed, match="unet3d: a training step on random numbers could not be made"):
        peak_memory(broken, "unet3d")


def test_the_memory_of_a_variant_does_not_count_what_the_process_holds_that_asks(tmp_path):
    from avnnet.training.config.experiment import load_experiment

    gib = 2**30
    ballast = np.ones(2 * gib // 8)
    found = peak_memory(load_experiment([write_net(tmp_path, "unet3d")]), "unet3d")
    assert found.before_bytes <= found.peak_bytes < ballast.nbytes
    assert found.before_bytes > gib / 10  # Python with torch
