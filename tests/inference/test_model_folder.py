"""Model folders: what is written is read back, and what was damaged, edited or mixed up is refused by name."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from avnnet.data.integrity import content_hash
from avnnet.data.preprocess import Preprocess
from avnnet.errors import CheckpointCorrupt, InvalidRecipe, MissingFile, ModelMismatch
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.member import Member
from avnnet.inference.model_folder import RECIPE, load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import ConvBlock, UNet2D, UNet3D

GRID = Grid((14, 20, 18), (2.0, 1.1, 1.3))


def scan() -> Image:
    return Image(np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32), GRID)


def model(planned: int = 0, datasets: tuple[str, str] = ("d", "d")) -> Segmenter:
    torch.manual_seed(0)
    preprocess = Preprocess([2.0, 1.0, 1.0], [8, 16, 16])
    nets = [("unet2d", UNet2D([4, 8], [[2, 2]])), ("unet3d", UNet3D([4, 8], [[2, 2, 2]]))]
    members = [
        Member(net, preprocess, Tiling([8, 16, 16]), name, ["image"], dataset)
        for (name, net), dataset in zip(nets, datasets, strict=True)
    ]
    return Segmenter(members, HIP, planned=planned)


@pytest.fixture
def folder(tmp_path):
    return save_model(model(), tmp_path / "m")


def content_of(folder) -> dict:
    return json.loads((folder / "model.json").read_text())


def weights_of(folder, number: int = 0):
    return folder / content_of(folder)["members"][number]["weights"]


def edit(folder, change) -> None:
    content = content_of(folder)
    change(content)
    (folder / "model.json").write_text(json.dumps(content))


def sign(folder) -> None:
    """Writes the checksums anew, as somebody would who edits on purpose."""

    def change(content):
        for entry in content["members"]:
            entry["sha256"] = content_hash(folder / entry["weights"])

    edit(folder, change)


def test_a_saved_model_predicts_the_same_after_loading(folder):
    before, after = (one.predict(scan()) for one in (model(), load_model(folder)))
    assert np.array_equal(before.probabilities.values, after.probabilities.values)
    assert after.networks == ("unet2d", "unet3d")


class Wider(ConvBlock):
    """A block of a user's own."""


def test_a_block_of_ones_own_must_be_handed_over(tmp_path):
    net = UNet3D([4, 8], [[2, 2, 2]], block=Wider)
    own = Segmenter([Member(net, Preprocess([1.0] * 3), Tiling([4, 4, 4]), "own")], HIP)
    save_model(own, tmp_path)
    with pytest.raises(InvalidRecipe, match="Wider"):
        load_model(tmp_path)
    assert isinstance(load_model(tmp_path, classes=[Wider]).members[0].net.encoder.stages[0], Wider)


def test_a_folder_without_a_model_says_where_models_come_from(tmp_path):
    with pytest.raises(MissingFile, match="OUT/model"):
        load_model(tmp_path)


def test_a_missing_weight_file_is_named(folder):
    weights_of(folder).unlink()
    with pytest.raises(MissingFile, match="00-unet2d"):
        load_model(folder)


@pytest.mark.parametrize("is_signed", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_c01_truncated_weights_are_refused(folder, share, is_signed):
    path = weights_of(folder)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    if is_signed:
        sign(folder)
    with pytest.raises(CheckpointCorrupt, match="00-unet2d"):
        load_model(folder)


def test_c01_one_flipped_bit_is_noticed(folder):
    path = weights_of(folder)
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)
    with pytest.raises(CheckpointCorrupt, match="checksum differs"):
        load_model(folder)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("net.channels", lambda c: c["members"][0]["net"]["args"].update(channels=[4, 9])),
        ("preprocess.spacing_mm", lambda c: c["members"][0]["preprocess"]["args"].update(spacing_mm=[1.0, 1.0, 1.0])),
        ("tiling.mirror_axes", lambda c: c["members"][0]["tiling"]["args"].update(mirror_axes=[2])),
        ("scheme.part", lambda c: c["scheme"]["args"].update(part="vital")),
        ("trained_on", lambda c: c["members"][0].update(trained_on=[])),
    ],
)
def test_c02_a_model_json_edited_by_hand_is_refused_with_the_field(folder, field, change):
    edit(folder, change)
    with pytest.raises(ModelMismatch, match=rf"{field} is .*the weights were trained with"):
        load_model(folder)


def test_c02_the_weights_of_another_member_are_refused(folder):
    def swap(content):
        first, second = content["members"]
        first["weights"], first["sha256"] = second["weights"], second["sha256"]

    edit(folder, swap)
    with pytest.raises(ModelMismatch, match=r"does not belong to 01-unet3d"):
        load_model(folder)


def respoiled(path, change) -> None:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata=metadata)


def test_c02_tensors_of_another_shape_are_named(folder):
    name = "heads.0.bias"
    respoiled(weights_of(folder), lambda tensors: tensors.update({name: torch.zeros(5)}))
    sign(folder)
    with pytest.raises(ModelMismatch, match=name):
        load_model(folder)


def test_c03_weights_that_are_not_finite_are_refused(folder):
    respoiled(weights_of(folder), lambda tensors: next(iter(tensors.values())).view(-1)[:1].fill_(float("nan")))
    sign(folder)
    with pytest.raises(ModelMismatch, match="NaN"):
        load_model(folder)


def test_c05_a_model_json_that_names_code_is_refused(folder):
    edit(folder, lambda c: c["members"][0].update(net={"class": "os.system", "args": {"command": "true"}}))
    with pytest.raises(ModelMismatch, match=r"net"):
        load_model(folder)
    recipe = content_of(folder)["members"][0]
    recipe = {key: value for key, value in recipe.items() if key not in ("weights", "sha256")}
    metadata = {RECIPE: json.dumps({"scheme": content_of(folder)["scheme"], **recipe}, sort_keys=True)}
    save_file(load_file(weights_of(folder)), weights_of(folder), metadata=metadata)
    sign(folder)
    with pytest.raises(InvalidRecipe, match=r"os\.system"):
        load_model(folder)


def test_c07_a_fold_that_stands_twice_is_refused(folder):
    edit(folder, lambda c: c["members"].append(c["members"][0]))
    with pytest.raises(ModelMismatch, match="the same network twice"):
        load_model(folder)


def test_c07_folds_of_two_cohorts_are_refused(tmp_path):
    folder = save_model(model(datasets=("one", "other")), tmp_path / "m")
    with pytest.raises(ModelMismatch, match="different cohorts"):
        load_model(folder)


def test_c07_a_model_of_an_unfinished_study_says_so(tmp_path):
    finished, unfinished = (load_model(save_model(model(n), tmp_path / str(n))).summary() for n in (2, 10))
    assert finished == "2 networks: 1 x unet2d, 1 x unet3d"
    assert unfinished.endswith("8 of 10 are lacking, their study is not finished")


def header(text: str, claimed: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if claimed is None else claimed) + text.encode()


def entries(count: int, dtype: str = "F32", end: int = 4) -> str:
    return json.dumps({f"t{n}": {"dtype": dtype, "shape": [1], "data_offsets": [0, end]} for n in range(count)})


@pytest.mark.parametrize(
    "data",
    [
        header("{}", claimed=1 << 40),
        header(entries(100_001)) + bytes(4),
        header(entries(2)) + bytes(4),
        header(entries(1, dtype="F33")) + bytes(4),
        header(entries(1, end=8)) + bytes(8),
        b"",
    ],
    ids=[
        "header longer than the file",
        "100,001 entries",
        "overlap",
        "unknown dtype",
        "size not the tensor's",
        "empty",
    ],
)
def test_c08_a_malformed_weight_file_is_refused_by_name(folder, data):
    weights_of(folder).write_bytes(data)
    sign(folder)
    with pytest.raises(CheckpointCorrupt, match="00-unet2d"):
        load_model(folder)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": 3}', '{"schema": 3, "scheme": 3, "members": []}', "\x00"])
def test_a_model_json_that_is_none_is_refused(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(InvalidRecipe, match=r"model\.json|not a recipe"):
        load_model(folder)


def test_a_model_of_another_schema_says_which_is_read(folder):
    edit(folder, lambda c: c.update(schema=1))
    with pytest.raises(InvalidRecipe, match="schema 1, this version reads 3"):
        load_model(folder)


def test_a_weight_path_cannot_leave_the_model_folder(folder):
    edit(folder, lambda c: c["members"][0].update(weights="../../secret.safetensors"))
    with pytest.raises(MissingFile, match=r"secret\.safetensors are missing"):
        load_model(folder)


SCHEMA_3 = Path(__file__).parent / "schema_3"
"""A model as avnnet wrote it before commit 972936d, and what that avnnet said of an image."""


def test_a_model_of_before_is_read_and_answers_as_it_did():
    model = load_model(SCHEMA_3)
    grid = Grid((8, 16, 16), (1.0, 1.0, 2.0))
    image = Image(np.random.default_rng(5).normal(size=grid.shape).astype(np.float32), grid)
    hip = model.predict(image, side="left", centre_mm=grid.to_lps((3.5, 7.5, 7.5)))
    said = np.load(SCHEMA_3 / "said.npz")
    assert np.allclose(hip.probabilities.values, said["p"], atol=1e-5)
    assert (hip.labels.array != said["labels"]).mean() < 1e-3
    assert (model.cleaning.steps, model.planned, model.fast) == (("largest_piece",), 4, None)
    assert model.locator.ensemble.members[0].name == "locator"


def test_a_model_of_before_is_written_as_one_of_now(tmp_path):
    save_model(load_model(SCHEMA_3), tmp_path)
    assert load_model(tmp_path).summary() == load_model(SCHEMA_3).summary()
