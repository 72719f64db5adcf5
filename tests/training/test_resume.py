import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from avnnet.data.files import read_labels, write_image
from avnnet.errors import CheckpointMismatch, InvalidSplit
from avnnet.image import LabelMap
from avnnet.inference.model_folder import load_model
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train
from avnnet.training.study import one_fold
from avnnet.training.study.run import run_study
from tests.training.conftest import QUIET

ABLATIONS = Path(__file__).parents[2] / "experiments" / "ablations"


def weights(folder) -> dict[str, torch.Tensor]:
    return load_model(folder).members[0].net.state_dict()


def equal(first: dict, second: dict) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_fit_on_a_fold_and_the_study_on_that_fold_give_equal_weights(finished, tmp_path):
    study, _ = finished
    for net, name in zip(study.nets, study.names, strict=True):
        overrides = [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path}"]
        experiment = load_experiment([net], overrides)
        experiment.datamodule.reporter = QUIET
        train(experiment, tmp_path / name, name=name, on_epoch=lambda *_: None)
        assert equal(weights(tmp_path / name / "model"), weights(study.out / "fold1" / name / "model"))


def test_a_second_call_does_not_train_again(finished, monkeypatch, no_report):
    study, _ = finished
    before = {path: path.stat().st_mtime_ns for path in study.out.rglob("*.safetensors") if "fold" in str(path)}
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("trained again"))
    assert run_study(study, QUIET) == 0
    assert before == {path: path.stat().st_mtime_ns for path in before}


@pytest.mark.parametrize("overlay", [None, "averaged"])
def test_a_training_that_is_stopped_goes_on_to_the_same_weights(finished, tmp_path, overlay):
    study, _ = finished
    words = [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path / 'c'}"]
    overlays = [ABLATIONS / f"{overlay}.yaml"] if overlay else []

    def go(stop_after: int | None, run: str = "run") -> None:
        experiment = load_experiment([study.nets[1], *overlays], words)
        experiment.datamodule.reporter = QUIET

        def on_epoch(done: int, _: str) -> None:
            if done == stop_after:
                raise RuntimeError("killed")

        train(experiment, tmp_path / run, name="unet3d", on_epoch=on_epoch)

    # the report of epoch 2 comes before its checkpoint, so one whole epoch is on disk and one is lost
    with pytest.raises(RuntimeError, match="killed"):
        go(2)
    assert [p.name for p in (tmp_path / "run" / "checkpoints").glob("*.ckpt")] == ["epoch-00000.ckpt"]
    go(None)
    undisturbed = study.out / "fold1" / "unet3d"
    if overlay:
        go(None, "undisturbed")
        plain, undisturbed = undisturbed, tmp_path / "undisturbed"
        assert not equal(weights(plain / "model"), weights(undisturbed / "model"))
    assert equal(weights(tmp_path / "run" / "model"), weights(undisturbed / "model"))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["resumed_from"] == "epoch-00000.ckpt"
    assert pd.read_csv(tmp_path / "run" / "metrics.csv")["epoch"].tolist() == [0, 1]


def test_a_checkpoint_loads_safely_and_describes_network_and_preprocessing(finished):
    from avnnet.inference.model_folder import KNOWN
    from avnnet.recipe import build

    study, _ = finished
    content = torch.load(study.out / "fold0" / "unet3d" / "checkpoints" / "epoch-00001.ckpt", weights_only=True)
    net = build(content["avnnet"]["net"], KNOWN)
    net.load_state_dict({k.removeprefix("net."): v for k, v in content["state_dict"].items() if k.startswith("net.")})
    assert build(content["avnnet"]["preprocess"], KNOWN).crop == [16, 18, 18]
    assert equal(net.state_dict(), weights(study.out / "fold0" / "unet3d" / "model"))


def test_a_run_folder_of_another_config_is_refused(finished, tmp_path):
    study, _ = finished
    folder = shutil.copytree(study.out / "fold0" / "unet3d", tmp_path / "run")
    words = [f"--data.cohort={study.cohort}", "--data.folds=2", f"--data.cache={tmp_path}", "--data.batch_size=3"]
    experiment = load_experiment([study.nets[1]], words)
    with pytest.raises(CheckpointMismatch, match=r"config: data\.batch_size was 2, is 3; choose another"):
        train(experiment, folder, name="unet3d", on_epoch=lambda *_: None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("config", r"data\.batch_size was 2, is 3; choose another"),
        ("mask", "have changed"),
        ("folds", "has 2 folds"),
        ("nets", "networks was"),
        ("margins", "before the data are seen"),
    ],
)
def test_finished_folds_of_another_study_are_not_mixed_in(finished, cohort, tmp_path, monkeypatch, change, words):
    study, _ = finished
    monkeypatch.setattr(one_fold, "train", lambda *_, **__: pytest.fail("training began"))
    other = {"out": shutil.copytree(study.out, tmp_path / "s")}
    if change == "config":
        other["overrides"] = ["--data.batch_size=3"]
    elif change == "folds":
        other["folds"] = 3
    elif change == "nets":
        other["nets"] = study.nets[:1]
    elif change == "margins":
        other["margins"] = {"necrosis_percent": 4.0}
    else:
        shutil.copytree(cohort.root, tmp_path / "hips")
        labels = read_labels(cohort.cases[0].label)
        array = labels.array.copy()
        array[np.nonzero(array)[0][0]] = 0
        write_image(LabelMap(array, labels.grid), tmp_path / "hips" / "labels" / cohort.cases[0].label.name)
        other["cohort"] = tmp_path / "hips" / "cohort.csv"
    with pytest.raises((CheckpointMismatch, InvalidSplit), match=words):
        run_study(replace(study, **other), QUIET)
