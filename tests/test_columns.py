"""The list of quantities, and what follows from it."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import avnnet
from avnnet.columns import GRADE_COLUMNS, PROBABLE, QUANTITIES, TEXT_COLUMNS, check_columns
from avnnet.errors import UnknownColumn
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import Side
from avnnet.measure import Setting, measurement_row, quantities
from avnnet.measure.checked import CheckedRow
from avnnet.tables import read_table, write_table

STANDS_ON_THE_SURFACE = {
    "head_surface_cm2", "articular_surface_cm2", "necrosis_surface_cm2", "necrosis_surface_percent",
    "coronal_arc_deg", "sagittal_arc_deg", "coronal_hull_deg", "sagittal_hull_deg",
    "coronal_max_arc_deg", "sagittal_max_arc_deg", "combined_necrotic_deg", "modified_kerboul_deg",
    "necrotic_extent_index", "modified_necrotic_extent_index",
    "collapse_mm", "collapse_sd_mm", "collapse_over_2mm_probability", "necrotic_depth_mm", "necrotic_depth_percent",
}  # fmt: skip


def ball() -> LabelMap:
    z, y, x = np.indices((56, 56, 56)) - 27.5
    inside, top = x**2 + y**2 + z**2 < 24**2, z > 12
    return LabelMap(inside.astype(np.uint8) + (inside & top), Grid((56, 56, 56)))


def test_a_mistyped_column_is_refused_by_name():
    row = CheckedRow()
    with pytest.raises(UnknownColumn, match="necrosis_cm2"):
        row.put({"necrosis_cm3": 1.0, "necrosis_cm2": 4.2})
    assert np.isnan(row.number("necrosis_cm3"))  # nothing of a refused row is kept


@pytest.mark.parametrize("name", [one.name for one in QUANTITIES])
def test_every_quantity_is_taken_under_its_own_name_alone(name):
    check_columns([name])
    with pytest.raises(UnknownColumn):
        check_columns([f"{name}s"])


def test_a_quantity_of_text_comes_back_as_text(tmp_path):
    texts = [one.name for one in QUANTITIES if one.is_text]
    table = pd.DataFrame([dict.fromkeys([one.name for one in QUANTITIES], 1.0) | dict.fromkeys(texts, "1")])
    back = read_table(write_table(table, tmp_path / "t.csv")).iloc[0]
    assert {name for name, value in back.items() if isinstance(value, str)} == set(texts)


def test_a_measured_row_holds_words_where_the_list_says_text_and_numbers_elsewhere():
    row = quantities(ball(), Side.LEFT).iloc[0]
    assert {one.name for one in QUANTITIES if isinstance(row[one.name], str)} == set(TEXT_COLUMNS) & {
        one.name for one in QUANTITIES
    }


def test_a_head_cut_by_the_field_loses_what_stands_on_its_surface_and_nothing_else():
    row = CheckedRow()
    row.put({one.name: "1" if one.is_text else 1.0 for one in QUANTITIES})
    row.flag([Flag.SEVERAL_ARCS, Flag.FOV_TRUNCATED, Flag.BORDERLINE_COLLAPSE])
    row.forget_surface()
    table = row.table()
    assert {name for name in table if pd.isna(table.loc[0, name])} == STANDS_ON_THE_SURFACE
    assert table.loc[0, "flags"] == "fov_truncated"
    assert "surfaces" in table.loc[0, "not_measured"]


def test_a_grade_is_that_of_its_own_column():
    row = quantities(ball(), Side.RIGHT).iloc[0]
    grades = [one for one in QUANTITIES if one.grading is not None]
    assert [row[one.name] for one in grades] == [one.grading.of(row[one.graded]) for one in grades]
    assert set(GRADE_COLUMNS) == {one.name for one in grades} - {"ha_risk"}  # by the angle of another


def test_probabilities_of_the_classes_have_columns_of_their_own_and_sum_to_one():
    row = quantities(ball(), Side.RIGHT, Setting(percent_se=2.0, angle_se_deg=10.0)).iloc[0]
    for grading in PROBABLE:
        assert row[grading.probability_columns].sum() == pytest.approx(1.0)


def test_the_writer_of_rows_refuses_a_column_that_nobody_listed(monkeypatch):
    case = pd.DataFrame({"patient_id": ["p"], "case_id": ["c"], "side": [""]})
    measured = quantities(ball()).assign(head_cm4=1.0)
    monkeypatch.setattr("avnnet.measure.rows.measure", lambda *_: measured)
    with pytest.raises(UnknownColumn, match="head_cm4"):
        measurement_row(case, "manual", ball())


@pytest.mark.parametrize(
    "name", ["IDENTITY", "KEY", "STAGE", "MM3_PER_CM3", "METRICS", "OUTCOMES", "MANUAL", "ENSEMBLE"]
)
def test_a_fact_has_one_home(name):
    package = Path(avnnet.__file__).parent
    homes = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets)
    ]
    assert len(homes) <= 1
