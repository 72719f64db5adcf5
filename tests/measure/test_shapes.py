"""Quantities of analytic heads against their closed forms."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avnnet.labels import Side
from avnnet.measure import measured_head, quantities
from avnnet.measure.discretisation import discretisation_percent
from avnnet.measure.mesh import surface_mesh
from tests.measure.conftest import NECK, NECK_MM, RADIUS_MM, UP, off_axis_deg

BALL_CM3 = 4 / 3 * np.pi * RADIUS_MM**3 / 1000
NECKED_CM3 = np.pi * (2 * RADIUS_MM**3 / 3 + RADIUS_MM**2 * NECK_MM - NECK_MM**3 / 3) / 1000


def cone(half_deg):
    return lambda points: off_axis_deg(points) < half_deg


def cap(height_mm):
    return lambda points: points @ UP > RADIUS_MM - height_mm


def row_of(labels, side=Side.RIGHT, setting=None):
    return quantities(labels, side, setting).iloc[0]


@pytest.mark.parametrize(
    ("half_deg", "percent", "kerboul_deg"), [(60, 25.0, 240), (47.5, 16.2, 190), (45.6, 15.0, 182)]
)
def test_a_cone_has_the_volume_and_the_angle_of_its_closed_form(head, half_deg, percent, kerboul_deg):
    row = row_of(head(cone(half_deg), neck=False, spacing=(0.8, 0.6, 0.6)))
    assert row["necrosis_percent"] == pytest.approx(percent, abs=0.25)
    assert row["necrosis_surface_percent"] == pytest.approx(percent, abs=0.6)
    assert row["modified_kerboul_deg"] == pytest.approx(kerboul_deg, abs=4)
    assert row["combined_necrotic_deg"] == pytest.approx(row["modified_kerboul_deg"])
    assert row["necrotic_extent_index"] == pytest.approx((2 * half_deg / 180) ** 2 * 100, abs=2)


@pytest.mark.parametrize("height_mm", [7.0, 11.0])
def test_a_cap_has_the_area_of_its_zone_and_the_interface_of_its_base(head, height_mm):
    row = row_of(head(cap(height_mm), neck=False))
    zone = 2 * np.pi * RADIUS_MM * height_mm / 100
    base = np.pi * height_mm * (2 * RADIUS_MM - height_mm) / 100
    assert row["necrosis_surface_cm2"] == pytest.approx(zone, rel=0.03)
    assert row["lesion_interface_cm2"] == pytest.approx(base, rel=0.06)
    assert row["necrosis_surface_percent"] == pytest.approx(100 * height_mm / (2 * RADIUS_MM), rel=0.03)


def test_the_three_denominators_are_the_label_the_cut_sphere_and_the_enclosing_sphere(head):
    row = row_of(head(cone(40)))
    assert row["head_cm3"] == pytest.approx(NECKED_CM3, rel=0.003)
    assert row["sphere_head_cm3"] == pytest.approx(NECKED_CM3, rel=0.02)
    assert row["enclosing_sphere_cm3"] == pytest.approx(BALL_CM3, rel=0.03)
    for share, whole in (
        ("necrosis_percent", "head_cm3"),
        ("necrosis_of_sphere_percent", "sphere_head_cm3"),
        ("necrosis_of_enclosing_sphere_percent", "enclosing_sphere_cm3"),
    ):
        assert row[share] == pytest.approx(100 * row["necrosis_cm3"] / row[whole])


def test_the_surface_of_a_ball_and_of_a_cut_ball_are_those_of_the_formulas(head):
    ball = head(neck=False)
    assert surface_mesh(ball.array > 0, ball.grid).area_mm2 == pytest.approx(4 * np.pi * RADIUS_MM**2, rel=0.01)
    assert surface_mesh(ball.array > 0, ball.grid).volume_mm3 / 1000 == pytest.approx(BALL_CM3, rel=0.01)
    row = row_of(head())
    assert row["articular_surface_cm2"] == pytest.approx(2 * np.pi * RADIUS_MM * (RADIUS_MM + NECK_MM) / 100, rel=0.02)
    assert row["head_surface_cm2"] - row["articular_surface_cm2"] == pytest.approx(
        np.pi * (RADIUS_MM**2 - NECK_MM**2) / 100, rel=0.05
    )


def test_the_neck_plane_is_found_where_it_was_cut(head):
    found = measured_head(head(cone(30)), Side.RIGHT).neck
    assert found.distance_mm == pytest.approx(NECK_MM, abs=0.3)
    assert np.dot(found.axis, NECK) > 0.999


def test_a_label_that_runs_on_down_the_neck_ends_where_bone_leaves_the_sphere(head):
    # a ball with a stem: the stem meets the sphere where its radius is 16 mm
    stem = head(neck=False, radius_mm=40.0, bone=lambda p: (np.linalg.norm(p, axis=-1) < RADIUS_MM)
                | ((p @ NECK > 0) & (np.linalg.norm(np.cross(p, NECK), axis=-1) < 16.0)))  # fmt: skip
    found = measured_head(stem, Side.RIGHT)
    assert found.sphere.radius_mm == pytest.approx(RADIUS_MM, abs=0.2)
    assert np.dot(found.neck.axis, NECK) > 0.99
    assert found.neck.distance_mm == pytest.approx(np.sqrt(RADIUS_MM**2 - 16**2), abs=1.5)


@pytest.mark.parametrize("depth_mm", [1.5, 3.0, 5.0])
def test_a_sphere_cut_by_a_plane_has_collapsed_by_its_height(head, depth_mm):
    half_deg = np.rad2deg(np.arccos(1 - depth_mm / RADIUS_MM))
    labels = head(cone(half_deg + 2), bone=lambda p: p @ UP < RADIUS_MM - depth_mm)
    row = row_of(labels)
    assert row["collapse_mm"] == pytest.approx(depth_mm, abs=0.35)
    assert (row["collapse_over_2mm_probability"] > 0.5) == (depth_mm > 2)


def test_a_third_of_the_surface_sunk_by_4_mm_leaves_the_sphere_where_it_was(head):
    half_deg = np.rad2deg(np.arccos(1 - 2 * 0.30))
    labels = head(cone(half_deg), bone=lambda p: ~(cone(half_deg)(p) & (np.linalg.norm(p, axis=-1) > RADIUS_MM - 4)))
    found = measured_head(labels, Side.RIGHT)
    assert found.sphere.radius_mm == pytest.approx(RADIUS_MM, abs=0.3)
    assert np.linalg.norm(found.centre_mm - [31.3, -12.4, 55.7]) < 0.3
    assert row_of(labels)["collapse_mm"] == pytest.approx(4, abs=0.5)


@pytest.mark.parametrize("seed", range(3))
def test_a_turned_grid_gives_the_same_angles_and_areas(head, seed):
    turn = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    straight, turned = row_of(head(cone(50))), row_of(head(cone(50), turn=turn))
    assert turned["modified_kerboul_deg"] == pytest.approx(straight["modified_kerboul_deg"], abs=5)
    assert turned["necrosis_surface_cm2"] == pytest.approx(straight["necrosis_surface_cm2"], rel=0.03)
    assert turned["head_radius_mm"] == pytest.approx(straight["head_radius_mm"], abs=0.1)
    assert turned["lesion_latitude_deg"] == pytest.approx(straight["lesion_latitude_deg"], abs=1)


@pytest.mark.parametrize(
    ("radius_mm", "spacing_mm", "published"),
    [(24, (0.5,) * 3, 0.03), (8, (1.0,) * 3, 0.73), (8, (3.0, 0.6, 0.6), 1.4), (4, (1.0,) * 3, 2.6),
     (4, (3.0, 0.6, 0.6), 5.3), (4, (4.0, 0.4, 0.4), 24.0)],
)  # fmt: skip
def test_the_expected_discretisation_error_is_that_of_the_published_table(radius_mm, spacing_mm, published):
    # the largest of 20 random offsets, here and there: of the same size, not the same number
    found = discretisation_percent(4 / 3 * np.pi * radius_mm**3, spacing_mm)
    assert published / 2 < found < published * 2
