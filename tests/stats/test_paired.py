"""Paired tests against published tables."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats.paired import cohen_dz, compare_readers, holm, matched_rank_biserial, paired_t, wilcoxon_p
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


def test_holm_gives_the_reference_values_and_keeps_nan():
    assert holm(np.array([0.01, 0.02, 0.03, 0.04, 0.05])) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    uneven = holm(np.array([0.04, 0.001, 0.2, 0.013, 0.012, 0.9]))
    assert uneven == pytest.approx([0.12, 0.006, 0.4, 0.06, 0.06, 0.9])  # R: p.adjust(p, "holm")
    adjusted = holm(np.array([0.9, np.nan, 0.01]))
    assert adjusted[[0, 2]] == pytest.approx([0.9, 0.02])
    assert np.isnan(adjusted[1])
    assert np.isnan(holm(np.array([np.nan]))).all()
    assert holm(np.array([])).size == 0


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(2).random(20).round(1) / 4  # with ties
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_p_values_are_adjusted_within_each_label(study):
    _, agreement = study
    table = compare_readers(agreement)
    for _, rows in table.groupby("label"):
        for name in ("p", "wilcoxon_p"):
            assert rows[f"{name}_holm"].to_numpy() == pytest.approx(holm(rows[name].to_numpy()))
            assert (rows[f"{name}_holm"] >= rows[name]).all()
            assert rows[f"{name}_holm"].min() == pytest.approx(min(3 * rows[name].min(), 1))


def test_new_columns_stand_after_the_old_ones_also_of_an_empty_comparison(study):
    _, agreement = study
    last = ["wilcoxon_p", "p_holm", "wilcoxon_p_holm", "cohen_dz", "rank_biserial"]
    assert list(compare_readers(agreement).columns)[-5:] == last
    assert list(compare_readers(agreement[agreement["reader"] == "unet3d"]).columns)[-5:] == last


def test_effect_sizes_are_those_of_the_test_statistics(sleep):
    paired, _ = pairs(sleep, "hours", "g2", "g1")
    assert cohen_dz(paired) == pytest.approx(-4.0621276834 / np.sqrt(10))  # d_z is t / sqrt(n)
    x = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    y = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    depression, _ = pairs(long_table(x=x, y=y), "value", "y", "x")
    assert matched_rank_biserial(depression) == pytest.approx((40 - 5) / 45)  # V = 40 of 9 x 10 / 2
    swapped, _ = pairs(long_table(x=x, y=y), "value", "x", "y")
    assert matched_rank_biserial(swapped) == pytest.approx(-35 / 45)
    thousandth = depression.assign(first=depression["first"] / 1000, second=depression["second"] / 1000)
    assert matched_rank_biserial(thousandth) == matched_rank_biserial(depression)
    assert cohen_dz(thousandth) == pytest.approx(cohen_dz(depression))


def test_effect_sizes_of_nothing_are_nan():
    table = pd.DataFrame({"patient_id": ["a", "b"], "first": [0.1, 0.7], "second": [0.1, 0.7]})
    for few in (table.iloc[:0], table.iloc[:1], table):
        assert np.isnan(cohen_dz(few))
        assert np.isnan(matched_rank_biserial(few))
    shifted = table.assign(second=[0.3, 0.9])  # one difference for all, up to rounding
    assert np.isnan(cohen_dz(shifted))
    assert matched_rank_biserial(shifted) == 1
    rounded = table.assign(first=[0.1 + 0.2, 0.7], second=[0.3, 0.7])
    assert np.isnan(matched_rank_biserial(rounded))


def test_a_comparison_without_p_is_no_comparison_for_holm():
    table = pd.concat(
        long_table("dice", unet2d=[0.5, 0.6, 0.9], unet3d=[0.6, 0.8, 0.95], constant=[0.6, 0.7, 1.0]).assign(
            label=label
        )
        for label in ("head", "necrosis")
    )
    rows = compare_readers(table, readers=["unet2d", "constant", "unet3d"])
    assert np.isnan(rows.loc[0, "p_holm"])
    of_head = rows[rows["label"] == "head"]
    assert of_head["p_holm"].min() == pytest.approx(2 * of_head["p"].min())
