"""The Mann-Whitney test against published data, and the stages behind it."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats.groups import arco_stage, early_or_advanced, kruskal_wallis, mann_whitney


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


def compared(first, second) -> pd.Series:
    return mann_whitney(two_groups(first, second), "value", group="set", groups=("x", "y"), classify=str).iloc[0]


def test_the_water_transfer_data_give_the_published_interval_and_both_p_values():
    row = compared(WATER[1], WATER[0])
    assert row["p_exact"] == pytest.approx(0.2544122544, abs=1e-10)
    assert row["p_exact"] / 2 == pytest.approx(0.1272061272, abs=1e-10)  # one-sided
    assert row["p_asymptotic"] == pytest.approx(0.2446236051, abs=1e-10)
    assert row["p_asymptotic"] / 2 == pytest.approx(0.1223118026, abs=1e-10)
    assert (row["shift_ci_low"], row["shift_ci_high"]) == pytest.approx((-0.15, 0.76), abs=1e-12)
    assert (row["auc"], row["auc_ci_low"]) == pytest.approx((0.7, 0.422050354971017))  # pROC 1.18
    assert row["rank_biserial_ci_low"] == pytest.approx(2 * row["auc_ci_low"] - 1)
    assert row["note"] == ""


def test_swapping_the_groups_mirrors_the_intervals():
    one, other = compared(*WATER), compared(*WATER[::-1])
    assert (other["shift_ci_low"], other["shift_ci_high"]) == pytest.approx((-0.15, 0.76), abs=1e-12)
    assert (one["shift_ci_low"], one["shift_ci_high"]) == pytest.approx((-0.76, 0.15), abs=1e-12)
    assert one["auc"] == pytest.approx(1 - other["auc"])
    assert one["auc_ci_high"] == pytest.approx(1 - other["auc_ci_low"])
    assert one["p_exact"] == other["p_exact"]


def test_ties_have_no_exact_p_and_the_asymptotic_one_instead():
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    row = compared(first, second)
    assert np.isnan(row["p_exact"])
    assert row["p_asymptotic"] == row["p"] == pytest.approx(0.0693275754, abs=1e-10)
    assert row["shift_ci_low"] < row["shift"] < row["shift_ci_high"]


def test_a_rising_transform_keeps_p_and_auc_and_another_unit_scales_the_shift():
    row, logs, litres = (compared(*(f(np.array(x)) for x in WATER)) for f in (lambda x: x, np.log, lambda x: x / 1000))
    for name in ("u", "p", "p_exact", "p_asymptotic", "auc", "auc_ci_low", "rank_biserial"):
        assert row[name] == logs[name] == pytest.approx(litres[name])
    assert litres["shift_ci_low"] == pytest.approx(row["shift_ci_low"] / 1000)


def test_the_order_of_the_rows_changes_nothing():
    table = two_groups(*WATER)
    rows = [
        mann_whitney(t, "value", group="set", groups=("x", "y"), classify=str)
        for t in (table, table.sample(frac=1, random_state=4))
    ]
    pd.testing.assert_frame_equal(*rows)


def test_groups_that_do_not_overlap_have_an_area_without_interval_and_a_note():
    row = compared([1.0, 2, 3, 4, 5], [11.0, 12, 13, 14, 15])
    assert row["auc"] == row["rank_biserial"] == 1
    assert np.isnan(row[["auc_ci_low", "auc_ci_high", "rank_biserial_ci_low"]].astype(float)).all()
    assert "do not overlap" in row["note"]
    assert (row["shift_ci_low"], row["shift_ci_high"]) == (7, 13)  # R: wilcox.test(11:15, 1:5, conf.int=TRUE)


def test_three_and_three_patients_are_too_few_for_an_exact_interval():
    row = compared([1.0, 3, 5], [2.0, 4, 9])
    assert np.isfinite(row[["p_exact", "shift"]].astype(float)).all()
    assert np.isnan(row["shift_ci_low"])
    assert "too few patients" in row["note"]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("I", "I"), ("ARCO iiia", "IIIA"), (3.0, "III"), ("3b", "IIIB"), (4, "IV"), ("0", None), ("", None), (None, None)],
)
def test_a_stage_is_named_in_roman_numbers(stage, expected):
    assert arco_stage(stage) == expected


MUCO = {"a": [2.9, 3.0, 2.5, 2.6, 3.2], "b": [3.8, 2.7, 4.0, 2.4], "c": [2.8, 3.4, 3.7, 2.2, 2.0]}


def staged(samples=MUCO, **columns) -> pd.DataFrame:
    rows = [{"stage": name, "value": value} for name, values in samples.items() for value in values]
    table = pd.DataFrame(rows).assign(patient_id=range(len(rows)), case_id=range(len(rows)), reader="manual")
    return table.assign(**columns)


def test_the_mucociliary_data_give_the_published_kruskal_wallis_test():
    row = kruskal_wallis(staged(), "value", group="stage", classify=str).iloc[0]
    assert row["h"] == pytest.approx(0.7714285714, abs=1e-10)
    assert row["p"] == pytest.approx(0.6799647736, abs=1e-10)
    assert (row["df"], row["n_per_stage"], row["n_patients"], row["stages"]) == (2, "a 5, b 4, c 5", 14, 3)


def test_kruskal_wallis_does_not_depend_on_order_unit_or_a_rising_transform():
    table = staged()
    plain = kruskal_wallis(table, "value", group="stage", classify=str).iloc[0]
    for other in (table.sample(frac=1, random_state=1), table.assign(value=np.exp(table["value"]) / 1000)):
        assert kruskal_wallis(other, "value", group="stage", classify=str).iloc[0]["p"] == plain["p"]


def test_a_missing_stage_is_no_error_and_a_patient_with_two_stages_is_left_out():
    table = staged({"I": [1.0, 2, 2.5], "IIIB": [4.0, 5, np.nan], "IV": [9.0], "": [3.0], "II": [3.5]})
    table.loc[8, "patient_id"] = 0  # a hip in stage II beside the one in stage I
    row = kruskal_wallis(table, "value", group="stage").iloc[0]
    assert row["n_per_stage"] == "I 2, IIIB 2, IV 1"
    assert (row["n_no_group"], row["n_excluded"], row["n_patients_in_several"]) == (1, 1, 1)
    assert np.isfinite(row["p"])


def test_two_hips_of_one_stage_are_one_value():
    table = staged({"I": [1.0, 3.0, 2.5], "II": [4.0, 5]})
    table["patient_id"] = ["a", "a", "b", "c", "d"]
    row = kruskal_wallis(table, "value", group="stage").iloc[0]
    assert (row["n_patients"], row["n_cases"], row["n_per_stage"]) == (4, 5, "I 2, II 2")


@pytest.mark.parametrize(
    ("samples", "note"),
    [
        ({"I": []}, "fewer than 2 stages"),
        ({"I": [1.0, 2]}, "fewer than 2 stages"),
        ({"unknown": [1.0, 2]}, "fewer than 2 stages"),
        ({"I": [np.nan, np.nan], "II": [1.0, 2]}, "fewer than 2 stages"),
        ({"I": [1.0], "II": [2.0], "IIIA": [3.0]}, "no stage has 2 patients"),
        ({"I": [2.0, 2.0], "II": [2.0, 2.0]}, "same value"),
    ],
)
def test_kruskal_wallis_of_too_little_gives_no_p_and_says_why(samples, note):
    table = staged(samples) if any(samples.values()) else staged().iloc[:0]
    row = kruskal_wallis(table, "value", group="stage").iloc[0]
    assert np.isnan(row["p"])
    assert note in row["note"]


def test_kruskal_wallis_refuses_mixed_readers():
    with pytest.raises(StatisticsError, match="reader="):
        kruskal_wallis(pd.concat([staged(), staged(reader="unet3d")]), "value", group="stage")
