"""Spheres through points."""

import numpy as np
import pytest

from avnnet.errors import Unmeasurable
from avnnet.measure.sphere import Sphere, enclosing_sphere, fitted_sphere


def on_sphere(count, *, centre=(3.0, -4.0, 5.0), radius_mm=23.0, seed=0):
    away = np.random.default_rng(seed).normal(size=(count, 3))
    return np.asarray(centre) + radius_mm * away / np.linalg.norm(away, axis=1)[:, None]


def test_points_of_a_sphere_give_the_sphere():
    points = on_sphere(3000)
    found = fitted_sphere(points, np.ones(3000))
    assert found.radius_mm == pytest.approx(23.0, abs=0.01)
    assert found.centre_mm == pytest.approx((3.0, -4.0, 5.0), abs=0.01)
    assert found.rms_mm < 0.01


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45])
def test_points_off_the_sphere_do_not_pull_on_it(share):
    points = on_sphere(4000)
    away = points - [3.0, -4.0, 5.0]
    sunk = away[:, 2] > np.quantile(away[:, 2], 1 - share)
    points[sunk] -= 4.0 * away[sunk] / 23.0
    found = fitted_sphere(points, np.ones(4000))
    assert found.radius_mm == pytest.approx(23.0, abs=0.1)
    assert found.centre_mm == pytest.approx((3.0, -4.0, 5.0), abs=0.15)


def test_the_oval_of_a_head_is_found_and_does_not_move_its_centre():
    directions = on_sphere(6000, centre=(0, 0, 0), radius_mm=1.0)
    oval = Sphere((0.0, 0.0, 0.0), 22.0, (0.3, -0.2, 0.1, 0.25, -0.15))
    points = directions * oval.radius_at_mm(directions)[:, None]
    half = points[points[:, 2] < 8]  # the top is gone
    found = fitted_sphere(half, np.ones(len(half)))
    assert found.oval_mm == pytest.approx(oval.oval_mm, abs=0.05)
    assert np.linalg.norm(found.centre_mm) < 0.05


def test_the_same_points_give_the_same_sphere_to_the_last_bit():
    points = on_sphere(500) + np.random.default_rng(1).normal(0, 0.2, (500, 3))
    assert fitted_sphere(points, np.ones(500)) == fitted_sphere(points, np.ones(500))


def test_a_plane_and_a_pea_have_no_sphere_of_a_head():
    flat = np.random.default_rng(0).uniform(-20, 20, (500, 3)) * [1, 1, 0]
    with pytest.raises(Unmeasurable, match="8 to 45 mm"):
        fitted_sphere(flat, np.ones(500))
    with pytest.raises(Unmeasurable):
        fitted_sphere(on_sphere(500, radius_mm=3.0), np.ones(500))


@pytest.mark.parametrize("seed", range(5))
def test_the_enclosing_sphere_holds_all_points_and_touches_some_on_every_side(seed):
    points = np.random.default_rng(seed).normal(size=(400, 3)) * [3, 2, 1]
    ball = enclosing_sphere(points)
    away = points - ball.centre_mm
    distance = np.linalg.norm(away, axis=1)
    assert distance.max() <= ball.radius_mm + 1e-6
    touching = away[distance > ball.radius_mm - 1e-6]
    # smallest: its centre is in the hull of the points it touches, so that no step shortens all distances
    for step in np.random.default_rng(9).normal(size=(200, 3)):
        assert (touching @ step).min() <= 1e-6


@pytest.mark.parametrize(("plane_mm", "share"), [(0.0, 0.5), (24.0, 1.0), (-24.0, 0.0), (12.0, 1 - 0.15625)])
def test_a_sphere_cut_by_a_plane_has_the_volume_of_the_rest(plane_mm, share):
    ball = Sphere((0.0, 0.0, 0.0), 24.0)
    assert ball.below_neck_plane_mm3(plane_mm) == pytest.approx(share * ball.volume_mm3)
