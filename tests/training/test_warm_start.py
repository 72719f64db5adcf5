"""`avnnet fit --from MODEL`: the layers that fit, and a resume that does not start there again."""

import json
import shutil

import pytest
import torch

from avnnet.cli import main
from avnnet.errors import CheckpointMismatch, ModelMismatch
from avnnet.inference.model_folder import load_model
from avnnet.models import UNet2D, UNet3D
from avnnet.progress import Reporter
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train
from avnnet.training.warm_start import start_from
from tests.training.test_resume import equal, weights


@pytest.fixture
def run3d(finished):
    study, _ = finished
    return study.out / "fold0" / "unet3d" / "model"


def test_a_network_of_the_same_layers_takes_all_of_them(run3d):
    net = UNet3D([4, 8], [[2, 2, 2]])
    state = torch.get_rng_state()
    start = start_from(net, run3d)
    assert torch.equal(torch.get_rng_state(), state)
    assert start.left == ()
    assert equal(net.state_dict(), weights(run3d))


@pytest.mark.parametrize(
    ("change", "left"), [({"classes": 5}, {"heads.0.weight", "heads.0.bias"}), ({"in_channels": 2}, None)]
)
def test_of_other_classes_or_channels_only_the_layers_at_that_end_are_new_and_named(run3d, change, left):
    net = UNet3D([4, 8], [[2, 2, 2]], **change)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    start = start_from(net, run3d)
    new = {line.partition(" ")[0] for line in start.left}
    assert len(new) == (1 if left is None else 2)
    assert left is None or new == left
    assert all(name in start.summary() for name in new)
    given = weights(run3d)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name] if name in new else given[name])


def test_of_a_study_s_networks_one_of_the_same_dimensions_is_taken_and_all_their_images_are_known(finished):
    study, _ = finished
    start = start_from(UNet2D([4, 8], [[2, 2]]), study.out / "model")
    assert start.network == "unet2d"
    seen = {one for member in load_model(study.out / "model").members for one in member.trained_on}
    assert set(start.trained_on) == seen


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (UNet2D([4, 8], [[2, 2]]), "have 3 dimensions, the config's has 2.*Give a model of 2 dimensions"),
        (UNet3D([6, 12], [[2, 2, 2]]), "no layer of its UNet3D fits.*take the channels"),
    ],
)
def test_c14_a_start_of_other_dimensions_or_of_no_fitting_layer_is_refused(run3d, net, said):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(ModelMismatch, match=said):
        start_from(net, run3d)
    assert equal(net.state_dict(), before)


def test_a_training_from_a_model_goes_on_without_starting_there_again(finished, run3d, tmp_path):
    study, _ = finished
    words = [f"--data.cohort={study.cohort}", "--data.fold=1", "--data.folds=2", f"--data.cache={tmp_path / 'c'}"]
    start = shutil.copytree(run3d, tmp_path / "start")
    said: list[str] = []

    def go(run: str, start, stop_after: int | None = None):
        experiment = load_experiment([study.nets[1]], words)
        reporter = experiment.datamodule.reporter = Reporter(is_quiet=True)
        reporter.say = said.append

        def on_epoch(done: int, _: str) -> None:
            if done == stop_after:
                raise RuntimeError("killed")

        return train(experiment, tmp_path / run, name="unet3d", on_epoch=on_epoch, start=start)

    with pytest.raises(RuntimeError, match="killed"):
        go("early", start, stop_after=1)
    with pytest.raises(CheckpointMismatch, match="no whole epoch yet; give --from"):
        go("early", None)
    with pytest.raises(RuntimeError, match="killed"):
        go("run", start, stop_after=2)
    with pytest.raises(CheckpointMismatch, match="begun from another model"):
        go("run", study.out / "model")
    shutil.rmtree(start)
    member = go("run", start)  # the same command, although the model is gone
    go("whole", run3d)
    assert equal(weights(tmp_path / "run" / "model"), weights(tmp_path / "whole" / "model"))
    undisturbed = study.out / "fold1" / "unet3d"
    assert not equal(weights(undisturbed / "model"), weights(tmp_path / "run" / "model"))

    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert "tensors fit" in record["started_from"]
    assert record["resumed_from"] == "epoch-00000.ckpt"
    # the model of before was trained on the other half of the cohort, which is held out here
    assert len(set(member.trained_on)) == 6
    assert any("3 of 3 held-out images were in that model's training" in line for line in said)
    shutil.copytree(undisturbed, tmp_path / "other")
    with pytest.raises(CheckpointMismatch, match="begun from random weights"):
        go("other", run3d)


def test_from_a_model_of_slices_ends_fit_on_volumes_at_once(finished, tmp_path, capsys):
    study, _ = finished
    words = ["fit", "-c", str(study.nets[1]), f"--data.cohort={study.cohort}", f"--data.cache={tmp_path / 'c'}"]
    words += [f"--trainer.default_root_dir={tmp_path / 'run'}", "--from"]
    assert main([*words, str(study.out / "fold0" / "unet2d" / "model")]) == 2
    assert "have 2 dimensions, the config's has 3" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "none")]) == 2
    assert "no model in" in capsys.readouterr().err
    assert main([*words]) == 2
    assert "--from needs a value" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
    assert not (tmp_path / "run").exists()
