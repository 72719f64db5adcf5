"""The Mann-Whitney test against published data, and the stages behind it."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats import early_or_advanced, mann_whitney


def two_groups(first, second, **columns) -> pd.DataFrame:
    values = [*first, *second]
    table = pd.DataFrame({"patient_id": range(len(values)), "case_id": range(len(values)), "reader": "manual"})
    return table.assign(value=values, set=["x"] * len(first) + ["y"] * len(second), **columns)


WATER = (
    [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
    [1.15, 0.88, 0.90, 0.74, 1.21],
)


def test_the_water_transfer_data_give_the_published_exact_p():
    row = mann_whitney(two_groups(*WATER), "value", group="set", groups=("y", "x"), classify=str).iloc[0]
    assert row["u"] == 35
    assert row["p"] == pytest.approx(0.2544122544, abs=1e-10)
    assert row["shift"] == pytest.approx(0.305)
    assert row["method"] == "exact"
    assert row["rank_biserial"] == pytest.approx(2 * 35 / 50 - 1)


def test_swapping_the_groups_negates_the_effect():
    row = mann_whitney(two_groups(*WATER), "value", group="set", groups=("x", "y"), classify=str).iloc[0]
    assert (row["u"], row["shift"]) == (15, pytest.approx(-0.305))
    assert row["p"] == pytest.approx(0.2544122544, abs=1e-10)


def test_ties_take_the_normal_approximation():
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    row = mann_whitney(two_groups(second, first), "value", group="set", groups=("x", "y"), classify=str).iloc[0]
    assert (row["u"], row["method"]) == (25.5, "asymptotic")
    assert row["p"] == pytest.approx(0.0693275754, abs=1e-9)


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ("I", "early"), ("II", "early"), ("ARCO II", "early"), (2, "early"), (1.0, "early"),
        ("IIIA", "advanced"), (" IIIB ", "advanced"), ("III", "advanced"), ("ARCO 3A", "advanced"),
        ("iiia", "advanced"), (3, "advanced"),
        ("IV", None), (4, None), ("0", None), ("", None), (None, None), (np.nan, None), ("unknown", None),
    ],
)  # fmt: skip
def test_a_stage_is_early_or_advanced_or_neither(stage, expected):
    assert early_or_advanced(stage) == expected


def test_late_and_unknown_stages_are_left_out_and_counted():
    table = two_groups([1.0, 2, 3], [4.0, 5, 6, np.nan])
    table["arco_stage"] = ["I", "II", "IV", "IIIA", "IIIB", None, "IIIA"]
    row = mann_whitney(table, "value", group="arco_stage").iloc[0]
    assert (row["first_n_cases"], row["second_n_cases"]) == (2, 2)
    assert (row["n_no_group"], row["n_excluded"]) == (2, 1)
    assert (row["first_mean"], row["second_mean"]) == (1.5, 4.5)


def test_hips_of_one_patient_are_one_value_and_a_patient_of_both_groups_is_none():
    table = two_groups([1.0, 3.0, 4.0, 5.0], [7.0, 9.0, 10.0])
    table["patient_id"] = ["a", "a", "b", "c", "c", "d", "e"]
    row = mann_whitney(table, "value", group="set", groups=("x", "y"), classify=str).iloc[0]
    assert (row["first_n_cases"], row["first_n_patients"]) == (4, 2)
    assert (row["second_n_cases"], row["second_n_patients"]) == (3, 2)
    assert row["n_patients_in_both"] == 1
    assert row["shift"] == pytest.approx(np.median([9 - 2, 9 - 4, 10 - 2, 10 - 4]))


@pytest.mark.parametrize(
    ("first", "second", "note"),
    [
        ([1.0], [2.0, 3.0], "fewer than 2"),
        ([], [2.0, 3.0], "fewer than 2"),
        ([2.0, 2.0], [2.0, 2.0], "same value"),
    ],
)
def test_too_little_to_test_gives_no_p_and_says_why(first, second, note):
    row = mann_whitney(two_groups(first, second), "value", group="set", groups=("x", "y"), classify=str).iloc[0]
    assert np.isnan(row["p"])
    assert note in row["note"]


def test_the_rows_of_several_readers_are_not_mixed():
    table = two_groups(*WATER)
    both = pd.concat([table, table.assign(reader="unet3d")])
    with pytest.raises(StatisticsError, match=r"\['manual', 'unet3d'\].*reader="):
        mann_whitney(both, "value", group="set", groups=("x", "y"), classify=str)
    assert mann_whitney(both, "value", group="set", reader="unet3d").iloc[0]["reader"] == "unet3d"


def test_an_absent_stage_column_is_named():
    with pytest.raises(StatisticsError, match=r"no column \['arco_stage'\]"):
        mann_whitney(two_groups(*WATER), "value", group="arco_stage")
