"""What of Lightning's trainer works, and what is refused by name."""

import pandas as pd
import pytest

from avnnet.errors import InvalidConfig
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train
from tests.training.conftest import QUIET
from tests.training.test_resume import equal, weights

STOPPING = '{"class_path": "EarlyStopping", "init_args": {"monitor": "train_loss", "min_delta": 9, "patience": 1}}'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--trainer.devices=2"], r"one device; found.*2 process"),
        (["--trainer.strategy=ddp"], r"one device; found.*DDPStrategy.*leave trainer\.strategy out"),
        (["--trainer.strategy=deepspeed"], r"DeepSpeed"),
        (["--trainer.strategy=nonsense"], r"nonsense"),
        (["--trainer.callbacks=ModelCheckpoint"], r"keeps the last two epochs itself.*enable_checkpointing: true"),
        (
            ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val_loss"],
            r"waits for 'val_loss'.*train_loss, val_dice_vital, val_dice_necrosis",
        ),
        (
            ["--trainer.callbacks=EarlyStopping", "--trainer.callbacks.monitor=val_dice_necrosis"],
            r"Set mode: max",
        ),
    ],
)
def test_c13_what_a_trainer_cannot_do_here_is_refused_before_any_work(net_yaml, words, said):
    with pytest.raises(InvalidConfig, match=f"(?s){said}"):
        load_experiment([net_yaml("unet3d")], words)


@pytest.fixture
def go(hips, tmp_path, net_yaml):
    """Trains the tiny 3D network in a folder; `stop_after` kills it at the end of that epoch."""

    def train_in(run: str, *words: str, stop_after: int | None = None):
        data = [f"--data.cohort={hips}", "--data.folds=2", f"--data.cache={tmp_path / 'c'}"]
        experiment = load_experiment([net_yaml("unet3d", max_epochs=3)], [*data, *words])
        experiment.datamodule.reporter = QUIET

        def on_epoch(done: int, _: str) -> None:
            if done == stop_after:
                raise RuntimeError("killed")

        train(experiment, tmp_path / run, name="unet3d", on_epoch=on_epoch)
        return tmp_path / run

    return train_in


def test_a_training_that_stopped_early_stays_ended(go):
    run = go("run", f"--trainer.callbacks={STOPPING}")
    first = weights(run / "model")
    assert pd.read_csv(run / "metrics.csv")["epoch"].tolist() == [0, 1]
    go("run", f"--trainer.callbacks={STOPPING}")
    assert pd.read_csv(run / "metrics.csv")["epoch"].tolist() == [0, 1]
    assert equal(first, weights(run / "model"))


def test_gradients_of_several_batches_and_checkpoints_of_lightning_go_on_to_the_same_weights(go, tmp_path):
    words = ["--trainer.accumulate_grad_batches=2", "--trainer.enable_checkpointing=true"]
    words += ["--trainer.callbacks=ModelCheckpoint", f"--trainer.callbacks.dirpath={tmp_path / 'lightnings'}"]
    plain = weights(go("plain") / "model")
    with pytest.raises(RuntimeError, match="killed"):
        go("stopped", *words, stop_after=2)
    stopped = weights(go("stopped", *words) / "model")
    whole = weights(go("whole", *words) / "model")
    assert equal(stopped, whole)
    assert not equal(plain, whole)
    assert list((tmp_path / "lightnings").glob("*.ckpt"))
