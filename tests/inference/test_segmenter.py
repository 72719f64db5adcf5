from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pytest

from avnnet.data.preprocess import Preprocess
from avnnet.data.softmax import Softmax
from avnnet.errors import InvalidConfig, ModelMismatch
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap, Source
from avnnet.inference.heads import FoundHead
from avnnet.inference.member import Member
from avnnet.inference.quality import mask_flags
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
    found = np.argwhere(segmentation.labels.array > 0)
    box = segmentation.probabilities.box  # of what was found; elsewhere is background
    assert (found.min(axis=0) > [one.start for one in box]).all()
    assert (found.max(axis=0) < [one.stop - 1 for one in box]).all()


def test_a_mask_is_saved_on_the_grid_of_the_scan(tmp_path):
    from avnnet.data.files import read_labels

    segmentation = oracle(3).predict(scan(), centre_mm=CENTRE_MM)
    back = read_labels(segmentation.save(tmp_path / "mask.nii.gz"))
    assert back.grid.is_close(GRID)
    assert np.array_equal(back.array, segmentation.labels.array)


def test_flags_tell_what_is_missing_or_cut():
    full = Softmax(np.zeros((3, *GRID.shape), np.float32), (0, 0, 0), GRID)
    empty = LabelMap(np.zeros(GRID.shape, np.uint8), GRID)
    assert mask_flags(empty, full) == ("no_head",)
    edge = empty.array.copy()
    edge[0, 4, 4] = 1
    assert set(mask_flags(LabelMap(edge, GRID), full)) == {"fov_truncated", "no_necrosis"}
    cropped = oracle(3).predict(scan(), centre_mm=CENTRE_MM).probabilities
    border = empty.array.copy()
    border[6, 9, cropped.box[2].start] = 2
    assert "crop_touched" in mask_flags(LabelMap(border, GRID), cropped)


def test_a_network_with_other_classes_than_the_scheme_is_refused():
    net = UNet3D([4, 8], [[2, 2, 2]], classes=2)
    with pytest.raises(ModelMismatch, match="2 classes"):
        Segmenter([Member(net, Preprocess([1.0] * 3), Tiling([4, 4, 4]), "two")], HIP)


def test_a_model_without_members_is_refused():
    with pytest.raises(ModelMismatch, match="at least one"):
        Segmenter([], HIP)


class Knows:
    """A locator that was told where the heads are."""

    def __init__(self, *heads: FoundHead) -> None:
        self.heads = list(heads)
        self.ensemble = SimpleNamespace(trained_on=set())

    def find(self, image: Image) -> list[FoundHead]:
        return self.heads


WIDE = Grid((14, 20, 80), (2.0, 1.1, 1.3), (-60.0, 6.0, 7.0))
RIGHT_MM, LEFT_MM = (tuple(WIDE.to_lps((6.2, 9.3, x)).tolist()) for x in (8.8, 70.8))


def both_hips() -> Image:
    """Two heads; only the right one has a brighter place."""
    array = np.random.default_rng(0).normal(size=WIDE.shape).astype(np.float32) * 0.05
    for start in (5, 67):
        array[3:10, 5:14, start : start + 8] += 1
    array[5:8, 5:9, 5:9] += 1
    return Image(array, WIDE)


def knowing(*heads: FoundHead) -> Segmenter:
    model = oracle(3)
    return Segmenter(model.members, HIP, locator=Knows(*heads))


def test_v12_both_hips_are_segmented_one_by_one_and_necrosis_stays_on_its_side():
    heads = FoundHead(RIGHT_MM, 8.0, Side.RIGHT), FoundHead(LEFT_MM, 8.0, Side.LEFT)
    right, left = knowing(*heads).hips(both_hips())
    assert [hip.side for hip in (right, left)] == ["right", "left"]
    assert right.volumes()["necrosis_cm3"].item() > 0.05
    assert left.volumes()["necrosis_cm3"].item() < 0.005
    for hip, centre_mm in ((right, RIGHT_MM), (left, LEFT_MM)):
        assert hip.centre_mm == pytest.approx(centre_mm)
        marked = WIDE.to_lps(np.argwhere(hip.labels.array > 0))
        assert np.abs(marked[:, 0] - centre_mm[0]).max() < 20


def test_only_the_hip_of_the_side_that_is_asked_for_is_segmented():
    heads = FoundHead(RIGHT_MM, 8.0, Side.RIGHT), FoundHead(LEFT_MM, 8.0, Side.LEFT)
    (only,) = knowing(*heads).hips(both_hips(), side="left")
    assert only.side == "left"


def test_v05_without_a_head_there_is_an_empty_segmentation_that_says_so():
    for side in (None, Side.LEFT):
        (only,) = knowing().hips(both_hips(), side=side)
        assert (only.side, only.is_found, only.flags) == (side, False, ("head_not_found",))
        assert not only.labels.array.any()
        assert only.probabilities.full()[0].min() == 1


def test_predict_finds_the_only_head_as_hips_does_and_asks_which_of_two():
    heads = FoundHead(RIGHT_MM, 8.0, Side.RIGHT), FoundHead(LEFT_MM, 8.0, Side.LEFT)
    one = knowing(heads[0]).predict(both_hips())
    (same,) = knowing(heads[0]).hips(both_hips())
    assert np.array_equal(one.labels.array, same.labels.array)
    assert (one.side, one.centre_mm, one.radius_mm, one.flags) == (same.side, same.centre_mm, 8.0, same.flags)
    with pytest.raises(InvalidConfig, match="this image holds 2"):
        knowing(*heads).predict(both_hips())
    assert knowing(*heads).predict(both_hips(), side="left").side == "left"


def test_the_place_and_side_of_a_segmentation_are_fields_that_cannot_be_changed():
    (hip,) = knowing(FoundHead(RIGHT_MM, 8.0, Side.RIGHT)).hips(both_hips())
    assert (hip.side, hip.centre_mm, hip.radius_mm, hip.networks) == (Side.RIGHT, RIGHT_MM, 8.0, ("oracle",))
    with pytest.raises(FrozenInstanceError):
        hip.side = Side.LEFT
    with pytest.raises(InvalidConfig, match="banana"):
        replace(hip, side="banana")


def test_each_configuration_alone_is_as_if_it_were_the_only_one():
    members = [*oracle(2).members, *oracle(3).members]
    members[0].name = "unet2d"
    (hip,) = Segmenter(members, HIP).hips(scan(), side="right", centre_mm=CENTRE_MM, by_network=True)
    assert list(hip.by_network) == ["unet2d", "oracle"]
    for member in members:
        alone = Segmenter([member], HIP).predict(scan(), side="right", centre_mm=CENTRE_MM)
        assert np.array_equal(hip.by_network[member.name].labels.array, alone.labels.array)
        assert hip.by_network[member.name].flags == alone.flags


@pytest.mark.parametrize(
    ("x_mm", "side", "is_doubted"),
    [(12.0, None, True), (12.0, "left", False), (12.0, "right", False),
     (95.0, "left", False), (95.0, "right", True), (-95.0, "right", False), (-95.0, "left", True)],
)  # fmt: skip
def test_a_centre_without_its_side_or_on_the_other_side_of_the_scanner_is_flagged(x_mm, side, is_doubted):
    image = scan()
    moved = Image(image.array, replace(GRID, origin=(GRID.origin[0] + x_mm - CENTRE_MM[0], *GRID.origin[1:])))
    hip = oracle(3).predict(moved, side=side, centre_mm=(x_mm, *CENTRE_MM[1:]))
    assert (Flag.SIDE_UNVERIFIED in hip.flags) is is_doubted


@pytest.mark.parametrize(("side", "is_doubted"), [(None, True), ("left", False), ("right", False)])
def test_a_window_over_the_whole_image_flags_a_hip_whose_side_nobody_says(side, is_doubted):
    hip = oracle(3).predict(scan(), side=side)
    assert (Flag.SIDE_UNVERIFIED in hip.flags) is is_doubted


def test_what_the_locator_doubts_stands_in_the_flags():
    (only,) = knowing(FoundHead(RIGHT_MM, 8.0, None, (Flag.SIDE_UNVERIFIED,))).hips(both_hips())
    assert only.side is None
    assert Flag.SIDE_UNVERIFIED in only.flags


def test_d41_a_header_of_the_other_side_is_a_conflict_of_the_hip_that_was_found():
    scanned = Image(both_hips().array, WIDE, source=Source(laterality=Side.LEFT))
    (only,) = knowing(FoundHead(RIGHT_MM, 8.0, Side.RIGHT)).hips(scanned)
    assert Flag.LATERALITY_CONFLICT in only.flags


def test_without_a_locator_and_a_centre_the_networks_look_everywhere():
    (hip,) = oracle(3).hips(scan(), side="right")
    assert np.array_equal(hip.labels.array, oracle(3).predict(scan(), side="right").labels.array)
    assert hip.centre_mm is None
