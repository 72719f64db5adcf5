"""Losses by class path in a config."""

from pathlib import Path

import pytest
import torch
import yaml

from avnnet import losses
from avnnet.errors import InvalidConfig
from avnnet.losses import Dice, DiceCE, Focal, GeneralisedDice, Sum, TopK, Tversky
from avnnet.training.config.experiment import load_experiment, parse_experiment
from tests.losses.conftest import drawn, guessed

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
BASE = EXPERIMENTS / "hippocampus" / "unet3d.yaml"
QUICK = ["--trainer.accelerator=cpu", "--trainer.precision=32-true"]
CLASSES = [name for name in losses.__all__ if isinstance(getattr(losses, name), type) and name != "Sum"]


class Own(torch.nn.Module):
    """A loss of a user's own."""

    def forward(self, logits, target):
        return logits.float().square().mean()


@pytest.mark.parametrize("name", CLASSES)
def test_every_loss_is_named_in_a_config_by_its_import_path(name, tmp_path):
    overlay = tmp_path / "loss.yaml"
    of_class = {"class_path": f"avnnet.losses.{name}"}
    overlay.write_text(yaml.safe_dump({"model": {"loss": of_class}}))
    loss = load_experiment([BASE, overlay], QUICK).model.loss
    assert type(loss) is getattr(losses, name)
    assert torch.equal(loss(guessed(8, 8, 8), drawn(8, 8, 8)), type(loss)()(guessed(8, 8, 8), drawn(8, 8, 8)))


def test_arguments_weights_and_own_classes_come_through(tmp_path):
    overlay = tmp_path / "loss.yaml"
    parts = [
        {"class_path": "avnnet.losses.DiceCE", "init_args": {"class_weights": [1, 2, 3]}},
        {"class_path": f"{__name__}.Own"},
    ]
    of_class = {"class_path": "avnnet.losses.Sum", "init_args": {"losses": parts, "weights": [1, 0.5]}}
    overlay.write_text(yaml.safe_dump({"model": {"loss": of_class}}))
    loss = load_experiment([BASE, overlay], QUICK).model.loss
    logits, target = guessed(4, 4, 4), drawn(4, 4, 4)
    expected = DiceCE(class_weights=[1, 2, 3])(logits, target) + 0.5 * logits.square().mean()
    assert float(loss(logits, target)) == pytest.approx(float(expected))


def test_a_word_of_the_command_line_changes_an_argument_of_the_loss():
    words = ["-c", str(BASE), *QUICK, "--model.loss=avnnet.losses.Focal", "--model.loss.gamma=3"]
    assert parse_experiment(words).model.loss.gamma == 3


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("focal_dice", [Dice, Focal]),
        ("topk", [Dice, TopK]),
        ("generalised_dice", [GeneralisedDice, losses.CrossEntropy]),
        ("boundary", [DiceCE, losses.Boundary]),
        ("tversky", Tversky),
    ],
)
def test_an_overlay_changes_the_loss_and_nothing_else(name, parts):
    plain = load_experiment([BASE], QUICK)
    other = load_experiment([BASE, EXPERIMENTS / "ablations" / f"loss_{name}.yaml"], QUICK)
    loss = other.model.loss
    assert ([type(one) for one in loss.losses] if isinstance(loss, Sum) else type(loss)) == parts
    assert type(plain.model.loss) is DiceCE
    before, after = plain.as_plain(), other.as_plain()
    assert before["model"].pop("loss") != after["model"].pop("loss")
    assert before == after


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model.loss=avnnet.losses.Focl"], "avnnet.losses has no Focl. Did you mean 'avnnet.losses.Focal'?"),
        (["--model.loss=avnnet.losses.Focal", "--model.loss.gamma=0.5"], "is 0, or 1 or more; found 0.5. The article"),
    ],
)
def test_what_a_loss_in_a_config_lacks_is_said_without_what_else_was_tried(words, said):
    with pytest.raises(InvalidConfig) as raised:
        parse_experiment(["-c", str(BASE), *QUICK, *words])
    assert said in str(raised.value)
    assert "NoneType" not in str(raised.value)
