"""A training whose numbers are none any more: it stops, says where, and goes on from the last good checkpoint."""

import re

import pytest
import torch

from avnnet.errors import NonFiniteLoss
from avnnet.losses import DiceCE
from avnnet.training.config.experiment import load_experiment
from avnnet.training.finite import NEVER, FiniteGuard, case_ids_of
from avnnet.training.fit import train
from tests.training.conftest import QUIET

STEPS = 3


class Breaking(DiceCE):
    """NaN, infinite, or a gradient that is, in one call; `heal` mends it."""

    calls, at, how = 0, None, "nan"

    def forward(self, logits, target, sample_weights=None):
        value = super().forward(logits, target)
        Breaking.calls += 1
        if Breaking.calls - 1 != Breaking.at:
            return value
        if Breaking.how == "gradient":
            return value + 0 * torch.sqrt(0 * logits).sum()
        return value * float(Breaking.how)


class Spoiled(torch.optim.SGD):
    """An optimiser whose last step of the first epoch leaves no weight as it was."""

    steps = 0

    def step(self, closure=None):
        value = super().step(closure)
        Spoiled.steps += 1
        if Spoiled.steps == STEPS:
            with torch.no_grad():
                self.param_groups[0]["params"][0].fill_(float("nan"))
        return value


@pytest.fixture
def go(hips, net_yaml, tmp_path):
    """Trains two epochs of three steps, one scale, in the folder `run`."""

    def make(at=None, how="nan", words=()):
        Breaking.calls, Breaking.at, Breaking.how = 0, at, how
        given = [f"--data.cohort={hips}", "--data.folds=2", f"--data.cache={tmp_path / 'cache'}"]
        given += [f"--model.loss={__name__}.Breaking", "--model.net.init_args.deep_supervision=1", *words]
        experiment = load_experiment([net_yaml("unet3d", steps_per_epoch=STEPS)], given)
        experiment.datamodule.reporter = QUIET
        member = train(experiment, tmp_path / "run", name="unet3d", on_epoch=lambda *_: None)
        return member.net.state_dict()

    return make


def drawn_in(folder, hips, net_yaml, epoch, batch):
    """The cases of a batch, by the data module of a training of the same seed."""
    words = [f"--data.cohort={hips}", "--data.folds=2", f"--data.cache={folder}"]
    data = load_experiment([net_yaml("unet3d", steps_per_epoch=STEPS)], words).datamodule
    data.reporter = QUIET
    data.setup()
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return sorted({data.training_cases[draw.case].case_id for draw in list(loader.batch_sampler)[batch]})


@pytest.mark.parametrize(("how", "what"), [("nan", "the loss"), ("inf", "the loss"), ("gradient", "the gradient")])
def test_c30_a_number_that_is_none_is_named_with_step_cases_and_checkpoint(go, hips, net_yaml, tmp_path, how, what):
    with pytest.raises(NonFiniteLoss) as raised:
        go(at=STEPS + 1, how=how)
    said = str(raised.value)
    assert f"{what} is NaN or infinite in step 2 of 3 of epoch 1 " in said
    cases = ", ".join(drawn_in(tmp_path / "cache", hips, net_yaml, 1, 1))
    assert f"with the cases {cases}. The last good checkpoint is checkpoints/epoch-00000.ckpt" in said
    assert re.search(r"lower model\.optimizer\.init_args\.lr.*gradient_clip_val=12.*precision=32-true", said)
    assert str(tmp_path) not in said


def test_c30_nothing_of_that_step_is_kept_and_a_resume_goes_on_before_it(go, tmp_path):
    with pytest.raises(NonFiniteLoss):
        go(at=STEPS + 2)
    run = tmp_path / "run"
    assert [path.name for path in (run / "checkpoints").glob("*.ckpt")] == ["epoch-00000.ckpt"]
    assert not (run / "model").exists()
    resumed = go()
    run.rename(tmp_path / "before")
    undisturbed = go()
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)


def test_c30_in_the_first_epoch_there_is_no_checkpoint_to_name(go, tmp_path):
    with pytest.raises(NonFiniteLoss, match=r"step 1 of 3 of epoch 0 .* no checkpoint yet: the same command begins"):
        go(at=0)
    assert list((tmp_path / "run").rglob("*.ckpt")) == []


def test_c30_weights_that_an_optimiser_spoils_are_not_written(go, tmp_path):
    Spoiled.steps = 0
    words = [f"--model.optimizer={__name__}.Spoiled", "--model.optimizer.lr=0.01"]
    with pytest.raises(NonFiniteLoss, match="a weight is NaN or infinite in step 3 of 3 of epoch 0"):
        go(words=words)
    assert list((tmp_path / "run").rglob("*.ckpt")) == []


class FakeTrainer:
    """As much of a trainer as the guard asks."""

    num_training_batches, current_epoch = 200, 4

    class datamodule:
        training_cases = ()

    class train_dataloader:
        batch_sampler = ()


def test_of_a_device_the_first_step_is_written_down_there_and_asked_later(tmp_path, monkeypatch):
    guard, trainer = FiniteGuard(tmp_path), FakeTrainer()
    guard.first = torch.full((), NEVER)
    looks = []
    monkeypatch.setattr(guard, "_look", lambda _: looks.append(guard.batch))
    for guard.batch, loss in enumerate([1.0, float("nan"), 2.0, float("inf")]):
        guard._note(trainer, torch.tensor(loss), "loss")
        guard._note(trainer, torch.tensor(1.0), "gradient")
    monkeypatch.undo()
    with pytest.raises(NonFiniteLoss, match="the loss is NaN or infinite in step 2 of 200 of epoch 4"):
        guard.on_validation_start(trainer, None)


def test_to_write_a_step_down_asks_the_device_for_no_number(tmp_path):
    guard = FiniteGuard(tmp_path)
    guard.first = torch.full((), NEVER, device="meta")
    guard._note(FakeTrainer(), torch.zeros((), device="meta"), "loss")
    assert guard.first.shape == ()
    assert case_ids_of(FakeTrainer(), 3) == []


@pytest.mark.gpu
def test_a_loss_that_is_none_on_cuda_is_named_with_its_own_step(go, tmp_path):
    with pytest.raises(NonFiniteLoss, match="the loss is NaN or infinite in step 2 of 3 of epoch 1 "):
        go(at=STEPS + 1, words=["--trainer.accelerator=cuda"])
    assert [path.name for path in (tmp_path / "run" / "checkpoints").glob("*.ckpt")] == ["epoch-00000.ckpt"]
