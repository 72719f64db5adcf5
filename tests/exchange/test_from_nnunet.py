"""A results folder of nnU-Net as a model: what comes over, and what is refused by its name before anything is run."""

import json
import os

import numpy as np
import pytest
import torch

from avnnet.cli import main
from avnnet.data.normalise import FixedWindow
from avnnet.errors import (
    CheckpointCorrupt,
    InvalidConfig,
    InvalidResults,
    MissingFile,
    NotCarried,
    UnsafeCheckpoint,
)
from avnnet.exchange import ImportPlan, export_nnunet, import_nnunet
from avnnet.inference.model_folder import load_model
from tests.conftest import ORDERS, reordered
from tests.exchange.conftest import NETS

FULLRES = "nnUNetTrainer__nnUNetPlans__3d_fullres"


@pytest.fixture
def results(tmp_path, model_of):
    """A results folder of two folds, mirrored along every axis."""
    export_nnunet(model_of("plain3d", folds=2, mirror_axes=[0, 1, 2]), tmp_path / "Dataset501_Hips")
    return tmp_path / "Dataset501_Hips" / FULLRES


def changed(folder, name, change):
    """The folder with a change to `plans.json` or `dataset.json`."""
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    return folder


def configuration(content):
    return content["configurations"]["3d_fullres"]


def resaved(folder, **changes):
    path = folder / "fold_0/checkpoint_final.pth"
    torch.save({**torch.load(path, weights_only=True), **changes}, path)
    return folder


@pytest.mark.parametrize("kind", NETS)
def test_a_model_that_went_to_nnunet_comes_back_with_the_same_softmax(tmp_path, model_of, image, kind):
    model = model_of(kind, folds=2)
    export_nnunet(model, tmp_path / "Dataset501_Hips")
    again = import_nnunet([tmp_path / "Dataset501_Hips"], ImportPlan("LPS", whole="head"))
    if model.members[0].net.in_channels == 2:
        image = type(image)(np.stack([image.array, image.array[::-1]]), image.grid)
    assert again.scheme == model.scheme
    before, after = model.predict(image), again.predict(image)
    assert np.allclose(before.probabilities.values, after.probabilities.values, atol=1e-6)


@pytest.mark.parametrize(("kind", "axes"), [("plain3d", [0, 2]), ("residual2d", [1, 2])])
def test_mirror_images_are_averaged_as_logits_as_nnunet_does(tmp_path, model_of, image, kind, axes):
    export_nnunet(model_of(kind, mirror_axes=axes), tmp_path / "Dataset501_Hips")
    member = import_nnunet([tmp_path / "Dataset501_Hips"], ImportPlan("LPS")).members[0]
    prepared = member.preprocess.prepare(image)
    x = prepared.image[None] if member.net.ndim == 3 else prepared.image.movedim(1, 0)
    dims = [axis + 2 - (3 - member.net.ndim) for axis in axes]
    flips = [[], [dims[0]], [dims[1]], dims]
    with torch.inference_mode():
        logits = torch.stack([member.net(x.flip(one)).flip(one) for one in flips]).mean(dim=0)
    expected = (logits[0] if member.net.ndim == 3 else logits.movedim(0, 1)).softmax(dim=0)
    assert torch.allclose(member.probabilities(prepared), expected, atol=1e-6)


def test_the_command_writes_a_model_folder_and_nothing_over_another(results, tmp_path, image, capsys):
    out = tmp_path / "model"
    words = ["import", "nnunet", str(results), "--out", str(out)]
    assert main(words) == 0
    assert load_model(out).predict(image).labels.grid == image.grid
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main(words) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in out.iterdir()}


def test_a_network_trained_on_files_of_another_order_sees_every_file_in_that_order(tmp_path, model_of, image):
    export_nnunet(model_of("plain3d"), tmp_path / "Dataset501_Hips")
    model = import_nnunet([tmp_path / "Dataset501_Hips"], ImportPlan("RAS"))
    net = model.members[0].net
    ras = reordered(image, (0, 1, 2), (False, True, True))  # stored as nnU-Net saw it
    z = (ras.array - ras.array.mean()) / ras.array.std(ddof=1)
    with torch.inference_mode():
        expected = net(torch.from_numpy(np.ascontiguousarray(z))[None, None].float())[0].argmax(0).numpy()
    assert np.array_equal(model.predict(ras).labels.array, expected)
    for axes, flips in ORDERS[::7]:
        other = reordered(ras, axes, flips)
        assert model.predict(other).labels.array.sum() == expected.sum()


def test_numbers_of_numpy_in_the_log_of_a_training_do_not_matter(results):
    logged = {"train_losses": [np.float32(1.5), np.float64(0.5)], "epoch": np.int64(3)}
    resaved(results, logging=logged, _best_ema=np.float64(0.9), optimizer_state={"state": {}})
    assert len(import_nnunet([results]).members) == 2


def test_ct_is_normalised_by_the_numbers_of_the_plans(tmp_path, model_of):
    window = FixedWindow(-50, 400, 120, 80)
    model = model_of("plain3d", mirror_axes=[0, 1, 2], normalise=window, clip_percentiles=(0.5, 99.5))
    export_nnunet(model, tmp_path / "Dataset501_Hips")
    got = import_nnunet([tmp_path / "Dataset501_Hips"]).members[0].preprocess.normalise
    assert vars(got) == vars(window)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_checkpoint_that_would_run_code_is_refused_and_runs_none(results, tmp_path, capsys):
    resaved(results, logging=Bomb(tmp_path / "was run"))
    with pytest.raises(UnsafeCheckpoint, match="mkdir"):
        import_nnunet([results])
    assert main(["import", "nnunet", str(results), "--out", str(tmp_path / "model")]) == 2
    assert "UnsafeCheckpoint" in capsys.readouterr().err
    assert not (tmp_path / "was run").exists()
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_checkpoint_is_refused(results, share):
    path = results / "fold_1/checkpoint_final.pth"
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises((CheckpointCorrupt, UnsafeCheckpoint), match=r"checkpoint_final\.pth"):
        import_nnunet([results])


PLANS = [
    (lambda plans: plans.pop("configurations"), InvalidResults, "configurations"),
    (lambda plans: plans.update(plans_per_stage={}) or plans.pop("transpose_forward"), InvalidResults, "version 1"),
    (lambda plans: configuration(plans).pop("architecture"), InvalidResults, r"2\.4"),
    (lambda plans: configuration(plans).update(previous_stage="3d_lowres"), NotCarried, "cascade"),
    (lambda plans: configuration(plans).update(inherits_from="3d_fullres"), InvalidResults, "inherits from itself"),
    (lambda plans: configuration(plans).update(inherits_from="../../x"), InvalidResults, "no configuration"),
    (lambda plans: configuration(plans).update(use_mask_for_norm=[True]), NotCarried, "use_mask_for_norm"),
    (lambda plans: configuration(plans).update(normalization_schemes=["NoNormalization"]), NotCarried, "NoNormal"),
    (lambda plans: configuration(plans).update(normalization_schemes=["CTNormalization"] * 2), InvalidResults, "1 ch"),
    (lambda plans: configuration(plans).update(spacing="1"), InvalidResults, "spacing"),
    (lambda plans: plans.update(transpose_forward=[0, 0, 1]), NotCarried, "transpose_forward"),
    (lambda plans: plans.update(transpose_forward=[2, 1, 0]), NotCarried, "order"),
    (lambda plans: kwargs(plans).update(nonlin="torch.nn.ReLU"), NotCarried, "nonlin"),
    (lambda plans: kwargs(plans).update(norm_op="torch.nn.BatchNorm3d"), NotCarried, "norm_op"),
    (lambda plans: kwargs(plans).update(dropout_op="torch.nn.Dropout3d"), NotCarried, "dropout_op"),
    (lambda plans: kwargs(plans).update(squeeze_excitation=True), NotCarried, "squeeze_excitation"),
    (lambda plans: kwargs(plans).update(n_conv_per_stage_decoder=[1, 1]), NotCarried, "as many convolutions"),
    (lambda plans: kwargs(plans).update(features_per_stage=[4, 8, 16]), NotCarried, "promises"),
    (lambda plans: kwargs(plans).update(features_per_stage=[4, 8, 10**9]), InvalidConfig, "4096"),
    (lambda plans: kwargs(plans).pop("strides"), InvalidResults, "strides"),
    (lambda plans: kwargs(plans)["kernel_sizes"].__setitem__(1, 3), NotCarried, "a list per stage"),
    (lambda plans: kwargs(plans)["strides"].__setitem__(1, 2.5), NotCarried, "a list per stage"),
    (lambda plans: architecture(plans).update(network_class_name="os.system"), NotCarried, r"os\.system"),
]


def architecture(content):
    return configuration(content)["architecture"]


def kwargs(content):
    return architecture(content)["arch_kwargs"]


@pytest.mark.parametrize(("change", "error", "said"), PLANS)
def test_plans_that_avnnet_cannot_follow_are_refused_by_what_they_hold(results, change, error, said):
    with pytest.raises(error, match=said):
        import_nnunet([changed(results, "plans.json", change)])


DATASETS = [
    (lambda dataset: dataset.pop("labels"), InvalidResults, "labels"),
    (lambda dataset: dataset.pop("channel_names"), InvalidResults, "channel_names"),
    (lambda dataset: dataset["labels"].pop("background"), InvalidResults, "background"),
    (lambda dataset: dataset["labels"].update(necrosis=7), NotCarried, "without gaps"),
    (lambda dataset: dataset["labels"].update(necrosis="two"), NotCarried, "without gaps"),
    (lambda dataset: dataset["labels"].update(vital=[1, 2]), NotCarried, "region"),
    (lambda dataset: dataset["labels"].update(bone=3), NotCarried, "promises"),
    (lambda dataset: dataset["channel_names"].update({"1": "T2"}), NotCarried, "promises"),
]


@pytest.mark.parametrize(("change", "error", "said"), DATASETS)
def test_a_dataset_json_that_fits_no_model_is_refused(results, change, error, said):
    with pytest.raises((error, InvalidResults), match=f"{said}|for 2 channel"):
        import_nnunet([changed(results, "dataset.json", change)])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"labels": NaN}', "[" * 100_000])
def test_broken_json_is_refused(results, text):
    (results / "dataset.json").write_text(text)
    with pytest.raises(InvalidResults, match=r"dataset\.json"):
        import_nnunet([results])


def test_a_trainer_of_ones_own_is_taken_only_on_request(results):
    resaved(results, trainer_name="nnUNetTrainerMine")
    with pytest.raises(NotCarried, match="--trainer nnUNetTrainerMine"):
        import_nnunet([results])
    assert len(import_nnunet([results], ImportPlan(trainer="nnUNetTrainerMine")).members) == 2


@pytest.mark.parametrize("name", ["nnUNetTrainer_250epochs", "nnUNetTrainerNoMirroring", "nnUNetTrainer_5epochs"])
def test_nnunets_own_trainers_that_keep_the_network_are_taken(results, name):
    assert len(import_nnunet([resaved(results, trainer_name=name)]).members) == 2


@pytest.mark.parametrize("name", ["nnUNetTrainerBN", "nnUNetTrainerUMambaBot", "aortaseg24"])
def test_a_trainer_of_another_network_is_not(results, name):
    with pytest.raises(NotCarried, match=name):
        import_nnunet([resaved(results, trainer_name=name)])


def test_a_checkpoint_without_its_parts_is_refused(results):
    with pytest.raises(InvalidResults, match="no names"):
        import_nnunet([resaved(results, network_weights=[1, 2])])
    torch.save({"state_dict": {}}, results / "fold_0/checkpoint_final.pth")
    with pytest.raises(InvalidResults, match="network_weights"):
        import_nnunet([results])


def test_weights_that_are_none_or_differ_from_their_twins_are_refused(results):
    path = results / "fold_0/checkpoint_final.pth"
    weights = torch.load(path, weights_only=True)["network_weights"]
    first = "encoder.stages.0.0.convs.0.conv.weight"
    twin = "encoder.stages.0.0.convs.0.all_modules.0.weight"
    for change, said in [
        ({first: torch.full_like(weights[first], torch.nan)}, "NaN"),
        ({twin: weights[twin] + 1}, "twice"),
        ({"encoder.extra": weights[twin]}, "no network of plans"),
    ]:
        with pytest.raises(NotCarried, match=said):
            import_nnunet([resaved(results, network_weights={**weights, **change})])


def test_without_every_mirror_the_order_of_the_files_is_asked_for(tmp_path, model_of):
    export_nnunet(model_of("plain3d", mirror_axes=[2]), tmp_path / "Dataset501_Hips")
    with pytest.raises(NotCarried, match="--stored-as RAS"):
        import_nnunet([tmp_path / "Dataset501_Hips"])


def test_a_folder_that_is_none_is_refused(tmp_path, results):
    with pytest.raises(MissingFile, match="no folder"):
        import_nnunet([tmp_path / "nowhere"])
    with pytest.raises(MissingFile, match="0 results folders"):
        import_nnunet([tmp_path])
    with pytest.raises(MissingFile, match="--checkpoint checkpoint_final"):
        import_nnunet([results], ImportPlan(checkpoint="checkpoint_best.pth"))
