"""Hodges-Lehmann and DeLong against R and against their definitions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.stats.ranks import _u_counts, delong, hodges_lehmann

# R with pROC 1.18, see benchmarks/oracle/README.md
R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]

WATER_X = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
WATER_Y = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
SLEEP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
AREAS = {
    "water": (WATER_Y, WATER_X),
    "plant": (
        np.array([4.17, 5.58, 5.18, 6.11, 4.5, 4.61, 5.17, 4.53, 5.33, 5.14]),
        np.array([6.31, 5.12, 5.54, 5.5, 5.37, 5.29, 4.92, 6.15, 5.8, 5.26]),
    ),
    "mtcars_mpg": (
        np.array([21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 21.5, 15.5, 15.2,
                  13.3, 19.2]),
        np.array([21, 21, 22.8, 32.4, 30.4, 33.9, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4]),
    ),
    "mtcars_weight": (
        -np.array([3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78, 5.25, 5.424, 5.345, 2.465, 3.52,
                   3.435, 3.84, 3.845]),
        -np.array([2.62, 2.875, 2.32, 2.2, 1.615, 1.835, 1.935, 2.14, 1.513, 3.17, 2.77, 3.57, 2.78]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AREAS)
def test_the_area_its_error_and_its_interval_are_those_of_proc(name):
    expected = [R[f"auc.{name}.{part}"] for part in ("estimate", "se", "low", "high")]
    assert delong(*AREAS[name]) == pytest.approx(expected, rel=1e-8)


def test_delong_is_the_spread_of_the_placements_counted_one_by_one():
    generator = np.random.default_rng(5)
    first, second = generator.integers(0, 9, 11).astype(float), generator.integers(2, 12, 7).astype(float)
    wins = np.array([[(b > a) + 0.5 * (b == a) for b in second] for a in first])
    area, error, low, high = delong(first, second, confidence=0.9)
    assert area == pytest.approx(wins.mean())
    assert error**2 == pytest.approx(np.var(wins.mean(axis=1), ddof=1) / 11 + np.var(wins.mean(axis=0), ddof=1) / 7)
    assert (low, high) == pytest.approx((area - 1.6448536 * error, min(area + 1.6448536 * error, 1)))


def test_the_area_is_mirrored_by_a_swap_and_kept_by_a_rising_transform():
    area, error, low, high = delong(WATER_X, WATER_Y)
    assert delong(WATER_Y, WATER_X) == pytest.approx((1 - area, error, 1 - high, 1 - low))
    assert delong(np.exp(WATER_X), np.exp(WATER_Y)) == pytest.approx((area, error, low, high))


@pytest.mark.parametrize(
    ("first", "second", "area"), [([1.0, 2], [3.0, 4], 1), ([3.0, 4], [1.0, 2], 0), ([2.0, 2], [2.0, 2], 0.5)]
)
def test_an_area_without_error_has_no_interval(first, second, area):
    result = delong(np.array(first), np.array(second))
    assert result[:2] == (area, 0)
    assert np.isnan(result[2:]).all()


def test_of_one_value_or_none_there_is_no_error():
    assert delong(np.array([1.0]), np.array([2.0, 3.0]))[0] == 1
    assert np.isnan(delong(np.array([1.0]), np.array([2.0, 3.0]))[1:]).all()
    assert np.isnan(delong(np.array([]), np.array([2.0, 3.0]))).all()
    assert np.isnan(hodges_lehmann(np.array([]), np.array([2.0]))).all()
    assert hodges_lehmann(np.array([1.0]), np.array([2.0]))[0] == 1
    assert np.isnan(hodges_lehmann(np.array([1.0]), np.array([2.0]))[1:]).all()


def test_the_water_transfer_data_give_the_published_shift_and_interval():
    expected = [R[f"mann_whitney.water.exact.{part}"] for part in ("estimate", "low", "high")]
    assert expected == [0.305, -0.15, 0.76]
    assert hodges_lehmann(WATER_Y, WATER_X) == pytest.approx(expected, abs=1e-12)
    assert hodges_lehmann(WATER_X, WATER_Y) == pytest.approx((-0.305, -0.76, 0.15), abs=1e-12)


def test_the_counts_of_u_are_those_of_all_orders():
    from itertools import combinations

    for m, n in ((2, 3), (4, 4), (1, 6)):
        sums = [sum(places) - m * (m - 1) // 2 for places in combinations(range(m + n), m)]
        assert _u_counts(m, n) == tuple(np.bincount(sums, minlength=m * n + 1))


@pytest.mark.parametrize(("m", "n"), [(4, 4), (5, 10), (9, 12), (20, 15)])
def test_the_exact_interval_holds_the_shifts_that_the_exact_test_does_not_reject(m, n):
    generator = np.random.default_rng(m + n)
    first, second = generator.normal(size=m), generator.normal(0.5, size=n)
    _, low, high = hodges_lehmann(first, second)
    nudge = 1e-7
    for inside, outside in ((low + nudge, low - nudge), (high - nudge, high + nudge)):
        assert stats.mannwhitneyu(second - inside, first, method="exact").pvalue > 0.05
        assert stats.mannwhitneyu(second - outside, first, method="exact").pvalue <= 0.05


@pytest.mark.parametrize("decimals", [1, 6])
def test_the_approximate_interval_holds_the_shifts_that_the_approximate_test_does_not_reject(decimals):
    generator = np.random.default_rng(8)
    n = 20 if decimals == 1 else 60
    first, second = generator.normal(size=n).round(decimals), generator.normal(0.5, size=n).round(decimals)
    _, low, high = hodges_lehmann(first, second)
    nudge = 1e-7
    for inside, outside in ((low + nudge, low - nudge), (high - nudge, high + nudge)):
        assert stats.mannwhitneyu(second - inside, first, method="asymptotic").pvalue > 0.05
        assert stats.mannwhitneyu(second - outside, first, method="asymptotic").pvalue <= 0.05


def test_exact_and_approximate_intervals_are_close_where_they_change_over():
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=49), generator.normal(1.0, size=49)
    exact = hodges_lehmann(first, second)
    tied = hodges_lehmann(np.append(first, first[0]), second)
    assert tied == pytest.approx(exact, abs=0.05)


def test_groups_of_equal_values_have_a_shift_but_no_interval():
    shift, low, high = hodges_lehmann(np.full(6, 1.0), np.full(6, 2.0))
    assert shift == 1
    assert np.isnan([low, high]).all()


def test_the_shift_moves_and_scales_with_the_values():
    shift, low, high = hodges_lehmann(SLEEP_1, SLEEP_2)
    assert hodges_lehmann(SLEEP_1 * 60, SLEEP_2 * 60) == pytest.approx((60 * shift, 60 * low, 60 * high))
    assert hodges_lehmann(SLEEP_1, SLEEP_2 + 1) == pytest.approx((shift + 1, low + 1, high + 1))


def test_a_higher_confidence_gives_a_wider_interval():
    widths = [np.ptp(hodges_lehmann(WATER_X, WATER_Y, level)[1:]) for level in (0.8, 0.9, 0.95, 0.99)]
    assert widths == sorted(widths)
