"""Digital hips: labels, truth, position and image say the same thing."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache

import numpy as np
import pytest
from scipy import ndimage, optimize

from avnnet.errors import InvalidConfig
from avnnet.labels import Side
from avnnet.phantom import Acquisition, Disease, Plane, SignalMode, hip, simulate

SMALL = Acquisition((52, 100, 100), (1.6, 0.9, 0.9), Plane.AXIAL)
COARSE = Acquisition((32, 60, 56), (3.2, 2.8, 3.0), Plane.AXIAL)  # for what is asked of the truth alone


def fresh(seed=1, *, side=Side.RIGHT, arco_stage="II", necrosis_percent=15.0, acquisition=SMALL, **changes):
    return hip(
        np.random.default_rng(seed),
        side=side,
        arco_stage=arco_stage,
        necrosis_percent=necrosis_percent,
        acquisition=acquisition,
        **changes,
    )


make = cache(fresh)  # many tests look at the same hip, and none changes it


def offsets_mm(labels, truth, mask):
    """`(n, 3)` world offsets of the voxels of a mask from the true head centre, mm."""
    return labels.grid.to_lps(np.argwhere(mask)) - np.array(truth.centre_mm)


@pytest.mark.parametrize("asked", [2.0, 17.0, 60.0])
@pytest.mark.parametrize("stage", ["I", "IIIB"])
def test_necrosis_has_the_share_that_was_asked_for_and_voxels_agree_with_the_truth(asked, stage):
    _, labels, truth = make(4, arco_stage=stage, necrosis_percent=asked)
    assert truth.necrosis_percent == pytest.approx(asked, abs=0.01)
    necrosis, head = (labels.mask(name).sum() * labels.grid.voxel_mm3 / 1000 for name in ("necrosis", "head"))
    assert head == pytest.approx(truth.head_cm3, rel=0.005)
    assert necrosis == pytest.approx(truth.necrosis_cm3, rel=0.03)
    assert truth.vital_cm3 + truth.necrosis_cm3 == pytest.approx(truth.head_cm3)


def test_voxels_of_the_abstract_agree_with_the_truth_to_half_a_percent():
    _, labels, truth = make(3, acquisition=Acquisition((80, 160, 160)), necrosis_percent=10)
    assert labels.mask("head").sum() * labels.grid.voxel_mm3 / 1000 == pytest.approx(truth.head_cm3, rel=0.005)
    assert labels.mask("necrosis").sum() * labels.grid.voxel_mm3 / 1000 == pytest.approx(truth.necrosis_cm3, rel=0.01)


def test_healthy_half_of_the_head_is_the_sphere_voxel_by_voxel():
    _, labels, truth = make(5)
    everywhere = np.ones(labels.array.shape, bool)
    offset = offsets_mm(labels, truth, everywhere)
    radius = np.linalg.norm(offset, axis=1)
    before = offset @ np.array(truth.neck_axis) < truth.neck_plane_mm
    head = labels.mask("head").ravel()
    pit = offset @ np.array([0.86, 0.18, -0.42]) > 0.75 * truth.radius_mm  # the fovea is not of the sphere
    sure_in = (radius < truth.radius_mm - 0.6) & before & ~pit  # a head is not quite round: up to 0.6 mm
    assert head[sure_in].all()
    assert not head[(radius > truth.radius_mm + 0.6) | ~before].any()


def test_centre_of_a_sphere_fitted_to_intact_surface_is_the_true_centre():
    _, labels, truth = make(6, arco_stage="IIIB", necrosis_percent=20)
    head = labels.mask("head")
    surface = head & ~ndimage.binary_erosion(head)
    offset = offsets_mm(labels, truth, surface)
    axis = np.array(truth.lesion_axis)
    keep = (offset @ np.array(truth.neck_axis) < 0.4 * truth.radius_mm) & (offset @ axis < 0.1 * truth.radius_mm)
    points = offset[keep]

    def residual(p):
        return np.linalg.norm(points - p[:3], axis=1) - p[3]

    fit = optimize.least_squares(residual, [0, 0, 0, 20.0]).x
    assert np.linalg.norm(fit[:3]) < 0.8
    assert fit[3] == pytest.approx(truth.radius_mm, abs=1.2)  # voxel centres lie half a voxel below the surface


def test_left_hip_is_the_exact_mirror_of_the_right():
    image, labels, truth = make(7, side=Side.RIGHT)
    mirror_image, mirror_labels, mirror_truth = make(7, side=Side.LEFT)
    np.testing.assert_array_equal(mirror_image.array, image.array[:, :, ::-1])
    np.testing.assert_array_equal(mirror_labels.array, labels.array[:, :, ::-1])
    index = np.array([[3, 10, 20], [50, 1, 7]])
    flipped = index * [1, 1, -1] + [0, 0, image.grid.shape[2] - 1]
    np.testing.assert_allclose(mirror_image.grid.to_lps(flipped), image.grid.to_lps(index) * [-1, 1, 1], atol=1e-9)
    assert mirror_truth.centre_mm == (-truth.centre_mm[0], *truth.centre_mm[1:])
    assert np.linalg.det(np.array(mirror_image.grid.direction)) == pytest.approx(
        np.linalg.det(np.array(image.grid.direction))
    )


def test_side_is_the_sign_of_x_and_lesion_points_up_and_forward_on_both():
    for seed in range(3):
        for side, sign in ((Side.RIGHT, -1), (Side.LEFT, 1)):
            _, labels, truth = make(seed, side=side)
            middle = offsets_mm(labels, truth, labels.mask("necrosis")).mean(axis=0)
            assert np.sign(truth.centre_mm[0]) == sign
            assert middle[1] < 0 < middle[2]  # LPS: anterior, superior
            assert truth.neck_axis[0] * sign > 0 > truth.neck_axis[2]  # the neck runs out and down


def test_labels_and_image_lie_on_one_grid_and_the_head_is_within():
    image, labels, truth = make(8)
    assert image.grid is labels.grid or image.grid.is_close(labels.grid)
    assert image.grid.contains(truth.centre_mm)
    edge = np.ones(labels.array.shape, bool)
    edge[1:-1, 1:-1, 1:-1] = False
    assert not labels.array[edge].any()
    assert image.array.dtype == np.int16
    assert labels.array.dtype == np.uint8


def test_same_random_numbers_give_the_same_bytes_and_others_do_not():
    first, again, other = fresh(9), fresh(9), make(10)
    assert first[0].array.tobytes() == again[0].array.tobytes()
    assert first[1].array.tobytes() == again[1].array.tobytes()
    assert asdict(first[2]) == asdict(again[2])
    assert first[0].array.tobytes() != other[0].array.tobytes()


def test_another_grid_shows_the_same_hip():
    _, _, coarse = make(11)
    _, _, fine = make(11, acquisition=Acquisition((80, 120, 110), (1.0, 0.8, 0.9), Plane.SAGITTAL))
    assert coarse.radius_mm == fine.radius_mm
    assert coarse.lesion_axis == fine.lesion_axis
    assert coarse.centre_mm == fine.centre_mm
    assert coarse.necrosis_cm3 == fine.necrosis_cm3


def fat_like(seed):
    return make(seed, necrosis_percent=25, acquisition=COARSE)[2].fat_like_core


def test_rim_is_dark_and_lies_within_the_necrosis_around_a_core_like_vital_marrow():
    seed = next(s for s in range(20, 60) if fat_like(s))
    image, labels, truth = make(seed, necrosis_percent=25, acquisition=Acquisition((84, 100, 100), (1.0, 0.9, 0.9)))
    spacing = labels.grid.spacing
    necrosis, vital = labels.mask("necrosis"), labels.mask("vital")
    head_depth = ndimage.distance_transform_edt(labels.mask("head"), spacing)
    from_vital = ndimage.distance_transform_edt(~vital, spacing)
    from_necrosis = ndimage.distance_transform_edt(~necrosis, spacing)
    deep = head_depth > 3
    rim = image.array[deep & necrosis & (from_vital <= truth.rim_mm)].mean()
    core = image.array[deep & necrosis & (from_vital > truth.rim_mm + 2)].mean()
    marrow = image.array[deep & vital & (from_necrosis > 15)].mean()
    assert rim < 0.6 * marrow
    assert core == pytest.approx(marrow, rel=0.2)


def test_collapse_takes_bone_from_over_the_lesion_and_only_there():
    _, _, early = make(12, arco_stage="II", necrosis_percent=30, acquisition=COARSE)
    _, labels, late = make(12, arco_stage="IIIB", necrosis_percent=30)
    assert early.collapse_mm == 0
    assert 2 <= late.collapse_mm <= 6
    offset = offsets_mm(labels, late, labels.mask("head"))
    radius = np.linalg.norm(offset, axis=1)
    along = offset @ np.array(late.lesion_axis) / np.maximum(radius, 1e-6)
    pole = radius[along > np.cos(np.deg2rad(8))].max()
    assert late.radius_mm - pole == pytest.approx(late.collapse_mm, abs=1.6)  # one slice
    far = radius[along < 0].max()
    assert far == pytest.approx(late.radius_mm, abs=1.0)


def test_iiia_flattening_is_at_most_two_millimetres():
    depths = [make(s, arco_stage="IIIA", acquisition=COARSE)[2].collapse_mm for s in range(4)]
    assert all(0.5 <= d <= 2.0 for d in depths)


@pytest.mark.parametrize("seed", range(4))
def test_oblique_slices_hold_the_neck_axis_but_for_the_version(seed):
    _, labels, truth = make(seed, acquisition=Acquisition((52, 100, 100), (1.6, 0.9, 0.9)))
    normal, neck = np.array(labels.grid.direction)[:, 0], np.array(truth.neck_axis)
    in_coronal = np.array([neck[0], 0, neck[2]]) / np.hypot(neck[0], neck[2])
    assert abs(float(normal @ in_coronal)) < np.sin(np.deg2rad(9))  # planned by hand
    assert abs(normal[2]) < np.cos(np.deg2rad(20))  # far from axial


@pytest.mark.parametrize("plane", list(Plane))
def test_slices_run_in_the_plane_that_was_asked_for(plane):
    image, labels, truth = make(2, acquisition=Acquisition((56, 100, 100), (1.5, 1.0, 1.0), plane))
    main = int(np.argmax(np.abs(np.array(image.grid.direction)[:, 0])))
    assert main == {"coronal": 1, "sagittal": 0}.get(plane, 2)
    middle = offsets_mm(labels, truth, labels.mask("necrosis")).mean(axis=0)
    assert middle[1] < 0 < middle[2]
    assert labels.mask("head").sum() * labels.grid.voxel_mm3 / 1000 == pytest.approx(truth.head_cm3, rel=0.005)


def test_the_table_offset_hides_the_side_in_x():
    offsets = [make(seed)[2].centre_mm[0] for seed in range(12)]
    assert max(offsets) - min(offsets) > 30


@pytest.mark.parametrize("mode", list(SignalMode))
def test_every_sequence_shows_the_same_hip(mode):
    image, labels, truth = make(3, mode=mode)
    _, reference, same = make(3)
    np.testing.assert_array_equal(labels.array, reference.array)
    assert asdict(truth) == asdict(same)
    assert image.array.shape[:-3] == ((4,) if mode is SignalMode.DIXON else ())
    assert image.array.std() > 0


def test_fat_is_bright_on_a_plain_vibe_and_dark_when_it_is_suppressed():
    def over(mode):
        image, labels, truth = make(3, mode=mode)
        offset = np.linalg.norm(offsets_mm(labels, truth, np.ones(labels.array.shape, bool)), axis=1)
        vital = labels.mask("vital") & (offset.reshape(labels.array.shape) < 0.5 * truth.radius_mm)
        return image.array[vital].mean() / image.array.mean()

    assert over(SignalMode.VIBE) > 1 > over(SignalMode.VIBE_WE)


def test_a_person_keeps_bones_and_lesions_differ():
    def side(seed, person):
        made = simulate(np.random.default_rng(seed), {Side.RIGHT: Disease("II", 10)}, acquisition=COARSE,
                    person=np.random.default_rng(person))  # fmt: skip
        return made.truths[Side.RIGHT]

    first, again, other = side(1, 5), side(2, 5), side(1, 6)
    assert (first.radius_mm, first.neck_axis) == (again.radius_mm, again.neck_axis)
    assert first.lesion_axis != again.lesion_axis
    assert first.radius_mm != other.radius_mm


def test_the_image_does_not_depend_on_how_many_processors_paint_it(monkeypatch):
    first = fresh(4)[0]
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert fresh(4)[0].array.tobytes() == first.array.tobytes()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"necrosis_percent": 0.0}, "necrosis_percent must be above 0"),
        ({"necrosis_percent": 95.0}, "found 95"),
        ({"arco_stage": "IV"}, "found 'IV'"),
        ({"sex": "x"}, "found 'x'"),
        ({"necrosis_percent": 120.0}, "found 120"),
        ({"mode": "t3"}, "SignalMode is one of .*'vibe'.*found 't3'"),
    ],
)
def test_impossible_hips_are_refused_with_the_value(changes, words):
    with pytest.raises(InvalidConfig, match=words):
        make(1, **changes)
