"""Loggers of a config get figures and pictures and change nothing of the training."""

import json

import pandas as pd
import pytest
from matplotlib.image import imread

from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import check_same_run, train
from tests.training.conftest import QUIET
from tests.training.test_resume import equal, weights

LOGGERS = "[CSVLogger, tests.training.own_logger.OwnLogger]"


@pytest.fixture
def words(finished, tmp_path):
    study, _ = finished
    return [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path / 'c'}"]


def test_loggers_get_rate_loss_dice_and_overlays_and_the_weights_stay_the_same(finished, words, tmp_path):
    study, _ = finished
    experiment = load_experiment([study.nets[1]], [*words, f"--trainer.logger={LOGGERS}"])
    experiment.datamodule.reporter = QUIET
    run = tmp_path / "run"
    train(experiment, run, name="unet3d", on_epoch=lambda *_: None)
    assert equal(weights(run / "model"), weights(study.out / "fold1" / "unet3d" / "model"))

    logged = run / "lightning_logs" / "version_0"
    table = pd.read_csv(logged / "metrics.csv").groupby("epoch").max()
    own = pd.read_csv(run / "metrics.csv").set_index("epoch")
    for name in ("train_loss", "val_dice_vital", "val_dice_necrosis"):
        assert table[name].tolist() == pytest.approx(own[name].tolist())
    rates = pd.read_csv(logged / "metrics.csv")["lr-AdamW"].dropna().tolist()
    assert len(rates) == 2
    assert max(rates) <= 2e-3
    pictures = sorted((logged / "overlays").iterdir())
    assert [path.name for path in pictures] == ["epoch-00000.png", "epoch-00001.png"]
    assert imread(pictures[0]).std() > 0.05

    told = json.loads((run / "own.json").read_text())
    assert {name for one in told for name in one} >= {"train_loss", "val_dice_necrosis", "lr-AdamW", "held_out_case"}
    assert [one["held_out_case"][2] for one in told if "held_out_case" in one] == [3, 3]

    # the folder that the run has stands nowhere in its config, and a logger is no reason not to go on
    assert str(run) not in (run / "config.yaml").read_text()
    check_same_run(run, load_experiment([study.nets[1]], words))


def test_every_fold_of_a_study_logs_into_its_own_folder(finished, tmp_path):
    study, _ = finished
    first = load_experiment([study.nets[0]], ["--trainer.logger=CSVLogger"])
    second = first.of_fold(1)
    assert first.as_plain()["trainer"]["logger"] == second.as_plain()["trainer"]["logger"]
    from avnnet.training.config.loggers import open_in

    for number, experiment in enumerate((first, second)):
        open_in(experiment, tmp_path / str(number))
    dirs = [experiment.trainer.loggers[0].save_dir for experiment in (first, second)]
    assert dirs == [str(tmp_path / "0"), str(tmp_path / "1")]


def test_logger_true_is_lightnings_default_in_the_folder_of_the_run(finished, tmp_path):
    study, _ = finished
    from avnnet.training.config.loggers import open_in

    experiment = load_experiment([study.nets[0]], ["--trainer.logger=true"])
    open_in(experiment, tmp_path)
    assert [logger.save_dir for logger in experiment.trainer.loggers] == [str(tmp_path)]
