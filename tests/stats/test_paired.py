"""Paired tests against published tables."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats import compare_readers, paired_t
from avnnet.stats.paired import wilcoxon_p
from avnnet.stats.pairs import pairs
from tests.stats.conftest import long_table


def test_the_sleep_data_give_students_numbers(sleep):
    row = paired_t(sleep, "hours", readers=("g2", "g1")).iloc[0]
    assert row["t"] == pytest.approx(-4.0621276834)
    assert (row["df"], row["n_patients"], row["n_cases"], row["n_excluded"]) == (9, 10, 10, 0)
    assert row["p"] == pytest.approx(0.0028328902, abs=1e-10)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-2.4598858, -0.7001142), abs=1e-7)


def test_wilcoxon_is_exact_without_ties_and_approximate_with_them(sleep):
    x = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    y = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    depression, _ = pairs(long_table(x=x, y=y), "value", "y", "x")
    assert wilcoxon_p(depression) == pytest.approx(0.0390625)
    with_ties, _ = pairs(sleep, "hours", "g1", "g2")
    assert wilcoxon_p(with_ties) == pytest.approx(0.0090906980, abs=1e-9)


def test_swapping_the_readers_negates_the_difference(sleep):
    one = paired_t(sleep, "hours", readers=("g1", "g2")).iloc[0]
    other = paired_t(sleep, "hours", readers=("g2", "g1")).iloc[0]
    assert one["mean_difference"] == -other["mean_difference"]
    assert one["p"] == other["p"]


def test_pairs_are_joined_by_case_and_never_by_order(sleep):
    shuffled = sleep.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(
        paired_t(sleep, "hours", readers=("g1", "g2")), paired_t(shuffled, "hours", readers=("g1", "g2"))
    )


def test_two_hips_of_one_patient_count_as_one_value():
    table = long_table("cm3", manual=[1.0, 2.0, 3.0, 4.0], unet3d=[2.0, 5.0, 5.0, 6.5])
    table["side"] = ["right", "left", "right", "right"] * 2
    table["patient_id"] = ["a", "a", "b", "c"] * 2
    table["case_id"] = ["a", "a", "b", "c"] * 2
    row = paired_t(table, "cm3", readers=("manual", "unet3d")).iloc[0]
    assert (row["n_patients"], row["n_cases"], row["df"]) == (3, 4, 2)
    assert row["mean_difference"] == pytest.approx(np.mean([2.0, 2.0, 2.5]))


def test_an_empty_side_joins_with_an_empty_side():
    table = long_table("cm3", manual=[1.0, 2.0, 4.0], unet3d=[1.5, 2.5, 5.0]).assign(side=[None, np.nan, ""] * 2)
    assert paired_t(table, "cm3", readers=("manual", "unet3d")).iloc[0]["n_cases"] == 3


def test_a_failed_case_is_left_out_and_counted():
    table = long_table("cm3", manual=[1.0, 2.0, 4.0, 9.0], unet3d=[1.5, 2.6, 5.0, np.nan])
    row = paired_t(table.iloc[1:], "cm3", readers=("manual", "unet3d")).iloc[0]
    assert (row["n_cases"], row["n_excluded"]) == (2, 2)


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([1.0], [2.0], "fewer than 2"),
        ([np.nan], [2.0], "fewer than 2"),
        ([0.1, 0.7], [0.3, 0.9], "same difference"),
    ],
)
def test_too_little_to_test_gives_no_p_and_says_why(manual, unet3d, note):
    row = paired_t(long_table("cm3", manual=manual, unet3d=unet3d), "cm3", readers=("manual", "unet3d")).iloc[0]
    assert np.isnan(row["p"])
    assert note in row["note"]


def test_an_absent_reader_or_column_is_named_with_what_is_there(sleep):
    with pytest.raises(StatisticsError, match=r"no reader 'g3'.*\['g1', 'g2'\]"):
        paired_t(sleep, "hours", readers=("g1", "g3"))
    with pytest.raises(StatisticsError, match=r"no column \['minutes'\].*hours"):
        paired_t(sleep, "minutes", readers=("g1", "g2"))
    with pytest.raises(StatisticsError, match="two different readers"):
        paired_t(sleep, "hours", readers=("g1", "g1"))


def test_a_table_that_cannot_be_paired_is_refused(sleep):
    with pytest.raises(StatisticsError, match=r"rows repeat.*'g1'"):
        paired_t(pd.concat([sleep, sleep]), "hours", readers=("g1", "g2"))
    with pytest.raises(StatisticsError, match="patient_id is empty in 2 rows"):
        paired_t(sleep.assign(patient_id=[None, "", *range(18)]), "hours", readers=("g1", "g2"))
    with pytest.raises(StatisticsError, match="belongs to patient"):
        paired_t(sleep.assign(patient_id=range(20)), "hours", readers=("g1", "g2"))
    with pytest.raises(StatisticsError, match="must hold numbers"):
        paired_t(sleep.assign(hours="long"), "hours", readers=("g1", "g2"))


def test_each_pair_of_networks_is_compared_on_each_label(study):
    _, agreement = study
    table = compare_readers(agreement)
    assert len(table) == 9
    assert set(zip(table["first"], table["second"], strict=True)) == {
        ("unet2d", "unet3d"), ("unet2d", "ensemble"), ("unet3d", "ensemble"),
    }  # fmt: skip
    of_label = agreement[agreement["label"] == "necrosis"]
    direct = paired_t(of_label, "dice", readers=("unet2d", "ensemble")).iloc[0]
    row = table[(table["label"] == "necrosis") & (table["first"] == "unet2d") & (table["second"] == "ensemble")]
    assert row.iloc[0]["p"] == direct["p"]
    assert 0 < row.iloc[0]["wilcoxon_p"] <= 1


def test_one_network_alone_gives_an_empty_comparison_with_its_columns(study):
    _, agreement = study
    table = compare_readers(agreement[agreement["reader"] == "unet3d"])
    assert table.empty
    assert {"label", "first", "second", "p", "wilcoxon_p"} <= set(table.columns)
    with pytest.raises(StatisticsError, match="no reader"):
        compare_readers(agreement, readers=["unet3d", "swin"])


def test_a_missed_structure_counts_with_dice_zero():
    table = long_table("dice", unet2d=[0.0, 0.5, 0.6], unet3d=[0.9, 0.5, 0.7]).assign(label="necrosis")
    assert compare_readers(table).iloc[0]["mean_difference"] == pytest.approx(1.0 / 3)
