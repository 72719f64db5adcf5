"""Distances, sampling and noise of the digital hips."""

from __future__ import annotations

import numpy as np
import pytest

from avnnet.grid import Grid
from avnnet.phantom.shapes import (
    Lattice,
    Waves,
    capsule_mm,
    fraction_inside,
    length_mm,
    points_of,
    smooth_union_mm,
)

TURNED = Grid((21, 40, 38), (1.6, 0.88, 0.8), (5.0, -3.0, 2.0), ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0)))


def test_points_are_the_grids_own_world_positions():
    centre = (11.0, 2.0, 7.0)
    x, y, z = points_of(TURNED, centre)
    expected = TURNED.to_lps((4, 30, 9)) - centre
    np.testing.assert_allclose([x[4, 30, 9], y[4, 30, 9], z[4, 30, 9]], expected, atol=1e-4)
    box = points_of(TURNED, centre, (slice(2, 9), slice(5, 35), slice(0, 30)))
    np.testing.assert_allclose(box[1], y[2:9, 5:35, :30], atol=1e-5)


def test_a_distance_computed_on_the_lattice_is_right_to_a_twentieth_of_a_millimetre():
    centre = tuple(TURNED.to_lps((10, 20, 19)) + 20)
    lattice = Lattice(TURNED, centre)
    expanded = lattice.expand(length_mm(lattice.points))
    assert expanded.shape == TURNED.shape
    np.testing.assert_allclose(expanded, length_mm(points_of(TURNED, centre)), atol=0.05)


def test_capsule_is_at_distance_zero_on_its_surface():
    points = tuple(np.array(v, np.float32) for v in ([0, 3, 5, 0], [2, 2, 0, 0], [0, 0, 0, 0]))
    np.testing.assert_allclose(capsule_mm(points, (0, 0, 0), (3, 0, 0), 2.0), [0, 0, 0, -2], atol=1e-6)


def test_smooth_union_is_the_union_away_from_the_seam_and_fuller_at_it():
    a, b = np.array([1.0, 5.0]), np.array([9.0, 5.0])
    np.testing.assert_allclose(smooth_union_mm(a, b, 4.0), [1.0, 4.0])


def test_shares_of_voxels_sum_to_the_volume():
    grid = Grid((40, 40, 40))
    share = fraction_inside(length_mm(points_of(grid, (19.6, 19.5, 19.7))) - 15, 1.0)
    assert share.sum() == pytest.approx(4 / 3 * np.pi * 15**3, rel=0.005)


def test_waves_have_unit_spread_and_do_not_depend_on_the_grid():
    waves = Waves.draw(np.random.default_rng(0), wavelengths_mm=(5, 10), count=12)
    points = tuple(np.random.default_rng(1).uniform(-50, 50, size=(3, 20000)).astype(np.float32))
    assert waves(points).std() == pytest.approx(1, abs=0.1)
    np.testing.assert_allclose(waves(tuple(p[:5] for p in points)), waves(points)[:5], atol=1e-5)
