"""Odd voxels are refused by name, or give the same mask (rows V01 to V04, V07, V08, V13, V15, V16)."""

import numpy as np
import pytest

from avnnet.data.limits import check_size
from avnnet.data.preprocess import Preprocess
from avnnet.errors import ConstantImage, NonFiniteVoxels, NotAVolume, ResourceLimitExceeded
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.metrics import dice
from tests.faults.test_formats import hip
from tests.inference.conftest import Threshold

CENTRE = (8.6, 12.2, 10.9)
CROP = [16, 22, 20]


def model(crop=CROP):
    return Segmenter([Member(Threshold(), Preprocess(hip().grid.spacing, crop), Tiling(crop), "oracle")], HIP)


def mask(array, grid=None, centre=CENTRE):
    grid = grid or hip().grid
    return model().predict(Image(array, grid), centre_mm=grid.to_lps(centre)).labels.array


def changed_share(one, other):
    return float((one != other).sum()) / float((other > 0).sum())


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("share", [0.0, 0.01, 1.0])
def test_v01_voxels_that_are_no_numbers_are_refused_with_their_count(bad, share):
    array = hip().array.astype(np.float32)
    array[9, 12, 11] = bad
    array[np.random.default_rng(0).random(array.shape) < share] = bad
    with pytest.raises(NonFiniteVoxels, match=r"\d+ voxels are NaN or infinite"):
        mask(array)


@pytest.mark.parametrize("value", [0, 7])
def test_v02_a_constant_image_is_refused(value):
    with pytest.raises(ConstantImage):
        mask(np.full(hip().array.shape, value, np.int16))


def test_v02_a_block_of_constant_slices_is_padding():
    array = hip().array.copy()
    array[:2] = array[-2:] = 0
    assert changed_share(mask(array)[2:-2], mask(hip().array)[2:-2]) < 0.02


@pytest.mark.parametrize(
    ("scale", "offset"), [(1, -500), (1, 1e4), (1e-6, 0), (1e6, 0), (1e-3, -1), (0.01, 3), (100, 0)]
)
def test_v03_the_unit_and_the_zero_of_intensities_do_not_matter(scale, offset):
    changed = mask(hip().array.astype(np.float64) * scale + offset)
    assert changed_share(changed, mask(hip().array)) <= 0.001


def test_v04_a_single_immense_voxel_does_not_matter():
    array = hip().array.astype(np.float64)
    array[1, 1, 1] = 1e30
    assert changed_share(mask(array), mask(hip().array)) <= 0.001


def test_v04_a_thousandth_of_saturated_voxels_does_not_matter():
    array = hip().array.astype(np.int32)
    saturated = np.random.default_rng(1).random(array.shape) < 0.001
    saturated &= array < 100  # outside the head, whose own voxels they would change
    array[saturated] = 65535
    plain = mask(hip().array)
    changed = np.where(saturated, plain, mask(array))
    assert changed_share(changed, plain) <= 0.001


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_v07_fewer_than_four_slices_are_no_volume(slices):
    with pytest.raises(NotAVolume, match="at least 4 slices"):
        mask(hip().array[:slices], Grid((slices, 26, 22), hip().grid.spacing), (slices / 2, 12, 11))


@pytest.mark.parametrize("axis", range(3))
def test_v07_an_image_smaller_than_the_patch_is_padded(axis):
    cut = tuple(slice(5, 13) if one == axis else slice(None) for one in range(3))
    array = hip().array[cut]
    centre = np.array(CENTRE) - np.eye(3)[axis] * 5
    found = mask(array, Grid(array.shape, hip().grid.spacing), tuple(centre))
    assert found.shape == array.shape
    assert dice(found > 0, mask(hip().array)[cut] > 0) > 0.9


def test_v07_eight_voxels_along_every_axis_are_segmented():
    array = hip().array[5:13, 9:17, 7:15]
    assert mask(array, Grid((8, 8, 8), hip().grid.spacing), (3.6, 3.2, 3.9)).shape == (8, 8, 8)


def test_v08_a_large_scan_is_within_the_limit_and_an_immense_one_is_not():
    check_size((400, 1024, 1024), 2, "scan")
    with pytest.raises(ResourceLimitExceeded, match="2 GiB"):
        check_size((600, 1024, 1024), 4, "scan")


def test_v13_an_array_that_was_mirrored_has_the_mirrored_mask():
    grid = hip().grid
    mirrored = mask(np.ascontiguousarray(hip().array[..., ::-1]), grid, (CENTRE[0], CENTRE[1], 21 - CENTRE[2]))
    assert changed_share(mirrored[..., ::-1], mask(hip().array)) <= 0.01


def test_v15_empty_slices_at_both_ends_do_not_matter():
    pad = 30
    array = np.pad(hip().array, ((pad, pad), (0, 0), (0, 0)))
    grid = Grid(array.shape, hip().grid.spacing)
    found = mask(array, grid, (CENTRE[0] + pad, *CENTRE[1:]))
    assert changed_share(found[pad:-pad], mask(hip().array)) <= 0.02
    assert not found[:pad].any()
    assert not found[-pad:].any()


@pytest.mark.parametrize("fault", ["bias", "zip"])
def test_v16_a_bias_field_of_a_fifth_and_lines_of_noise_change_little(fault):
    array = hip().array.astype(np.float64)
    if fault == "bias":
        array *= 1 + 0.2 * np.linspace(-0.5, 0.5, 22)[None, None]
    else:
        array[:, 7] += 60 * np.resize([1, -1], 22)
    assert dice(mask(array) > 0, mask(hip().array) > 0) > 0.97
