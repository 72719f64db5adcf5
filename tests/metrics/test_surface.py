"""Surface distances against analytic shapes and against DeepMind's surface-distance."""

import numpy as np
import pytest
import surface_distance as oracle
from scipy import ndimage
from scipy.spatial.distance import cdist

from avnnet.errors import GeometryMismatch, InvalidGeometry
from avnnet.metrics import dice, surface_distances


def cube(offset=(0, 0, 0)) -> np.ndarray:
    mask = np.zeros((24, 24, 24), bool)
    z, y, x = (6 + o for o in offset)
    mask[z : z + 10, y : y + 10, x : x + 10] = True
    return mask


def blob(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((18, 40, 44))
    smooth = ndimage.gaussian_filter(noise, (2, 5, 5))
    return smooth > np.quantile(smooth, 0.9)


def test_a_cube_moved_along_the_thick_axis_has_the_published_distances():
    measured = surface_distances(cube(), cube((2, 0, 0)), (3.0, 0.5, 0.5))
    assert len(measured.manual_to_automatic_mm) == 488
    assert measured.hd_mm == 6.0
    assert measured.assd_mm == pytest.approx(1.5737704918, abs=1e-10)
    assert dice(cube(), cube((2, 0, 0))) == pytest.approx(0.8)


def test_a_cube_moved_along_a_thin_axis_shows_a_reversed_spacing():
    thin = cube((0, 0, 2))
    right = surface_distances(cube(), thin, (3.0, 0.5, 0.5))
    assert (right.hd_mm, right.assd_mm) == (1.0, pytest.approx(0.3565573770, abs=1e-10))
    reversed_order = surface_distances(cube(), thin, (0.5, 0.5, 3.0))
    assert (reversed_order.hd_mm, reversed_order.assd_mm) == (6.0, pytest.approx(1.5737704918, abs=1e-10))


def test_hd95_is_the_larger_direction_and_not_the_pooled_percentile():
    spiked = np.zeros((30, 30, 30), bool)
    spiked[4:14, 4:14, 4:14] = True
    plain = spiked.copy()
    spiked[14:24, 8:10, 8:10] = True
    measured = surface_distances(plain, spiked, (1.0, 1.0, 1.0))
    assert dice(plain, spiked) == pytest.approx(0.9803921569)
    assert measured.hd_mm == 10.0
    assert measured.hd95_mm == pytest.approx(4.0)
    assert measured.assd_mm == pytest.approx(0.2213438735, abs=1e-10)
    pooled = np.concatenate([measured.manual_to_automatic_mm, measured.automatic_to_manual_mm])
    assert np.percentile(pooled, 95) == 0.0


def test_distances_do_not_depend_on_the_empty_space_around_the_masks():
    padded = [np.pad(mask, 15) for mask in (cube(), cube((1, 2, 3)))]
    near = surface_distances(cube(), cube((1, 2, 3)), (2.0, 1.0, 0.7))
    far = surface_distances(*padded, (2.0, 1.0, 0.7))
    assert (near.hd_mm, near.hd95_mm, near.assd_mm) == (far.hd_mm, far.hd95_mm, far.assd_mm)


def test_outside_the_array_counts_as_background():
    whole = np.ones((4, 4, 4), bool)
    assert len(surface_distances(whole, whole, (1, 1, 1)).manual_to_automatic_mm) == 64 - 8


def test_swapping_the_masks_swaps_the_directions_only():
    first, second = blob(1), blob(2)
    one, other = (surface_distances(a, b, (3, 0.5, 0.4)) for a, b in ((first, second), (second, first)))
    assert np.array_equal(one.manual_to_automatic_mm, other.automatic_to_manual_mm)
    assert one.hd95_mm == other.hd95_mm


def brute_surface(mask: np.ndarray, spacing) -> np.ndarray:
    """Positions in mm of the voxels with a face on the background, found by shifting and not by erosion."""
    padded = np.pad(mask, 1)
    inner = padded.copy()
    for axis in range(3):
        inner &= np.roll(padded, 1, axis) & np.roll(padded, -1, axis)
    return np.argwhere(padded & ~inner) * np.asarray(spacing)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_distances_are_those_of_all_pairs_of_surface_voxels(seed):
    first, second, spacing = blob(seed), blob(seed + 10), (3.0, 0.5, 0.4)
    ours = surface_distances(first, second, spacing)
    pairs = cdist(brute_surface(first, spacing), brute_surface(second, spacing))
    assert np.allclose(np.sort(ours.manual_to_automatic_mm), np.sort(pairs.min(1)))
    assert np.allclose(np.sort(ours.automatic_to_manual_mm), np.sort(pairs.min(0)))


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")  # the oracle uses an old scipy name
@pytest.mark.parametrize("offset_mm", [(2.0, 0.0, 0.0), (0.0, 3.0, -2.0), (1.0, 2.0, 4.0)])
def test_distances_of_smooth_bodies_agree_with_an_independent_implementation(offset_mm):
    spacing = (1.0, 0.9, 0.8)
    points = (np.indices((30, 36, 40)).reshape(3, -1).T - (14, 17, 19)) * spacing
    first = (np.linalg.norm(points, axis=1) <= 9).reshape(30, 36, 40)
    second = (np.linalg.norm(points - offset_mm, axis=1) <= 8).reshape(30, 36, 40)
    ours = surface_distances(first, second, spacing)
    theirs = oracle.compute_surface_distances(first, second, spacing)
    # surface-distance measures between voxel corners, of which there are more, weighted by area
    assert ours.hd_mm == pytest.approx(oracle.compute_robust_hausdorff(theirs, 100), abs=0.5)
    assert ours.hd95_mm == pytest.approx(oracle.compute_robust_hausdorff(theirs, 95), abs=0.5)
    assert ours.assd_mm == pytest.approx(np.mean(oracle.compute_average_surface_distance(theirs)), abs=0.45)


def test_an_empty_mask_is_infinitely_far_and_two_are_undefined():
    empty = np.zeros_like(cube())
    for pair in ((empty, cube()), (cube(), empty)):
        missed = surface_distances(*pair, (1, 1, 1))
        assert (missed.hd_mm, missed.hd95_mm, missed.assd_mm) == (np.inf, np.inf, np.inf)
    nothing = surface_distances(empty, empty, (1, 1, 1))
    assert np.isnan([nothing.hd_mm, nothing.hd95_mm, nothing.assd_mm]).all()


@pytest.mark.parametrize("spacing", [(1, 1), (1, 1, 0), (1, 1, float("nan"))])
def test_a_spacing_that_no_grid_has_is_refused(spacing):
    with pytest.raises(InvalidGeometry, match="3 positive spacings"):
        surface_distances(cube(), cube(), spacing)


def test_masks_of_two_shapes_are_refused():
    with pytest.raises(GeometryMismatch):
        surface_distances(cube(), cube()[1:], (1, 1, 1))


def test_surface_dice_is_the_share_of_the_surface_within_the_tolerance():
    cube = np.zeros((14, 14, 14), bool)
    cube[2:12, 2:12, 2:12] = True
    moved = np.roll(cube, 1, axis=2)
    assert surface_distances(cube, cube, (1, 1, 1)).surface_dice(0.0) == 1.0
    found = surface_distances(cube, moved, (3.0, 0.5, 0.5))
    # 9 of 10 rings of 36 voxels lie on the other cube's surface, all others half a mm beside it
    assert found.surface_dice(0.5) == 1.0
    assert found.surface_dice(0.4) == pytest.approx(9 * 36 / 488)
    shares = [found.surface_dice(tolerance) for tolerance in (0.0, 0.4, 0.5, 1.0)]
    assert shares == sorted(shares)


def test_surface_dice_of_a_missed_structure_is_0_and_of_none_undefined():
    cube, nothing = np.ones((3, 3, 3), bool), np.zeros((3, 3, 3), bool)
    assert surface_distances(cube, nothing, (1, 1, 1)).surface_dice(1.0) == 0.0
    assert np.isnan(surface_distances(nothing, nothing, (1, 1, 1)).surface_dice(1.0))
