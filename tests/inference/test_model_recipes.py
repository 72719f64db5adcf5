"""What a model.json promises is looked at before anything is built, even where its weights promise the same."""

import json
import struct
import tracemalloc

import pytest
import torch
from safetensors.torch import load_file, save_file

from avnnet.data.integrity import content_hash
from avnnet.errors import AvnnetError, CheckpointCorrupt, InvalidConfig, InvalidRecipe, ModelMismatch
from avnnet.inference.model_folder import RECIPE, load_model
from avnnet.inference.tiling import Tiling
from avnnet.inference.weights import MAX_HEADER_BYTES
from avnnet.models import ConvBlock, UNet2D, UNet3D
from avnnet.recipe import build, parse
from tests.inference.test_model_folder import content_of, folder, sign, weights_of  # noqa: F401  # a fixture


def agreed(place, change, tensors=None) -> None:
    """Changes the first member in model.json and in its weights alike, as somebody would who edits on purpose."""
    content, path = content_of(place), weights_of(place)
    entry = content["members"][0]
    change(entry)
    recipe = {key: value for key, value in entry.items() if key not in ("weights", "sha256")}
    metadata = {RECIPE: json.dumps({"scheme": content["scheme"], **recipe})}
    save_file(load_file(path) if tensors is None else tensors, path, metadata=metadata)
    entry["sha256"] = content_hash(path)
    (place / "model.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"channels": [30_000, 30_000]}, "every stage's channels is a whole number from 1 to 4096; found 30000"),
        ({"channels": [4096, 4096], "kernels": [[31, 31]] * 2}, "a network has at most .* weights"),
        ({"channels": [-4, 8]}, "every stage's channels .* found -4"),
        ({"channels": [4.5, 8]}, r"every stage's channels .* found 4\.5"),
        ({"strides": [[-1, 2]]}, "every stride is a whole number from 1 to 16; found -1"),
        ({"strides": [[0, 2]]}, "every stride .* found 0"),
        ({"kernels": [[3, 3], [2, 3]]}, "every kernel size is odd; found 2"),
        ({"convs": 10**9}, "convs is a whole number from 1 to 32"),
        ({"classes": -3}, "classes is a whole number from 1 to 256; found -3"),
        ({"in_channels": 10**12}, "in_channels is a whole number"),
        ({"strides": 3}, "cannot build UNet2D"),
        ({"channels": [4] * 4000, "strides": [[1, 1]] * 3999}, "the number of stages is a whole number from 1 to 16"),
    ],
)
def test_a_network_that_no_one_would_build_is_named_before_a_layer_is_made(folder, arguments, words):  # noqa: F811
    agreed(folder, lambda entry: entry["net"]["args"].update(arguments))
    tracemalloc.start()
    before = torch.get_rng_state()
    with pytest.raises(AvnnetError, match=words) as caught:
        load_model(folder)
    assert isinstance(caught.value, InvalidConfig | InvalidRecipe)
    assert torch.equal(torch.get_rng_state(), before)  # a layer draws its first weights
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({"patch": [8, -1, 8]}, "three sizes"), ({"mirror_axes": list(range(60))}, "mirror_axes are some of"),
     ({"batch": 0}, "batch is at least 1")],
)  # fmt: skip
def test_a_tiling_that_never_ends_is_refused(folder, arguments, words):  # noqa: F811
    agreed(folder, lambda entry: entry["tiling"]["args"].update(arguments))
    with pytest.raises(InvalidConfig, match=words):
        load_model(folder)
    assert Tiling([4, 4, 4], mirror_axes=[2, 0]).flips()[-1] == (2, 0)


@pytest.mark.parametrize("planned", ["1e999", "-Infinity", "NaN", "-3", "1.5", '"ten"', "1" * 5000, "[]", "10001"])
def test_a_number_of_planned_networks_that_is_none_is_refused(folder, planned):  # noqa: F811
    text = (folder / "model.json").read_text()
    assert text.count('"planned": 2') == 1
    (folder / "model.json").write_text(text.replace('"planned": 2', f'"planned": {planned}'))
    with pytest.raises(InvalidRecipe):
        load_model(folder)


@pytest.mark.parametrize("depth", [33, 900, 200_000])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_json_nested_too_deep_is_named(folder, depth, brackets):  # noqa: F811
    opening, closing = ("[", "]") if brackets == "[]" else ('{"a":', "}")
    text = opening * depth + "1" + closing * depth
    with pytest.raises(InvalidRecipe, match="nested too deep"):
        parse(text)
    (folder / "model.json").write_text('{"schema": 3, "scheme": ' + text + "}")
    with pytest.raises(InvalidRecipe, match="nested too deep"):
        load_model(folder)


def test_weights_whose_recipe_is_nested_too_deep_are_named(folder):  # noqa: F811
    path = weights_of(folder)
    save_file(load_file(path), path, metadata={RECIPE: "[" * 100_000})
    sign(folder)
    with pytest.raises(ModelMismatch, match="does not say what it was trained with"):
        load_model(folder)


def test_two_classes_of_one_name_are_refused_and_one_class_twice_is_not(folder):  # noqa: F811
    stranger = type("ConvBlock", (ConvBlock,), {})
    with pytest.raises(InvalidRecipe, match="two classes are called ConvBlock"):
        load_model(folder, classes=[stranger])
    assert len(load_model(folder, classes=[ConvBlock]).members) == 2


@pytest.mark.parametrize("value", [
    {"type": []}, {"type": "None"}, {"items": 3}, {"items": [[[], 1]]}, {"items": [[1, 2, 3]]},
    {"class": "UNet2D", "args": []}, {"class": "UNet2D", "args": {"channels": {}}}, {"class": {}, "args": {}},
    {"class": "UNet2D", "args": {"self": 1}},
])  # fmt: skip
def test_a_recipe_of_other_shapes_is_named(value):
    with pytest.raises(InvalidRecipe):
        build(value, [UNet2D])


def test_whatever_a_class_raises_of_its_arguments_is_named():
    class Picky:
        def __init__(self, number):
            self.number = {}[number]

    with pytest.raises(InvalidRecipe, match="cannot build Picky: 3"):
        build({"class": "Picky", "args": {"number": 3}}, [Picky])


@pytest.mark.parametrize("length", [0, 1, MAX_HEADER_BYTES + 1, 2**64 - 1])
def test_a_header_of_weights_longer_than_its_file_or_any_model_is_refused_unread(folder, length):  # noqa: F811
    path = weights_of(folder)
    with open(path, "r+b") as file:
        file.write(struct.pack("<Q", length))
        file.truncate(MAX_HEADER_BYTES + 100)  # sparse: it takes no room on the disk
    sign(folder)
    with pytest.raises(CheckpointCorrupt, match=f"with a header of {length}"):
        load_model(folder)


def test_weights_of_another_shape_are_refused_before_they_are_loaded(folder):  # noqa: F811
    large = {**load_file(weights_of(folder)), "heads.0.bias": torch.zeros(16 << 20)}
    agreed(folder, lambda entry: None, tensors=large)
    with pytest.raises(ModelMismatch, match=r"heads\.0\.bias"):
        load_model(folder)


@pytest.mark.parametrize("kind", [torch.complex64, torch.bool, torch.int64, torch.float8_e4m3fn])
def test_weights_of_another_type_are_named(folder, kind):  # noqa: F811
    spoilt = load_file(weights_of(folder))
    spoilt["heads.0.bias"] = spoilt["heads.0.bias"].to(kind)
    agreed(folder, lambda entry: None, tensors=spoilt)
    with pytest.raises(ModelMismatch, match=r"heads\.0\.bias"):
        load_model(folder)


def test_the_largest_networks_of_the_field_are_within_the_limits():
    # nnU-Net's widest 3D plan: 320 channels; built on no memory
    with torch.device("meta"):
        UNet3D([32, 64, 128, 256, 320, 320], [[2, 2, 2]] * 5, deep_supervision=4)
        UNet2D([32, 64, 128, 256, 512, 512, 512, 512], [[2, 2]] * 7)
