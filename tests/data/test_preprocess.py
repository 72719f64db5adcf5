import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from avnnet.data.orientation import orientation_of
from avnnet.data.preprocess import Preprocess
from avnnet.errors import ConstantImage, GeometryMismatch, InvalidConfig, NonFiniteVoxels, ResourceLimitExceeded
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, Side
from tests.conftest import ORDERS, dice_of, reordered

# three sizes and three spacings, so that no mistake of axes can hide; slightly oblique
TURN = ((0.0, 0.0998334166, 0.9950041653), (0.0, 0.9950041653, -0.0998334166), (1.0, 0.0, 0.0))
GRID = Grid((40, 66, 58), (1.0, 0.6, 0.7), (31.0, -12.0, 7.0), TURN)
CENTRE_INDEX = (19, 34, 27)
# off the lattice: at a tie the crop of a reversed file starts one voxel further
CENTRE_MM = tuple(GRID.to_lps(np.add(CENTRE_INDEX, (0.2, 0.3, -0.2))))


def ball(radius_mm: float = 11.0) -> LabelMap:
    index = np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"), axis=-1)
    offset = (index - CENTRE_INDEX) * GRID.spacing
    array = (np.linalg.norm(offset, axis=-1) < radius_mm).astype(np.uint8)
    array[(array > 0) & (offset[..., 0] > 2) & (offset[..., 2] < 1)] = 2
    return LabelMap(array, GRID)


def noise() -> Image:
    return Image(np.random.default_rng(0).normal(size=GRID.shape).astype(np.float32), GRID)


def there_and_back(preprocess: Preprocess, image: Image, labels: LabelMap, side: Side | None) -> np.ndarray:
    prepared = preprocess.prepare(image, labels, side=side, centre_mm=CENTRE_MM)
    exact = one_hot(prepared.label[0].long(), 3).movedim(-1, 0).float()
    back = preprocess.restore(exact, prepared.placement).labels(HIP)
    assert back.grid is image.grid
    return back.array


@pytest.mark.parametrize("side", [Side.LEFT, Side.RIGHT])
@pytest.mark.parametrize("order", ORDERS)
def test_a_mask_comes_back_exactly_where_nothing_is_resampled(order, side):
    labels = reordered(ball(), *order)
    back = there_and_back(Preprocess(GRID.spacing, [34, 48, 44]), reordered(noise(), *order), labels, side)
    assert np.array_equal(back, labels.array)


@pytest.mark.parametrize("side", [Side.LEFT, None])
@pytest.mark.parametrize("order", ORDERS[::5])
def test_a_mask_comes_back_with_dice_above_099_where_it_is_resampled(order, side):
    labels = reordered(ball(14.0), *order)
    back = there_and_back(Preprocess([0.45, 0.28, 0.31], [72, 108, 100]), reordered(noise(), *order), labels, side)
    for index in (1, 2):
        assert dice_of(back == index, labels.array == index) >= 0.99


@pytest.mark.parametrize("crop", [None, [34, 48, 44]])
def test_the_network_sees_the_same_voxels_whatever_the_file_order(crop):
    seen = [
        Preprocess([1.2, 0.7, 0.7], crop).prepare(reordered(noise(), *order), centre_mm=CENTRE_MM).image
        for order in ORDERS[::7]
    ]
    # a file that runs backwards starts its resampling at its other end, so only a crop has one lattice
    shapes = {tuple(image.shape) for image in seen}
    assert len(shapes) == 1
    same = [Preprocess(GRID.spacing, crop).prepare(reordered(noise(), *o), centre_mm=CENTRE_MM).image for o in ORDERS]
    assert all(torch.equal(image, same[0]) for image in same)


def test_a_left_hip_is_the_exact_mirror_of_the_right_path():
    image = noise()
    right = Preprocess(GRID.spacing, [33, 47, 43]).prepare(image, side=Side.RIGHT, centre_mm=CENTRE_MM).image
    left = Preprocess(GRID.spacing, [33, 47, 43]).prepare(image, side=Side.LEFT, centre_mm=CENTRE_MM).image
    assert torch.equal(left, right.flip(-1))


def test_the_middle_of_the_crop_is_within_half_a_voxel_of_the_head_centre():
    spacing = np.array([1.3, 0.5, 0.6])
    prepared = Preprocess(spacing, [21, 40, 41]).prepare(noise(), centre_mm=CENTRE_MM)
    middle = prepared.placement.start_mm + (np.array([21, 40, 41]) - 1) / 2 * spacing
    canonical = orientation_of(GRID).index(GRID.to_index(CENTRE_MM), GRID.shape) * GRID.spacing
    assert (np.abs(middle - canonical) <= spacing / 2 + 1e-6).all()


def test_resampling_reproduces_a_linear_ramp():
    index = np.stack(np.meshgrid(*map(np.arange, GRID.shape), indexing="ij"))
    ramp = Image((index[2] * 0.7).astype(np.float32), GRID)  # millimetres along the last axis
    prepared = Preprocess([1.0, 0.6, 0.5], [20, 30, 40], clip_percentiles=(0, 100)).prepare(ramp, centre_mm=CENTRE_MM)
    profile = prepared.image[0, 5, 6]
    steps = profile.diff()
    assert torch.allclose(steps, steps.mean().expand_as(steps), rtol=1e-3)


def test_a_crop_beyond_the_edge_is_filled_and_comes_back():
    preprocess = Preprocess(GRID.spacing, [34, 48, 44])
    corner = tuple(GRID.to_lps((2, 3, 55)))
    labels = LabelMap(np.ones(GRID.shape, np.uint8), GRID)
    prepared = preprocess.prepare(noise(), labels, centre_mm=corner)
    assert prepared.image.shape == (1, 34, 48, 44)
    ones = torch.zeros(3, 34, 48, 44)
    ones[1] = 1
    back = preprocess.restore(ones, prepared.placement)
    assert np.argwhere(back.labels(HIP).array).max(axis=0).tolist()[2] == GRID.shape[2] - 1


def test_labels_are_resampled_to_the_nearest_and_never_mixed():
    labels = LabelMap(np.where(ball().array > 0, 2, 0).astype(np.uint8), GRID)
    prepared = Preprocess([0.8, 0.45, 0.5], [40, 60, 60]).prepare(noise(), labels, centre_mm=CENTRE_MM)
    assert set(prepared.label.unique().tolist()) == {0, 2}


def test_one_voxel_of_1e30_does_not_matter():
    image = noise()
    spoiled = image.array.copy()
    spoiled[CENTRE_INDEX] = 1e30
    preprocess = Preprocess(GRID.spacing, [34, 48, 44])
    clean = preprocess.prepare(image, centre_mm=CENTRE_MM).image
    dirty = preprocess.prepare(Image(spoiled, GRID), centre_mm=CENTRE_MM).image
    assert ((clean - dirty).abs() > 0.01).sum() <= 1


@pytest.mark.parametrize(("factor", "offset"), [(0.01, 0.0), (100.0, -7.0), (1.0, 1e4)])
def test_scale_and_offset_of_the_intensities_do_not_matter(factor, offset):
    preprocess = Preprocess(GRID.spacing, [34, 48, 44])
    plain = preprocess.prepare(noise(), centre_mm=CENTRE_MM).image
    other = Image((noise().array.astype(np.float64) * factor + offset).astype(np.float64), GRID)
    assert torch.allclose(plain, preprocess.prepare(other, centre_mm=CENTRE_MM).image, atol=5e-3)


def test_nan_voxels_are_refused_with_their_count():
    array = noise().array.copy()
    array[CENTRE_INDEX] = np.nan
    with pytest.raises(NonFiniteVoxels, match="1 voxels"):
        Preprocess(GRID.spacing, [34, 48, 44]).prepare(Image(array, GRID), centre_mm=CENTRE_MM)


def test_a_constant_image_is_refused():
    with pytest.raises(ConstantImage, match="the value 3"):
        Preprocess(GRID.spacing).prepare(Image(np.full(GRID.shape, 3, np.int16), GRID))


def test_a_centre_outside_the_image_is_refused_with_a_hint_at_ras():
    with pytest.raises(GeometryMismatch, match="RAS"):
        Preprocess(GRID.spacing, [10, 10, 10]).prepare(noise(), centre_mm=(900.0, 0.0, 0.0))


def test_a_label_on_another_grid_is_refused():
    moved = LabelMap(ball().array, Grid(GRID.shape, GRID.spacing, (0.0, 0.0, 0.0), TURN))
    with pytest.raises(GeometryMismatch, match="resample the label"):
        Preprocess(GRID.spacing).prepare(noise(), moved)


@pytest.mark.parametrize(
    "arguments",
    [
        {"spacing_mm": [1.0, 1.0]},
        {"spacing_mm": [1.0, 0.0, 1.0]},
        {"spacing_mm": [1.0, float("nan"), 1.0]},
        {"spacing_mm": [1.0, 1e-9, 1.0]},
        {"spacing_mm": [1.0] * 3, "crop": [30_000, 30_000, 30_000]},
        {"spacing_mm": [1.0] * 3, "crop": [0, 4, 4]},
        {"spacing_mm": [1.0] * 3, "clip_percentiles": (99, 1)},
    ],
)
def test_impossible_settings_are_refused(arguments):
    with pytest.raises(InvalidConfig):
        Preprocess(**arguments)


def test_a_whole_image_on_voxels_so_fine_that_memory_would_not_hold_it_is_refused_with_what_it_takes():
    with pytest.raises(ResourceLimitExceeded, match=r"takes 3.04 GiB with voxels of .* mm, 2 at most"):
        Preprocess([0.05] * 3).prepare(Image(np.zeros((90, 60, 50)), Grid((90, 60, 50), (0.9, 0.6, 0.7))))
