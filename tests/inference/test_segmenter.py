import numpy as np
import pytest

from avnnet.data.preprocess import Preprocess
from avnnet.errors import ModelMismatch
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.member import Member
from avnnet.inference.segmentation import flags_of
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, Side
from avnnet.models import UNet3D
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


def oracle(ndim: int) -> Segmenter:
    member = Member(Threshold(ndim), Preprocess(GRID.spacing, [12, 16, 16]), Tiling([12, 16, 16]), "oracle")
    return Segmenter([member], HIP)


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


def test_a_network_with_other_classes_than_the_scheme_is_refused():
    net = UNet3D([4, 8], [[2, 2, 2]], classes=2)
    with pytest.raises(ModelMismatch, match="2 classes"):
        Segmenter([Member(net, Preprocess([1.0] * 3), Tiling([4, 4, 4]), "two")], HIP)


def test_a_model_without_members_is_refused():
    with pytest.raises(ModelMismatch, match="at least one"):
        Segmenter([], HIP)
