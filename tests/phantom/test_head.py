"""Exact measures of heads and lesions: closed forms, other ways of integrating, and relations between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avnnet.phantom.anatomy import draw_anatomy
from avnnet.phantom.head import Head, head_mm, is_head
from avnnet.phantom.lesion import Focus, cap_half_angle_deg, draw_lesion
from avnnet.phantom.shapes import Waves
from avnnet.phantom.truth import acetabular_edge_mm, teardrop_mm

FLAT = Waves(np.zeros((1, 3)), np.zeros(1))


def head(seed=1, *, stage="II", percent=15.0, form=None, **anatomy_changes):
    generator = np.random.default_rng(seed)
    anatomy = replace(draw_anatomy(generator, sex="female"), **anatomy_changes)
    lesion = draw_lesion(
        generator, arco_stage=stage, necrosis_percent=percent, head_radius_mm=anatomy.radius_mm,
        neck_axis=anatomy.neck_axis, form=form,
    )  # fmt: skip
    return Head(anatomy, lesion, percent)


def ball(percent, focus):
    """A perfect sphere without pit and neck plane, with a lesion of one focus and a smooth border."""
    made = head(percent=percent, stretch=(0.0, 0.0, 0.0), neck_plane_mm=21.999, radius_mm=22.0)
    lesion = replace(made.lesion, foci=(focus,), wander_mm=0.0, wandering=FLAT, head_radius_mm=22.0)

    class Anatomy(type(made.anatomy)):
        fovea_ball_mm = ((60.0, 0.0, 0.0), 1.0)  # far away

    return Head(Anatomy(**vars(made.anatomy)), lesion, percent)


UP = Focus(axis=(0.0, 0.0, 1.0), across=(1.0, 0.0, 0.0), stretch=0.0, slope=1.0, roundness_mm=0.0)


def test_a_ball_has_the_volume_and_surface_of_a_ball():
    made = ball(10.0, UP)
    assert made.volume_mm3 == pytest.approx(4 / 3 * np.pi * 22**3, rel=1e-4)
    assert made.surface_areas_mm2()[0] == pytest.approx(4 * np.pi * 22**2, rel=1e-3)


@pytest.mark.parametrize("half_deg", [40.0, 60.0, 75.0])
def test_a_wedge_to_the_centre_has_the_published_share_arcs_and_surface(half_deg):
    # docs/sources.md#angle-and-volume: volume and surface share (1 - cos t) / 2, t to both sides in each plane
    share = 50 * (1 - np.cos(np.deg2rad(half_deg)))
    wedge = replace(UP, slope=float(np.tan(np.deg2rad(half_deg))))
    made = ball(share, wedge)
    assert made.extent_mm == pytest.approx(0.0, abs=0.02)  # the tip of the cone lies at the centre
    assert made.arc_deg((0.0, 1.0, 0.0)) == pytest.approx(2 * half_deg, abs=0.5)
    assert made.arc_deg((1.0, 0.0, 0.0)) == pytest.approx(2 * half_deg, abs=0.5)
    surface, dead = made.surface_areas_mm2()
    assert 100 * dead / surface == pytest.approx(share, rel=0.02)
    x, y, z = made.necrosis_centre_mm()
    # centroid of a ball's sector: 3/8 R (1 + cos t) from the centre
    assert (x, y) == pytest.approx((0.0, 0.0), abs=0.02)
    assert z == pytest.approx(3 / 8 * 22 * (1 + np.cos(np.deg2rad(half_deg))), rel=0.01)


@pytest.mark.parametrize(
    ("half_deg", "share"), [(40, 3.8), (45.6, 6.1), (50, 8.4), (60, 15.6), (66.4, 21.6), (75, 31.0)]
)
def test_caps_have_the_published_shares(half_deg, share):
    assert cap_half_angle_deg(share) == pytest.approx(half_deg, abs=0.35)
    flat = replace(UP, slope=1e4)
    assert ball(share, flat).arc_deg((0.0, 1.0, 0.0)) == pytest.approx(2 * half_deg, abs=1.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_head_is_a_sphere_cut_by_the_neck_plane_less_its_pit(seed):
    made = head(seed)
    c, r = made.anatomy.neck_plane_mm, made.anatomy.radius_mm
    analytic = np.pi * (2 * r**3 / 3 + r * r * c - c**3 / 3)
    assert made.volume_mm3 == pytest.approx(analytic, rel=0.015)
    assert made.volume_mm3 < analytic * 1.004
    assert made.surface_areas_mm2()[0] == pytest.approx(2 * np.pi * r * (r + c), rel=0.02)


@pytest.mark.parametrize(
    ("stage", "form"),
    [("II", "wedge"), ("IIIA", "cap"), ("IIIB", "band"), ("IIIB", "multifocal"), ("II", "whole head")],
)
def test_volumes_and_centroid_are_those_of_random_points(stage, form):
    made = head(5, stage=stage, percent=22.0, form=form)
    rng = np.random.default_rng(8)
    side = 2 * (made.anatomy.radius_mm + 1)
    points = tuple(rng.uniform(-side / 2, side / 2, (3, 400_000)).astype(np.float32))
    inside = is_head(made.anatomy, made.lesion, points)
    dead = inside & (made.lesion.reach_mm(points) < made.extent_mm)
    assert made.volume_mm3 == pytest.approx(inside.mean() * side**3, rel=0.01)
    assert made.necrosis_mm3(made.extent_mm) == pytest.approx(dead.mean() * side**3, rel=0.025)
    assert 100 * made.necrosis_mm3(made.extent_mm) / made.volume_mm3 == pytest.approx(22.0, abs=0.01)
    centroid = [float(p[dead].mean()) for p in points]
    assert made.necrosis_centre_mm() == pytest.approx(centroid, abs=0.2)


def test_a_lesion_that_reaches_further_takes_more_bone_surface_and_arc():
    small, large = (head(7, percent=percent, form="wedge") for percent in (8.0, 30.0))
    assert small.extent_mm < large.extent_mm
    assert small.surface_areas_mm2()[1] < large.surface_areas_mm2()[1]
    assert small.arc_deg((0.0, 1.0, 0.0)) < large.arc_deg((0.0, 1.0, 0.0))


def test_collapse_takes_bone_over_the_lesion_and_nowhere_else():
    made = head(9, stage="IIIB", percent=25.0)
    whole = Head(made.anatomy, replace(made.lesion, collapse_mm=0.0), 25.0)
    pole = np.array(made.lesion.foci[0].axis)[:, None]
    assert whole.surface_mm(pole) - made.surface_mm(pole) == pytest.approx(made.lesion.collapse_mm, abs=0.01)
    assert made.surface_mm(-pole) == whole.surface_mm(-pole)
    assert made.volume_mm3 < whole.volume_mm3


def test_a_healthy_head_has_no_necrosis():
    made = Head(head().anatomy, None, 0.0)
    assert made.surface_areas_mm2()[1] == 0
    assert made.arc_deg((0.0, 1.0, 0.0)) == 0
    assert made.necrosis_centre_mm() is None


@pytest.mark.parametrize("seed", range(4))
def test_landmarks_of_the_acetabulum_lie_on_its_bone(seed):
    anatomy = head(seed).anatomy
    edge, teardrop = acetabular_edge_mm(anatomy), teardrop_mm(anatomy)

    def bone(x, z):
        return float(anatomy.pelvis_mm(tuple(np.array([v], np.float32) for v in (x, 0.0, z)))[0])

    assert edge[0] < 0 < edge[2]  # lateral and above the head centre
    assert np.hypot(edge[0], edge[2]) == pytest.approx(anatomy.socket_mm, abs=0.05)
    assert abs(bone(edge[0], edge[2])) < 6
    assert teardrop[0] > 0 > teardrop[2]  # medial and below
    assert bone(teardrop[0], teardrop[2]) < 0 < bone(teardrop[0], teardrop[2] - 0.5)
    # centre-edge angle: from the vertical to the lateral edge
    assert 10 < np.rad2deg(np.arctan2(-edge[0], edge[2])) < 60


def test_the_surface_along_rays_is_where_the_signed_distance_changes_sign():
    made = head(11, stage="IIIB", percent=30.0)
    directions = np.random.default_rng(1).normal(size=(3, 500))
    directions /= np.linalg.norm(directions, axis=0)
    reach = made.surface_mm(directions)
    for factor, sign in ((0.995, -1), (1.005, 1)):
        points = tuple((d * reach * factor).astype(np.float32) for d in directions)
        assert (np.sign(head_mm(made.anatomy, made.lesion, points)) == sign).mean() > 0.99
