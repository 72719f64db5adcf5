"""Deming and Passing-Bablok lines against R, against other formulas, and their symmetries."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.regression import deming, passing_bablok
from tests.stats.conftest import long_table, made_up_study

ENDS = ["slope", "slope_ci_low", "slope_ci_high", "intercept", "intercept_ci_low", "intercept_ci_high"]
BOTH = [deming, passing_bablok]


# Anscombe FJ. Am Stat 1973;27:17-21, first set
ANSCOMBE_X = [10.0, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
ANSCOMBE_Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]


def from_r(prefix):
    """Values of benchmarks/oracle/values.csv: slope and intercept with their intervals, in the order of ENDS."""
    path = Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv"
    value = pd.read_csv(path).set_index("name")["value"]
    return [value[f"{prefix}.{part}.{end}"] for part in ("slope", "intercept") for end in ("estimate", "low", "high")]


def random_table(n=25, seed=3):
    generator = np.random.default_rng(seed)
    true = generator.gamma(2, 4, n)
    readings = {name: true * b + generator.normal(0, 1, n) for name, b in (("manual", 1), ("unet3d", 0.9))}
    return long_table("cm3", **readings)


def values(row, names=ENDS):
    return row[names].astype(float).to_numpy()


@pytest.mark.parametrize(("ratio", "name"), [(1.0, "deming.pefr"), (2.0, "deming.pefr_ratio2")])
def test_the_peak_flow_data_give_the_deming_line_of_r(pefr, ratio, name):
    # Linnet 1993 written out in R: benchmarks/oracle/statistics.R
    row = deming(pefr, "pefr", manual="wright", automatic="mini", variance_ratio=ratio).iloc[0]
    assert values(row) == pytest.approx(from_r(name), rel=1e-8)
    assert (row["n_patients"], row["interval"], row["note"]) == (17, "jackknife", "")


def test_the_peak_flow_data_give_the_passing_bablok_line_of_r(pefr):
    # Passing and Bablok 1983 with their rounded ranks written out in R: benchmarks/oracle/statistics.R
    row = passing_bablok(pefr, "pefr", manual="wright", automatic="mini").iloc[0]
    assert values(row) == pytest.approx(from_r("passing_bablok.pefr"), rel=1e-8)
    assert (row["interval"], row["note"]) == ("approximate", "")


def test_anscombes_first_set_gives_the_passing_bablok_line_of_r():
    row = passing_bablok(long_table("y", manual=ANSCOMBE_X, unet3d=ANSCOMBE_Y), "y", automatic="unet3d").iloc[0]
    assert values(row) == pytest.approx(from_r("passing_bablok.anscombe"), rel=1e-8)


def by_the_paper(x, y):
    """Slope and its interval by the rules of the paper, pair by pair; the sign of a vertical slope by order."""
    slopes = []
    for i in range(len(x)):
        for j in range(i + 1, len(x)):
            dx, dy = x[i] - x[j], y[i] - y[j]
            if (dx or dy) and dx != -dy:
                slopes.append(dy / dx if dx else np.copysign(np.inf, dy))
    slopes, n = np.sort(slopes), len(x)
    count, shift = len(slopes), (slopes < -1).sum()
    middle = [slopes[int(np.floor((count - 1) / 2)) + shift], slopes[int(np.ceil((count - 1) / 2)) + shift]]
    first = round((count - stats.norm.ppf(0.975) * np.sqrt(n * (n - 1) * (2 * n + 5) / 18)) / 2)
    return np.mean(middle), slopes[first - 1 + shift], slopes[count - first + shift]


@pytest.mark.parametrize("seed", range(6))
def test_ties_vertical_slopes_and_slopes_of_minus_one_follow_the_paper_in_any_order(seed):
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 12, 30).astype(float)
    y = x + generator.integers(-2, 3, 30)
    row = passing_bablok(long_table("cm3", manual=x, unet3d=y), "cm3", automatic="unet3d").iloc[0]
    assert values(row, ENDS[:3]) == pytest.approx(by_the_paper(x, y))
    assert by_the_paper(x[::-1], y[::-1]) == pytest.approx(by_the_paper(x, y))


def test_with_equal_errors_the_deming_line_is_the_orthogonal_one():
    table = random_table()
    points = table.pivot(index="case_id", columns="reader", values="cm3")[["manual", "unet3d"]].to_numpy()
    _, _, axes = np.linalg.svd(points - points.mean(axis=0))
    row = deming(table, "cm3", automatic="unet3d").iloc[0]
    assert row["slope"] == pytest.approx(axes[0, 1] / axes[0, 0], abs=1e-10)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_the_deming_line_has_the_least_weighted_distance(ratio):
    # weighted by the error variances, the orthogonal line of x / sd_x and y / sd_y
    table = random_table()
    points = table.pivot(index="case_id", columns="reader", values="cm3")[["manual", "unet3d"]].to_numpy()
    scaled = (points - points.mean(axis=0)) / [np.sqrt(ratio), 1.0]
    _, _, axes = np.linalg.svd(scaled)
    row = deming(table, "cm3", automatic="unet3d", variance_ratio=ratio).iloc[0]
    assert row["slope"] == pytest.approx(axes[0, 1] / axes[0, 0] / np.sqrt(ratio), abs=1e-10)


def test_the_jackknife_interval_is_that_of_pseudo_values():
    table = random_table()
    whole = deming(table, "cm3", automatic="unet3d").iloc[0]
    n = whole["n_cases"]
    for name in ("slope", "intercept"):
        without = [deming(table[table["case_id"] != i], "cm3", automatic="unet3d").iloc[0][name] for i in range(n)]
        pseudo = n * whole[name] - (n - 1) * np.array(without)
        width = stats.t.ppf(0.975, n - 2) * pseudo.std(ddof=1) / np.sqrt(n)
        assert whole[f"{name}_ci_low"] == pytest.approx(whole[name] - width)
        assert whole[f"{name}_ci_high"] == pytest.approx(whole[name] + width)


def test_swapping_the_readers_inverts_the_lines():
    table = random_table()
    for function, kwargs in ((deming, {"variance_ratio": 1.0}), (passing_bablok, {})):
        one = function(table, "cm3", automatic="unet3d", **kwargs).iloc[0]
        other = function(table, "cm3", manual="unet3d", automatic="manual", **kwargs).iloc[0]
        # an even number of slopes has a mean of two middle ones, which is not the inverse of the mean of inverses
        assert one["slope"] == pytest.approx(1 / other["slope"], rel=1e-10 if function is deming else 1e-3)
    assert (one["slope_ci_low"], one["slope_ci_high"]) == pytest.approx(
        (1 / other["slope_ci_high"], 1 / other["slope_ci_low"])
    )


@pytest.mark.parametrize("function", BOTH)
def test_a_change_of_unit_scales_the_intercept_and_leaves_the_slope(function):
    table = random_table()
    small = values(function(table.assign(cm3=table["cm3"] * 1e-3), "cm3", automatic="unet3d").iloc[0])
    large = values(function(table, "cm3", automatic="unet3d").iloc[0])
    assert small == pytest.approx(large * np.repeat([1, 1e-3], 3), rel=1e-9)


@pytest.mark.parametrize("function", BOTH)
def test_the_order_of_the_rows_and_the_names_of_the_cases_change_nothing(function):
    table = random_table(n=30)
    table["cm3"] = table["cm3"].round()  # with ties
    one = values(function(table, "cm3", automatic="unet3d").iloc[0])
    renamed = (table["case_id"] * 7) % 30
    shuffled = table.assign(case_id=renamed, patient_id=renamed).sample(frac=1, random_state=1)
    assert values(function(shuffled, "cm3", automatic="unet3d").iloc[0]) == pytest.approx(one)


@pytest.mark.parametrize("function", BOTH)
def test_points_on_a_line_give_that_line(function):
    x = np.arange(1.0, 13.0)
    row = function(long_table("cm3", manual=x, unet3d=1.5 * x - 2), "cm3", automatic="unet3d").iloc[0]
    assert values(row) == pytest.approx([1.5] * 3 + [-2.0] * 3)


def test_one_wild_case_hardly_moves_the_passing_bablok_line():
    x = np.arange(1.0, 31.0)
    y = x + np.resize([0.2, -0.2, 0.1, -0.1], 30)
    y[-1] = 100.0
    row = passing_bablok(long_table("cm3", manual=x, unet3d=y), "cm3", automatic="unet3d").iloc[0]
    assert row["slope"] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("function", BOTH)
def test_two_hips_of_a_patient_are_drawn_together(function):
    measurements, _ = made_up_study()
    row = function(measurements, "necrosis_cm3", automatic="unet3d").iloc[0]
    assert (row["n_patients"], row["n_cases"], row["interval"]) == (14, 21, "bootstrap by patient")
    assert row["slope_ci_low"] < row["slope"] < row["slope_ci_high"]
    assert row["intercept_ci_low"] < row["intercept"] < row["intercept_ci_high"]


def test_a_copied_hip_leaves_the_passing_bablok_line():
    # equal cases make no slope with each other, and every other slope stands four times
    table = random_table(n=9, seed=5)
    doubled = table.loc[table.index.repeat(2)].assign(side=["left", "right"] * len(table))
    plain = passing_bablok(table, "cm3", automatic="unet3d").iloc[0]
    twice = passing_bablok(doubled, "cm3", automatic="unet3d").iloc[0]
    assert (twice["slope"], twice["intercept"]) == pytest.approx((plain["slope"], plain["intercept"]))


@pytest.mark.parametrize("function", BOTH)
@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([np.nan] * 3, [1.0, 2.0, 3.0], "fewer than 3"),
        ([1.0], [2.0], "fewer than 3"),
        ([1.0, 2.0, np.nan], [2.0, 3.0, 5.0], "fewer than 3"),
        ([1.0, 2.0], [2.0, 3.0], "fewer than 3"),
        ([5.0, 5.0, 5.0], [1.0, 3.0, 2.0], "same value for manual"),
        ([1.0, 3.0, 2.0], [0.3, 0.1 + 0.2, 0.3], "same value for unet3d"),
        ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 1.0, 2.0], "together"),
    ],
)
def test_too_little_for_a_line_gives_none_and_says_why(function, manual, unet3d, note):
    row = function(long_table("cm3", manual=manual, unet3d=unet3d), "cm3", automatic="unet3d").iloc[0]
    assert np.isnan(values(row)).all()
    assert note in row["note"]


def test_values_that_fall_together_have_a_deming_line_and_no_passing_bablok_line():
    table = long_table("cm3", manual=[1.0, 2, 3, 4, 5], unet3d=[5.1, 3.9, 3.2, 1.8, 1.1])
    assert deming(table, "cm3", automatic="unet3d").iloc[0]["slope"] < 0
    row = passing_bablok(table, "cm3", automatic="unet3d").iloc[0]
    assert np.isnan(row["slope"])
    assert "rise together" in row["note"]


def test_three_cases_have_a_passing_bablok_line_and_no_end_of_its_interval():
    row = passing_bablok(long_table("cm3", manual=[1.0, 2, 3], unet3d=[1.0, 2.2, 2.9]), "cm3", automatic="unet3d")
    assert row.iloc[0]["slope"] == pytest.approx(0.95)
    assert np.isnan(row.iloc[0][["slope_ci_low", "intercept_ci_high"]].astype(float)).all()
    assert "no end" in row.iloc[0]["note"]


def test_a_jackknife_that_loses_its_line_gives_no_interval():
    row = deming(long_table("cm3", manual=[1.0, 1, 1, 4], unet3d=[1.0, 1.1, 0.9, 4]), "cm3", automatic="unet3d").iloc[0]
    assert np.isfinite(row["slope"])
    assert np.isnan(row["slope_ci_low"])
    assert "without one" in row["note"]


@pytest.mark.parametrize("ratio", [0.0, -1.0, np.nan, np.inf])
def test_a_ratio_of_variances_must_be_above_0(ratio):
    with pytest.raises(StatisticsError, match="above 0"):
        deming(random_table(), "cm3", automatic="unet3d", variance_ratio=ratio)
