import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidRecipe, MissingFile, ModelMismatch
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.member import Member
from avnnet.inference.segmentation import flags_of
from avnnet.inference.segmenter import Segmenter, load_model, save_model
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, Side
from avnnet.models import ConvBlock, UNet2D, UNet3D
from tests.conftest import ORDERS, reordered
from tests.inference.conftest import Threshold

GRID = Grid((14, 20, 18), (2.0, 1.1, 1.3), (5.0, 6.0, 7.0))
CENTRE_MM = tuple(GRID.to_lps((6.2, 9.3, 8.8)))


def scan() -> Image:
    rng = np.random.default_rng(0)
    array = rng.normal(size=GRID.shape).astype(np.float32) * 0.05
    array[3:10, 5:14, 5:13] += 1
    array[5:8, 5:9, 5:9] += 1
    return Image(array, GRID)


def model() -> Segmenter:
    torch.manual_seed(0)
    preprocess = Preprocess([2.0, 1.0, 1.0], [8, 16, 16])
    nets = [("unet2d", UNet2D([4, 8], [[2, 2]])), ("unet3d", UNet3D([4, 8], [[2, 2, 2]]))]
    return Segmenter([Member(net, preprocess, Tiling([8, 16, 16]), name) for name, net in nets], HIP)


def oracle(ndim: int) -> Segmenter:
    member = Member(Threshold(ndim), Preprocess(GRID.spacing, [12, 16, 16]), Tiling([12, 16, 16]), "oracle")
    return Segmenter([member], HIP)


def test_a_saved_model_predicts_the_same_after_loading(tmp_path):
    before = model().predict(scan(), centre_mm=CENTRE_MM)
    after = load_model(save_model(model(), tmp_path / "m")).predict(scan(), centre_mm=CENTRE_MM)
    assert np.array_equal(before.probabilities.values, after.probabilities.values)
    assert after.provenance["networks"] == ["unet2d", "unet3d"]


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("side", [None, Side.LEFT])
def test_the_oracle_gives_the_same_mask_in_the_world_for_every_file_order(ndim, side):
    expected = oracle(ndim).predict(scan(), side=side, centre_mm=CENTRE_MM).labels
    assert (expected.array == 1).any()
    assert (expected.array == 2).any()
    for order in ORDERS[::3]:
        found = oracle(ndim).predict(reordered(scan(), *order), side=side, centre_mm=CENTRE_MM).labels
        assert np.array_equal(found.array, reordered(expected, *order).array)


def test_volumes_come_from_the_voxels_of_the_mask():
    segmentation = oracle(3).predict(scan(), centre_mm=CENTRE_MM)
    table = segmentation.volumes()
    voxels = int((segmentation.labels.array == 2).sum())
    assert table["necrosis_cm3"].item() == pytest.approx(voxels * GRID.voxel_mm3 / 1000)
    assert table["head_cm3"].item() == pytest.approx(table["vital_cm3"].item() + table["necrosis_cm3"].item())


def test_without_a_centre_the_whole_image_is_segmented():
    segmentation = oracle(3).predict(scan())
    assert segmentation.probabilities.values.shape[1:] == GRID.shape


def test_a_mask_is_saved_on_the_grid_of_the_scan(tmp_path):
    from avnnet.data.files import read_labels

    segmentation = oracle(3).predict(scan(), centre_mm=CENTRE_MM)
    back = read_labels(segmentation.save(tmp_path / "mask.nii.gz"))
    assert back.grid.is_close(GRID)
    assert np.array_equal(back.array, segmentation.labels.array)


def test_flags_tell_what_is_missing_or_cut():
    full = oracle(3).predict(scan())
    empty = LabelMap(np.zeros(GRID.shape, np.uint8), GRID)
    assert flags_of(empty, full.probabilities) == ("no_head",)
    edge = empty.array.copy()
    edge[0, 4, 4] = 1
    assert set(flags_of(LabelMap(edge, GRID), full.probabilities)) == {"fov_truncated", "no_necrosis"}
    cropped = oracle(3).predict(scan(), centre_mm=CENTRE_MM).probabilities
    border = empty.array.copy()
    border[6, 9, cropped.box[2].start] = 2
    assert "crop_touched" in flags_of(LabelMap(border, GRID), cropped)


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


def edited(tmp_path, change):
    folder = save_model(model(), tmp_path / "m")
    content = json.loads((folder / "model.json").read_text())
    change(folder, content)
    (folder / "model.json").write_text(json.dumps(content))
    return folder


def test_a_missing_weight_file_is_named(tmp_path):
    folder = edited(tmp_path, lambda f, c: (f / c["members"][0]["weights"]).unlink())
    with pytest.raises(MissingFile, match="00-unet2d"):
        load_model(folder)


def test_weights_of_another_network_are_refused(tmp_path):
    def swap(folder, content):
        content["members"][0]["weights"] = content["members"][1]["weights"]

    with pytest.raises(ModelMismatch, match="does not fit"):
        load_model(edited(tmp_path, swap))


def test_truncated_weights_are_refused(tmp_path):
    def cut(folder, content):
        path = folder / content["members"][0]["weights"]
        path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(ModelMismatch, match="cannot be read"):
        load_model(edited(tmp_path, cut))


def test_weights_that_are_not_finite_are_refused(tmp_path):
    def spoil(folder, content):
        path = folder / content["members"][0]["weights"]
        tensors = load_file(path)
        next(iter(tensors.values())).fill_(float("nan"))
        save_file(tensors, path)

    with pytest.raises(ModelMismatch, match="NaN"):
        load_model(edited(tmp_path, spoil))


def test_a_model_json_that_names_code_is_refused(tmp_path):
    def hack(folder, content):
        content["members"][0]["net"] = {"class": "os.system", "args": {"command": "true"}}

    with pytest.raises(InvalidRecipe, match=r"os\.system"):
        load_model(edited(tmp_path, hack))


def test_a_weight_path_cannot_leave_the_model_folder(tmp_path):
    def escape(folder, content):
        content["members"][0]["weights"] = "../../secret.safetensors"

    with pytest.raises(MissingFile, match=r"secret\.safetensors are missing"):
        load_model(edited(tmp_path, escape))


def test_a_network_with_other_classes_than_the_scheme_is_refused():
    net = UNet3D([4, 8], [[2, 2, 2]], classes=2)
    with pytest.raises(ModelMismatch, match="2 classes"):
        Segmenter([Member(net, Preprocess([1.0] * 3), Tiling([4, 4, 4]), "two")], HIP)


def test_a_model_without_members_is_refused():
    with pytest.raises(ModelMismatch, match="at least one"):
        Segmenter([], HIP)
