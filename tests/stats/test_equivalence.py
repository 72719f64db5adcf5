"""Two one-sided tests against the abstract's numbers, scipy, and the interval they are the same as."""

import numpy as np
import pytest
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.equivalence import tost, tost_summary
from avnnet.stats.paired import paired_t
from tests.stats.conftest import long_table, made_up_study


def sd_of_difference(first, second, r):
    return np.sqrt(first**2 + second**2 - 2 * r * first * second)


def test_the_abstracts_volumes_are_equivalent_within_2_cm3_and_not_within_1_5():
    # docs/sources.md#equivalence-of-the-abstract: 8.2 ± 7.4 and 7.3 ± 6.7 cm3, r = 0.90: -1.84 to +0.04
    sd = sd_of_difference(7.4, 6.7, 0.90)
    row = tost_summary(7.3 - 8.2, sd, 34, 2.0).iloc[0]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-1.84, 0.04), abs=0.005)
    assert row["is_equivalent"]
    assert not tost_summary(7.3 - 8.2, sd, 34, 1.5).iloc[0]["is_equivalent"]


def test_the_abstracts_percentages_are_equivalent_within_5_points_and_still_not_zero():
    # docs/sources.md#equivalence-of-the-abstract: 17 ± 15 and 15 ± 14 %, r = 0.92: -3.7 to -0.3 points
    row = tost_summary(15.0 - 17.0, sd_of_difference(15, 14, 0.92), 34, 5.0).iloc[0]
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((-3.7, -0.3), abs=0.05)
    assert row["is_equivalent"]
    assert row["ci_high"] < 0


def test_the_two_tests_are_scipys_one_sided_tests(sleep):
    row = tost(sleep, "hours", margin=2.5, manual="g1", automatic="g2").iloc[0]
    differences = (sleep.pivot(index="case_id", columns="reader", values="hours")).eval("g2 - g1")
    lower = stats.ttest_1samp(differences, -2.5, alternative="greater")
    upper = stats.ttest_1samp(differences, 2.5, alternative="less")
    found = row[["t_lower", "p_lower", "t_upper", "p_upper", "df"]].astype(float).tolist()
    assert found == pytest.approx([lower.statistic, lower.pvalue, upper.statistic, upper.pvalue, 9])
    assert row["p"] == pytest.approx(max(lower.pvalue, upper.pvalue))


def test_the_peak_flow_data_give_the_two_tests_of_r(pefr):
    # benchmarks/oracle/values.csv, tost.pefr_25: base R, wright - mini, margin 25 l/min
    row = tost(pefr, "pefr", margin=25, manual="mini", automatic="wright").iloc[0]
    expected = {
        "t_lower": 2.43379445513912, "p_lower": 0.013517371397805, "t_upper": -2.88426540827541,
        "p_upper": 0.00539372011178138, "ci_low": -18.5323144480251, "ci_high": 14.2970203303781,
    }  # fmt: skip
    assert row[list(expected)].astype(float).to_dict() == pytest.approx(expected, rel=1e-9)


def test_the_sleep_data_have_the_mean_and_t_of_student(sleep):
    # docs/sources.md#sleep: paired t = -4.0621276834 of g1 - g2, 95 % interval -2.4598858 to -0.7001142
    row = tost(sleep, "hours", margin=3, manual="g2", automatic="g1").iloc[0]
    t = row["mean_difference"] / (row["sd_difference"] / np.sqrt(10))
    assert t == pytest.approx(-4.0621276834)
    half = (row["ci_high"] - row["ci_low"]) / 2 * stats.t.ppf(0.975, 9) / stats.t.ppf(0.95, 9)
    assert (row["mean_difference"] - half, row["mean_difference"] + half) == pytest.approx((-2.4598858, -0.7001142))


@pytest.mark.parametrize("margin", [0.5, 1.0, 2.2, 2.4, 2.5, 3.0])
def test_equivalence_is_the_90_percent_interval_inside_the_margin(sleep, margin):
    row = tost(sleep, "hours", margin=margin, manual="g1", automatic="g2").iloc[0]
    assert row["is_equivalent"] == (-margin < row["ci_low"] and row["ci_high"] < margin)


def test_the_numbers_of_a_paper_give_the_test_of_its_table(sleep):
    row = tost(sleep, "hours", margin=2, manual="g1", automatic="g2")
    summary = tost_summary(row["mean_difference"].iloc[0], row["sd_difference"].iloc[0], 10, 2)
    assert row[summary.columns].equals(summary)


def test_swapping_the_readers_swaps_the_two_tests(sleep):
    one = tost(sleep, "hours", margin=2, manual="g1", automatic="g2").iloc[0]
    other = tost(sleep, "hours", margin=2, manual="g2", automatic="g1").iloc[0]
    assert (one["p_lower"], one["p_upper"], one["ci_low"]) == pytest.approx(
        (other["p_upper"], other["p_lower"], -other["ci_high"])
    )


def test_a_change_of_unit_with_its_margin_leaves_p(sleep):
    small = tost(sleep.assign(hours=sleep["hours"] * 60), "hours", margin=120, manual="g1", automatic="g2").iloc[0]
    assert small["p"] == pytest.approx(
        tost(sleep, "hours", margin=2, manual="g1", automatic="g2").iloc[0]["p"], rel=1e-9
    )


def test_the_order_of_the_rows_changes_nothing(sleep):
    one = tost(sleep, "hours", margin=2, manual="g1", automatic="g2")
    other = tost(sleep.sample(frac=1, random_state=0), "hours", margin=2, manual="g1", automatic="g2")
    assert one.equals(other)


def test_two_hips_of_a_patient_are_one_difference():
    measurements, _ = made_up_study()
    row = tost(measurements, "necrosis_cm3", margin=2, automatic="unet3d").iloc[0]
    t = paired_t(measurements, "necrosis_cm3", readers=("manual", "unet3d")).iloc[0]
    assert (row["n_patients"], row["n_cases"], row["df"]) == (14, 21, 13)
    assert row["mean_difference"] == pytest.approx(t["mean_difference"])


@pytest.mark.parametrize("margin", [0.0, -2.0, np.nan, np.inf])
def test_a_margin_must_be_above_0(sleep, margin):
    with pytest.raises(StatisticsError, match="fix it before"):
        tost(sleep, "hours", margin=margin, manual="g1", automatic="g2")
    with pytest.raises(StatisticsError, match="above 0"):
        tost_summary(0.0, 1.0, 10, margin)


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([np.nan], [1.0], "fewer than 2"),
        ([1.0], [2.0], "fewer than 2"),
        ([1.0, np.nan], [2.0, 3.0], "fewer than 2"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], "same difference"),
        ([1.0, 2.0, 3.0], [1.1, 2.1, 3.1], "same difference"),
    ],
)
def test_too_little_to_test_gives_no_p_and_says_why(manual, unet3d, note):
    row = tost(long_table("cm3", manual=manual, unet3d=unet3d), "cm3", margin=1, automatic="unet3d").iloc[0]
    assert np.isnan(row[["p", "ci_low", "ci_high"]].astype(float)).all()
    assert row["is_equivalent"] is None
    assert note in row["note"]


@pytest.mark.parametrize(("sd", "n"), [(0.0, 10), (np.nan, 10), (-1.0, 10), (1.0, 1), (1.0, 0)])
def test_numbers_that_no_sample_has_give_no_test(sd, n):
    row = tost_summary(0.1, sd, n, 1.0).iloc[0]
    assert np.isnan(row["p"])
    assert row["note"]


def test_two_patients_are_enough_for_a_test():
    row = tost(long_table("cm3", manual=[1.0, 2.0], unet3d=[1.1, 2.0]), "cm3", margin=5, automatic="unet3d").iloc[0]
    assert row["is_equivalent"]
    assert row["df"] == 1
