"""Arcs, grades and types: ties, several arcs, lesions that keep off the surface."""

import numpy as np
import pytest

from avnnet.errors import InvalidConfig
from avnnet.grades import DEPRESSION, EXTENT, HA_RISK, KERBOUL, MODIFIED_KERBOUL, STEINBERG
from avnnet.labels import Side
from avnnet.measure import Landmarks, Setting, measured_head, quantities
from avnnet.measure.extent import STEP_DEG, _runs, arcs_in, largest_offset_mm, patient_planes
from tests.measure.conftest import RADIUS_MM, UP, off_axis_deg

CORONAL, SAGITTAL = patient_planes()
TILTED = np.array([0.0, -0.5, 0.8]) / np.linalg.norm([0.0, -0.5, 0.8])


def row_of(labels, side=Side.RIGHT, setting=None):
    return quantities(labels, side, setting).iloc[0]


@pytest.mark.parametrize(
    ("grading", "value", "grade"),
    [
        (STEINBERG, 14.999, "A"), (STEINBERG, 15.0, "B"), (STEINBERG, 30.0, "B"), (STEINBERG, 30.001, "C"),
        (KERBOUL, 160.0, "small"), (KERBOUL, 160.1, "medium"), (KERBOUL, 200.0, "large"),
        (MODIFIED_KERBOUL, 199.9, "1"), (MODIFIED_KERBOUL, 200.0, "2"), (MODIFIED_KERBOUL, 250.0, "3"),
        (MODIFIED_KERBOUL, 300.0, "4"), (HA_RISK, 190.0, "low"), (HA_RISK, 190.1, "moderate"),
        (HA_RISK, 240.0, "high"), (EXTENT, 33.0, "small"), (EXTENT, 66.0, "medium"), (EXTENT, 66.1, "large"),
        (DEPRESSION, 2.0, "up_to_2mm"), (DEPRESSION, 2.01, "over_2mm"), (STEINBERG, float("nan"), ""),
    ],
)  # fmt: skip
def test_a_value_on_a_bound_has_the_grade_of_the_source(grading, value, grade):
    assert grading.of(value) == grade


def test_the_probabilities_of_the_grades_add_up_and_are_even_on_a_bound():
    shares = STEINBERG.probabilities(30.0, 4.0)
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["C"] == pytest.approx(0.5)
    with pytest.raises(InvalidConfig, match="above 0"):
        STEINBERG.probabilities(30.0, 0.0)


def test_probabilities_have_columns_only_where_an_error_is_given(head):
    labels = head(lambda p: off_axis_deg(p) < 45)
    assert not [name for name in quantities(labels, Side.RIGHT) if "_1_probability" in name or "_A_" in name]
    row = row_of(labels, setting=Setting(percent_se=2.0, angle_se_deg=10.0))
    assert sum(row[f"steinberg_{grade}_probability"] for grade in "ABC") == pytest.approx(1)
    assert sum(row[f"modified_kerboul_{grade}_probability"] for grade in "1234") == pytest.approx(1)


def test_two_foci_have_two_arcs_and_a_hull_around_both(head):
    def foci(p):
        return (off_axis_deg(p, np.array([0.6, 0, 0.8])) < 15) | (off_axis_deg(p, np.array([-0.6, 0, 0.8])) < 15)

    labels = head(foci, spacing=(0.8, 0.7, 0.7))
    arcs = arcs_in(measured_head(labels, Side.RIGHT), CORONAL)
    assert len(arcs.arcs_deg) == 2
    assert arcs.arc_deg == pytest.approx(60, abs=5)
    assert arcs.hull_deg == pytest.approx(2 * np.rad2deg(np.arcsin(0.6)) + 30, abs=4)
    assert "several_arcs" in row_of(labels)["flags"].split()


def test_arcs_wrap_around_where_angles_begin():
    true = np.zeros(round(360 / STEP_DEG), bool)
    true[:40] = true[-20:] = True
    assert _runs(true) == ((355.0, 370.0),)
    assert _runs(np.ones_like(true)) == ((0.0, 360.0),)
    assert _runs(np.zeros_like(true)) == ()


def test_a_lesion_off_the_surface_has_its_shadow_for_an_arc_and_a_flag(head):
    row = row_of(head(lambda p: np.linalg.norm(p - [0, 0, 10], axis=-1) < 6))
    assert row["coronal_arc_deg"] == pytest.approx(2 * np.rad2deg(np.arcsin(0.6)), abs=6)
    assert row["necrosis_surface_cm2"] == 0
    assert "lesion_off_surface" in row["flags"].split()
    assert "no necrosis at the joint surface" in row["not_measured"]
    assert np.isnan(row["collapse_mm"])


def test_the_largest_section_is_found_beside_the_centre(head):
    found = measured_head(head(lambda p: np.linalg.norm(p - [0, -9, 12], axis=-1) < 7), Side.RIGHT)
    assert largest_offset_mm(found, CORONAL) == pytest.approx(9, abs=0.8)  # anterior
    assert largest_offset_mm(found, SAGITTAL) == pytest.approx(0, abs=0.8)


def test_a_tilt_that_leans_to_the_lesion_makes_the_coronal_arc_that_of_its_axis(head):
    labels = head(lambda p: off_axis_deg(p, TILTED) < 40, spacing=(0.8, 0.7, 0.7))
    lean_deg = np.rad2deg(np.arctan2(0.5, 0.8))
    straight, tilted = row_of(labels), row_of(labels, setting=Setting(tilt_deg=lean_deg))
    assert tilted["coronal_arc_deg"] == pytest.approx(80, abs=4)
    assert straight["coronal_arc_deg"] < 70
    assert tilted["sagittal_arc_deg"] == pytest.approx(straight["sagittal_arc_deg"], abs=1)
    assert tilted["plane_tilt_deg"] == lean_deg


CENTRE = np.array([31.3, -12.4, 55.7])
ACROSS = np.array([-24.0, 0, 16.0])
EDGE, TEARDROP = CENTRE + ACROSS, CENTRE - ACROSS  # the bisector runs through the centre


@pytest.mark.parametrize(
    ("from_deg", "to_deg", "kind"), [(60, 75, "A"), (60, 112, "B"), (60, 126, "C1"), (60, 170, "C2")]
)
def test_jic_is_how_far_lateral_the_lesion_reaches_below_the_acetabulum(head, from_deg, to_deg, kind):
    def dead(p):
        angle = np.rad2deg(np.arctan2(p[..., 2], p[..., 0]))  # 0 medial, 90 top, 180 lateral
        return (angle > from_deg) & (angle < to_deg) & (np.linalg.norm(p, axis=-1) > 10)

    landmarks = Landmarks(tuple(EDGE), tuple(TEARDROP))
    assert row_of(head(dead), setting=Setting(landmarks=landmarks))["jic_type"] == kind


def test_landmarks_of_another_hip_are_refused(head):
    labels = head(lambda p: off_axis_deg(p) < 40)
    with pytest.raises(InvalidConfig, match="lateral of this head"):
        row_of(labels, setting=Setting(landmarks=Landmarks(tuple(TEARDROP), tuple(EDGE))))
    with pytest.raises(InvalidConfig, match="20 to 120 mm"):
        Landmarks((0, 0, 0), (0, 0, 5))


@pytest.mark.parametrize(
    ("dead", "kind"),
    [
        (lambda p: p[..., 0] > 0.5 * RADIUS_MM, "M"),
        (lambda p: p[..., 0] > 0, "C"),
        (lambda p: p @ UP > 5, "L1"),
        (lambda p: p[..., 0] < 0, "L2"),
        (lambda p: np.ones(p.shape[:-1], bool), "L3"),
    ],
)
def test_cjfh_is_which_pillars_are_dead(head, dead, kind):
    assert row_of(head(dead))["cjfh_type"] == kind


def test_without_side_or_landmarks_the_types_are_said_to_be_impossible(head):
    labels = head(lambda p: off_axis_deg(p) < 40)
    with_side, without = row_of(labels), row_of(labels, None)
    assert with_side["jic_type"] == without["cjfh_type"] == ""
    assert "jic_type: no landmarks" in with_side["not_measured"]
    assert "cjfh_type, jic_type: the side is not known" in without["not_measured"]
    assert np.isnan(without["lesion_longitude_deg"])
