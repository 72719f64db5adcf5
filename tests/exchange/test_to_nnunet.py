"""A model as a results folder of nnU-Net; that nnU-Net runs it is shown by benchmarks/oracle/nnunet_exchange.py."""

import json
from functools import partial

import pytest
import torch

from avnnet.cli import main
from avnnet.data.normalise import FixedWindow, HistogramScale, PercentileScale
from avnnet.errors import InvalidConfig, NotCarried, OutputNotWritable
from avnnet.exchange import export_nnunet
from avnnet.exchange.axes import axes_of, checked_code, stored_as
from avnnet.exchange.names import load_nnunet, to_nnunet
from avnnet.exchange.plans import plans_of
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import HIP
from avnnet.models import ConvBlock, NestedRegions, UNet3D
from tests.exchange.conftest import NETS, drawn

NAME = "Dataset501_Hips"
FULLRES = "nnUNetTrainer__nnUNetPlans__3d_fullres"


@pytest.mark.parametrize("kind", NETS)
def test_weights_go_there_and_back_without_a_change(kind):
    net = drawn(kind)
    weights = to_nnunet(net)
    full = type(net)(**{**_arguments(net), "deep_supervision": len(net.channels) - 1})
    load_nnunet(full, weights)
    for name, value in net.state_dict().items():
        assert torch.equal(full.state_dict()[name], value)


def _arguments(net):
    names = ("channels", "strides", "kernels", "in_channels", "classes", "convs")
    return {name: getattr(net, name) for name in names} | ({"blocks": net.blocks} if hasattr(net, "blocks") else {})


def test_every_layer_stands_where_nnunet_looks_for_it():
    weights = to_nnunet(drawn("plain3d"))
    # as of PlainConvUNet of dynamic-network-architectures 0.4.4
    assert torch.equal(
        weights["encoder.stages.0.0.convs.0.conv.weight"], drawn("plain3d").encoder.stages[0].layers[0].weight
    )
    for twin in ("encoder.stages.0.0.convs.0.all_modules.0.weight", "decoder.encoder.stages.0.0.convs.0.conv.weight"):
        assert torch.equal(weights[twin], weights["encoder.stages.0.0.convs.0.conv.weight"])
    assert {"decoder.transpconvs.1.bias", "decoder.seg_layers.0.weight", "decoder.seg_layers.1.weight"} <= set(weights)
    assert "encoder.stages.1.blocks.0.skip.1.conv.weight" in to_nnunet(drawn("residual3d"))


def test_the_command_writes_what_the_predictor_of_nnunet_opens(tmp_path, model_of, capsys):
    save_model(model_of("plain3d", folds=2, mirror_axes=[0, 2]), tmp_path / "model")
    out = tmp_path / NAME
    assert main(["export", "model", str(tmp_path / "model"), "--format", "nnunet", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "nnUNetv2_predict_from_modelfolder" in said.out + said.err
    assert "LPS" in said.out + said.err
    content = torch.load(out / FULLRES / "fold_1/checkpoint_final.pth", weights_only=True)
    assert content["inference_allowed_mirroring_axes"] == (0, 2)
    assert (content["trainer_name"], content["init_args"]["configuration"]) == ("nnUNetTrainer", "3d_fullres")
    plans = json.loads((out / FULLRES / "plans.json").read_text())
    assert plans == content["init_args"]["plans"]
    assert plans["configurations"]["3d_fullres"]["normalization_schemes"] == ["ZScoreNormalization"]
    labels = json.loads((out / FULLRES / "dataset.json").read_text())["labels"]
    assert labels == {"background": 0, "vital": 1, "necrosis": 2}


def test_a_network_on_slices_is_nnunets_2d_with_axes_in_the_slice(tmp_path, model_of):
    remarks = export_nnunet(model_of("plain2d", mirror_axes=[1, 2]), tmp_path / NAME)
    folder = tmp_path / NAME / "nnUNetTrainer__nnUNetPlans__2d"
    plan = json.loads((folder / "plans.json").read_text())["configurations"]["2d"]
    assert (plan["patch_size"], plan["spacing"]) == ([16, 16], [1.0, 1.0])
    content = torch.load(folder / "fold_0/checkpoint_final.pth", weights_only=True)
    assert content["inference_allowed_mirroring_axes"] == (0, 1)
    assert any("spacing across slices" in text for text in remarks)


def test_what_nnunet_does_otherwise_is_said(tmp_path, model_of):
    clipped = export_nnunet(model_of("plain3d", clip_percentiles=[0.5, 99.5]), tmp_path / NAME)
    assert any("clips intensities" in text for text in clipped)
    alike = export_nnunet(model_of("plain3d", mirror_axes=[0, 1, 2]), tmp_path / "Dataset502_Hips")
    assert not any("clips" in text or "mirrored" in text or "cleaned" in text for text in alike)
    model = model_of("plain3d")
    model.cleaning = Cleaning(("largest_piece",))
    cleaned = export_nnunet(model, tmp_path / "Dataset503_Hips")
    assert any("not cleaned by largest_piece" in text for text in cleaned)


@pytest.mark.parametrize(
    ("own", "scheme", "mean"),
    [(None, "ZScoreNormalization", 0), (PercentileScale((0, 100)), "RescaleTo01Normalization", 0),
     (FixedWindow(-100, 300, 90, 60), "CTNormalization", 90)],
)  # fmt: skip
def test_a_normalisation_that_nnunet_has_gets_its_name(model_of, own, scheme, mean):
    given = {} if own is None else {"normalise": own, "clip_percentiles": (0.5, 99.5)}
    plans = plans_of(model_of("plain3d", **given).members[0], NAME)
    assert plans["configurations"]["3d_fullres"]["normalization_schemes"] == [scheme]
    assert plans["foreground_intensity_properties_per_channel"]["0"]["mean"] == mean


def other(net):
    return lambda model: Segmenter([Member(net(), one.preprocess, one.tiling, one.name) for one in model.members], HIP)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other(lambda: UNet3D([2, 4], [[2, 2, 2]], block=partial(ConvBlock, dropout=0.2))), "by default"),
        (
            other(lambda: NestedRegions(partial(UNet3D, channels=[2, 4], strides=[[2, 2, 2]], classes=2))),
            "NestedRegions",
        ),
    ],
)
def test_a_network_that_nnunet_does_not_have_is_refused(tmp_path, model_of, change, said):
    with pytest.raises(NotCarried, match=said):
        export_nnunet(change(model_of("plain3d")), tmp_path / NAME)
    assert not (tmp_path / NAME).exists()


def test_a_head_centred_crop_is_refused_with_the_reason_and_written_on_request(tmp_path, model_of):
    model = model_of("plain3d", crop=[8, 8, 8])
    with pytest.raises(NotCarried, match=r"no centres.*--uncropped"):
        export_nnunet(model, tmp_path / NAME)
    export_nnunet(model, tmp_path / NAME, is_uncropped=True)
    assert (tmp_path / NAME / FULLRES / "plans.json").exists()


def test_two_configurations_of_one_kind_are_written_apart(tmp_path, model_of):
    both = Segmenter([*model_of("plain3d").members, *model_of("residual3d").members], HIP)
    with pytest.raises(NotCarried, match="--only plain3d"):
        export_nnunet(both, tmp_path / NAME)
    export_nnunet(both, tmp_path / NAME, only="residual3d")
    with pytest.raises(NotCarried, match="no network 'unet'"):
        export_nnunet(both, tmp_path / "Dataset502_Hips", only="unet")


def test_folds_that_see_other_voxels_are_refused(tmp_path, model_of):
    mixed = Segmenter([*model_of("plain3d").members, *model_of("plain3d", first_axis="left").members], HIP)
    with pytest.raises(NotCarried, match="preprocess"):
        export_nnunet(mixed, tmp_path / NAME)


def test_a_normalisation_that_nnunet_lacks_is_refused(tmp_path, model_of):
    model = model_of("plain3d", normalise=HistogramScale(), clip_percentiles=(0.5, 99.5))
    with pytest.raises(NotCarried, match="HistogramScale"):
        export_nnunet(model, tmp_path / NAME)


def test_nothing_is_written_over_and_the_name_is_nnunets(tmp_path, model_of):
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "mine").touch()
    with pytest.raises(OutputNotWritable):
        export_nnunet(model_of("plain3d"), tmp_path / NAME)
    with pytest.raises(InvalidConfig):
        export_nnunet(model_of("plain3d"), tmp_path / "results")


@pytest.mark.parametrize("first_axis", ["superior", "posterior", "left"])
@pytest.mark.parametrize("reversed_axes", [[], [0], [1, 2], [0, 1, 2]])
def test_a_code_of_stored_files_leads_back_to_the_axes_that_it_came_from(first_axis, reversed_axes):
    transpose = {"superior": [0, 1, 2], "posterior": [1, 0, 2], "left": [2, 0, 1]}[first_axis]
    assert axes_of(transpose, stored_as(first_axis, reversed_axes)) == (first_axis, reversed_axes)


def test_a_code_that_names_a_direction_twice_is_refused():
    with pytest.raises(InvalidConfig, match="'RLS'"):
        checked_code("RLS")
    with pytest.raises(NotCarried, match="order"):
        axes_of([2, 1, 0], "LPS")
