"""One row per hip: the same whatever the file's axis order, honest about what cannot be measured."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avnnet.columns import QUANTITIES
from avnnet.errors import InvalidScheme
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import HIP, LabelScheme, Side
from avnnet.measure import measure, measurement_row, quantities, quantity_columns
from avnnet.measure.change import change
from tests.conftest import ORDERS, reordered
from tests.measure.conftest import NECK, RADIUS_MM, UP, off_axis_deg

ANTERIOR = np.array([-0.2, -0.6, 0.75]) / np.linalg.norm([-0.2, -0.6, 0.75])
NUMBERS = [one.name for one in QUANTITIES if not one.is_text]
WORDS = [one.name for one in QUANTITIES if one.is_text]


def wedge(points):
    return off_axis_deg(points, ANTERIOR) < 45


def row_of(labels, side=Side.RIGHT):
    return quantities(labels, side).iloc[0]


def same(first, second):
    """Whether two rows agree to rounding, their words exactly."""
    one, other = (row[NUMBERS].to_numpy(float) for row in (first, second))
    words = [*WORDS, "flags", "not_measured"]
    is_close = np.allclose(one, other, rtol=1e-6, atol=1e-6, equal_nan=True)
    return is_close and first[words].tolist() == second[words].tolist()


@pytest.fixture(scope="module")
def coarse():
    """A small head on an oblique grid, drawn once."""
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    grid = Grid((22, 30, 31), (2.2, 1.7, 1.6), (12.0, -30.0, 5.0), tuple(map(tuple, turn)))
    points = grid.to_lps(np.moveaxis(np.indices(grid.shape), 0, -1)) - grid.to_lps((10.6, 14.2, 15.1))
    inside = (np.linalg.norm(points, axis=-1) < RADIUS_MM) & (points @ NECK < 14)
    return LabelMap(inside.astype(np.uint8) + (inside & wedge(points)), grid)


@pytest.fixture(scope="module")
def coarse_row(coarse):
    return row_of(coarse)


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_every_axis_order_and_flip_gives_the_same_row(coarse, coarse_row, axes, flips):
    assert same(row_of(reordered(coarse, axes, flips)), coarse_row)


def test_a_left_hip_is_measured_as_its_mirror_image(coarse, coarse_row):
    grid = coarse.grid
    mirror = np.array([[-1.0], [1.0], [1.0]])
    origin, direction = np.asarray(grid.origin) * mirror[:, 0], grid.direction * mirror
    mirrored = Grid(grid.shape, grid.spacing, tuple(origin), tuple(map(tuple, direction)))
    right, left = coarse_row.copy(), row_of(LabelMap(coarse.array, mirrored), Side.LEFT)
    assert left["head_centre_x_mm"] == pytest.approx(-right["head_centre_x_mm"])
    left["head_centre_x_mm"] = right["head_centre_x_mm"]
    assert same(left, right)


def test_moving_the_head_moves_its_centre_alone(coarse, coarse_row):
    grid = coarse.grid
    moved = Grid(grid.shape, grid.spacing, tuple(np.add(grid.origin, (300.0, -200.0, 50.0))), grid.direction)
    here, there = coarse_row, row_of(LabelMap(coarse.array, moved))
    assert there["head_centre_y_mm"] == pytest.approx(here["head_centre_y_mm"] - 200)
    centre = [name for name in NUMBERS if name.startswith("head_centre")]
    there[centre] = here[centre]
    assert same(there, here)


def test_background_around_the_head_changes_nothing(coarse, coarse_row):
    padded = np.pad(coarse.array, 9)
    origin = coarse.grid.to_lps((-9, -9, -9))
    grid = Grid(padded.shape, coarse.grid.spacing, tuple(origin), coarse.grid.direction)
    assert same(row_of(LabelMap(padded, grid)), coarse_row)


def test_the_centroid_and_the_octants_of_an_anterosuperior_lesion_lie_there(head):
    row = row_of(head(wedge))
    assert row["lesion_latitude_deg"] == pytest.approx(np.rad2deg(np.arcsin(ANTERIOR[2])), abs=2)
    assert row["lesion_longitude_deg"] == pytest.approx(np.rad2deg(np.arctan2(-ANTERIOR[1], -ANTERIOR[0])), abs=3)
    octants = [name for name in NUMBERS if name.startswith(("superior", "inferior"))]
    assert row[octants].sum() == pytest.approx(100)
    assert row[octants].astype(float).idxmax() == "superior_anterior_lateral_percent"


def test_a_lesion_to_a_depth_has_that_necrotic_depth(head):
    row = row_of(head(lambda p: (off_axis_deg(p) < 40) & (np.linalg.norm(p, axis=-1) > RADIUS_MM - 9)))
    assert row["necrotic_depth_mm"] == pytest.approx(9, abs=0.8)
    assert row["necrotic_depth_percent"] == pytest.approx(100 * 9 / (2 * RADIUS_MM), abs=2)


def test_a_row_has_the_columns_of_the_page_and_no_others(head):
    assert list(quantities(head(wedge), Side.RIGHT).columns) == [*quantity_columns(), "flags"]
    page = (Path(__file__).parents[2] / "docs" / "measurements.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in quantity_columns())


@pytest.mark.parametrize("name", [one.name for one in QUANTITIES])
def test_a_number_has_its_unit_in_its_name(name):
    units = ("_cm3", "_cm2", "_mm", "_deg", "_percent", "_probability", "_index")
    assert name.endswith(units) != (name in WORDS)


# what a newcomer gets wrong: a row with its reason, never a number made up


def test_an_empty_mask_has_no_head_and_no_numbers():
    row = row_of(LabelMap(np.zeros((9, 9, 9), np.uint8), Grid((9, 9, 9))))
    assert row["flags"] == "no_head"
    assert row["head_cm3"] == row["necrosis_cm3"] == 0
    assert np.isnan(row[["necrosis_percent", "modified_kerboul_deg", "head_radius_mm"]].astype(float)).all()
    assert "empty" in row["not_measured"]


def test_a_head_of_twenty_voxels_has_volumes_only():
    array = np.zeros((9, 9, 9), np.uint8)
    array[3:5, 3:5, 2:7] = 1
    row = row_of(LabelMap(array, Grid((9, 9, 9), (3.0, 3.0, 3.0))))
    assert "unmeasurable" in row["flags"].split()
    assert "20 voxels" in row["not_measured"]
    assert row["head_cm3"] == pytest.approx(0.54)
    assert np.isnan(row["head_radius_mm"])


def test_necrosis_without_a_head_is_flagged_and_its_shape_is_no_head(head):
    labels = head(lambda p: np.linalg.norm(p - [0, 0, 16], axis=-1) < 4)
    alone = LabelMap(np.where(labels.array == 2, 2, 0).astype(np.uint8), labels.grid)
    row = row_of(alone)
    assert {"no_vital", "unmeasurable"} <= set(row["flags"].split())
    assert np.isnan(row["modified_kerboul_deg"])
    assert np.isnan(row["necrosis_percent"])
    assert row["steinberg_grade"] == ""


def test_a_whole_head_lesion_is_all_of_the_head_and_flagged(head):
    row = row_of(head(lambda p: np.ones(p.shape[:-1], bool)))
    assert row["necrosis_percent"] == 100
    assert "no_vital" in row["flags"].split()
    assert row["steinberg_grade"] == "C"
    assert row["necrosis_surface_percent"] == pytest.approx(100)


def test_a_healthy_head_has_angles_of_zero_and_no_grade(head):
    row = row_of(head())
    assert row["flags"] == "no_necrosis"
    zero = ["necrosis_percent", "modified_kerboul_deg", "necrosis_surface_cm2", "lesion_interface_cm2"]
    assert row[zero].tolist() == [0] * 4
    assert row["steinberg_grade"] == row["modified_kerboul_grade"] == ""
    assert np.isnan(row["collapse_mm"])
    assert "no necrosis" in row["not_measured"]


def test_a_head_cut_by_the_field_is_flagged_and_keeps_its_sphere(head):
    labels = head(wedge)
    grid, cut = labels.grid, labels.array[:, :, : labels.grid.shape[2] * 2 // 3]
    row = row_of(LabelMap(cut, Grid(cut.shape, grid.spacing, grid.origin, grid.direction)))
    assert "fov_truncated" in row["flags"].split()
    assert row["head_radius_mm"] == pytest.approx(RADIUS_MM, abs=0.5)


def test_of_a_head_cut_in_half_by_the_field_no_surface_is_made_up(head):
    labels = head(wedge)
    start = labels.grid.shape[0] // 2
    grid = labels.grid
    half = Grid(
        (grid.shape[0] - start, *grid.shape[1:]), grid.spacing, tuple(grid.to_lps((start, 0, 0))), grid.direction
    )
    row = row_of(LabelMap(labels.array[start:], half))
    assert "fov_truncated" in row["flags"].split()
    assert row["head_radius_mm"] == pytest.approx(RADIUS_MM, abs=0.5)
    assert not row["collapse_mm"] > 1  # the cut is no collapse
    whole = row_of(labels)
    assert row["articular_surface_cm2"] < whole["articular_surface_cm2"]
    # half a ball fixes its centre less well: 1 mm there is 2.6 degrees at each of four edges
    assert row["modified_kerboul_deg"] <= whole["modified_kerboul_deg"] + 11


def test_islands_and_holes_are_flagged_and_do_not_move_the_sphere(head):
    labels = head(wedge)
    array = labels.array.copy()
    array[:2, :2, :2] = 1  # an island in the corner
    middle = tuple(n // 2 for n in array.shape)
    array[middle[0] - 1 : middle[0] + 2, middle[1] - 1 : middle[1] + 2, middle[2] - 1 : middle[2] + 2] = 0
    row, clean = row_of(LabelMap(array, labels.grid)), row_of(labels)
    assert {"several_pieces", "holes"} <= set(row["flags"].split())
    assert row["head_radius_mm"] == pytest.approx(clean["head_radius_mm"], abs=0.05)
    assert row["head_surface_cm2"] == pytest.approx(clean["head_surface_cm2"], rel=0.01)


def test_slices_of_8_mm_are_flagged_and_say_how_wrong_the_volume_can_be(head):
    row = row_of(head(wedge, spacing=(8.0, 0.6, 0.6)))
    assert "thick_slices" in row["flags"].split()
    assert row["necrosis_discretisation_percent"] > 3
    assert row["head_radius_mm"] == pytest.approx(RADIUS_MM, abs=1.5)


def test_other_schemes_have_volumes_and_their_quantities_are_refused():
    scheme = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")
    labels = LabelMap(np.ones((4, 4, 4), np.uint8), Grid((4, 4, 4)), scheme)
    assert list(measure(labels).columns) == [*scheme.volume_columns, "flags"]
    with pytest.raises(InvalidScheme, match="only a hip"):
        quantities(labels)


def test_a_column_of_the_cohort_with_the_name_of_a_quantity_is_kept_beside_it(head):
    case = pd.DataFrame([{"patient_id": "p", "case_id": "c", "side": "right", "collapse_mm": 7.5}])
    row = measurement_row(case, "manual", head(wedge)).iloc[0]
    assert row["given_collapse_mm"] == 7.5
    assert row["collapse_mm"] < 1
    assert row["error"] == ""


def test_growth_between_two_scans_is_the_difference_and_another_head_is_flagged(head):
    small, large = (quantities(head(lambda p, a=a: off_axis_deg(p) < a), Side.RIGHT) for a in (35, 45))
    table = change(small, large).set_index("quantity")
    assert table.loc["necrosis_cm3", "difference"] == pytest.approx(
        large["necrosis_cm3"].iloc[0] - small["necrosis_cm3"].iloc[0]
    )
    assert (table["flags"] == "").all()
    other = quantities(head(lambda p: off_axis_deg(p) < 45, radius_mm=RADIUS_MM + 3), Side.RIGHT)
    assert (change(small, other)["flags"] == "another_head").all()


@pytest.mark.parametrize("seed", range(40))
def test_no_mask_however_odd_ends_in_anything_but_a_row(seed):
    generator = np.random.default_rng(seed)
    shape = tuple(int(n) for n in generator.integers(1, 26, 3))
    grid = Grid(shape, tuple(np.exp(generator.uniform(-1, 2.2, 3))))
    points = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) - grid.to_lps(np.asarray(shape) * generator.random(3))
    kind = seed % 4
    inside = np.linalg.norm(points * generator.uniform(0.6, 1.6, 3), axis=-1) < generator.uniform(3, 40)
    if kind == 1:
        inside = generator.random(shape) < generator.uniform(0.01, 0.9)
    elif kind == 2:
        inside[generator.random(shape) < 0.3] = False
    elif kind == 3:
        inside = np.ones(shape, bool)
    dead = inside & (generator.random(shape) < generator.random() if seed % 3 else points @ UP > generator.normal(0, 8))
    row = row_of(LabelMap(inside.astype(np.uint8) + dead, grid, HIP), [None, Side.LEFT, Side.RIGHT][seed % 3])
    assert row["head_cm3"] == pytest.approx(inside.sum() * grid.voxel_mm3 / 1000)
    if np.isnan(row["head_radius_mm"]):
        assert {"unmeasurable", "no_head"} & set(row["flags"].split())
        assert row["not_measured"]
