"""Limits of agreement: the paper's and R's numbers, exact intervals against their definition, the other scales."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.agreement import pearson, spearman
from avnnet.stats.limits import bland_altman, exact_factors
from tests.stats.conftest import long_table, made_up_study

R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]
LIMITS = ["lower_limit", "upper_limit"]
LIMIT_ENDS = [f"{limit}_ci_{end}" for limit in LIMITS for end in ("low", "high")]
PROPORTIONAL = ["proportional_slope", "proportional_r", "proportional_p"]
# Bland and Altman 1986, table 1: the second readings
WRIGHT_2 = [490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421]
MINI_2 = [525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443]


def peak_flow(pefr, **kwargs):
    return bland_altman(pefr, "pefr", manual="mini", automatic="wright", **kwargs).iloc[0]


def values(row, names):
    return row[names].astype(float).to_numpy()


def test_the_limits_of_the_peak_flow_data_are_those_of_the_paper_and_of_the_reference(pefr):
    # docs/sources.md#peak-flow; in the paper's rounding -2.1, 38.8, -79.7 and 75.5 with 2 SD
    row = peak_flow(pefr)
    assert values(row, ["bias", "sd", *LIMITS]) == pytest.approx(
        [-2.1176470588, 38.7651298736, -78.0973016111, 73.8620074934], abs=1e-9
    )
    assert values(row, LIMIT_ENDS) == pytest.approx(
        [-112.6191364511, -43.5754667710, 39.3401726534, 108.3838423335], abs=1e-9
    )
    assert values(row, ["bias_ci_low", "bias_ci_high"]) == pytest.approx([-22.0488376966, 17.8135435790], abs=1e-9)
    two_sd = [row["bias"] - 2 * row["sd"], row["bias"] + 2 * row["sd"]]
    assert two_sd == pytest.approx([-79.6479068060, 75.4126126884], abs=1e-9)
    assert two_sd == pytest.approx([-79.7, 75.5], abs=0.1)
    z = stats.norm.ppf(0.975)
    quantile = [row["bias"] - z * row["sd"], row["bias"] + z * row["sd"]]
    assert quantile == pytest.approx([-78.0959054671, 73.8606113495], abs=1e-9)


def test_the_standard_errors_of_the_peak_flow_data_are_those_of_the_reference(pefr):
    row, t = peak_flow(pefr), stats.t.ppf(0.975, 16)
    assert t == pytest.approx(2.1199052992)
    assert (row["bias_ci_high"] - row["bias"]) / t == pytest.approx(9.4019250035, abs=1e-9)
    error = (row["upper_limit_ci_high"] - row["upper_limit"]) / t
    assert error == pytest.approx(16.2846117950, abs=1e-9)
    ends = [row["bias"] + s * 2 * row["sd"] + e * t * error for s in (-1, 1) for e in (-1, 1)]
    assert ends == pytest.approx([-114.1697, -45.1261, 40.8908, 109.9344], abs=1e-4)
    assert ends == pytest.approx([-114.3, -45.1, 40.9, 110.1], abs=0.2)  # the paper, from rounded parts


def test_the_repeatability_of_both_meters_is_that_of_the_paper(pefr):
    wright_1, mini_1 = (pefr.loc[pefr["reader"] == name, "pefr"].tolist() for name in ("wright", "mini"))
    for first, second, rms, within in (
        (wright_1, WRIGHT_2, 21.6469, 15.3067),
        (mini_1, MINI_2, 28.1582, 19.9108),
    ):
        row = bland_altman(long_table("pefr", manual=first, again=second), "pefr", automatic="again").iloc[0]
        found = np.sqrt(row["bias"] ** 2 + row["sd"] ** 2 * 16 / 17)
        assert found == pytest.approx(rms, abs=5e-5)
        assert found / np.sqrt(2) == pytest.approx(within, abs=5e-5)


def test_the_difference_of_the_peak_flow_data_does_not_grow_with_the_mean(pefr):
    row = peak_flow(pefr)
    assert row["proportional_r"] == pytest.approx(0.0836797217, abs=1e-10)
    assert row["proportional_p"] == pytest.approx(0.74950, abs=5e-6)
    wide = pefr.pivot(index="case_id", columns="reader", values="pefr")
    slope = np.polyfit((wide["wright"] + wide["mini"]) / 2, wide["wright"] - wide["mini"], 1)[0]
    assert row["proportional_slope"] == pytest.approx(slope)


def test_the_exact_intervals_of_the_peak_flow_data_are_those_of_r(pefr):
    row = peak_flow(pefr, method="exact")
    names = ["lower_low", "lower_high", "upper_low", "upper_high"]
    assert values(row, LIMIT_ENDS) == pytest.approx([R[f"limits.pefr.rounded.exact.{n}"] for n in names], rel=1e-8)
    assert (row["interval"], row["note"]) == ("exact", "")
    approximate = peak_flow(pefr)
    assert values(row, ["bias", "sd", *LIMITS]).tolist() == values(approximate, ["bias", "sd", *LIMITS]).tolist()


@pytest.mark.parametrize("n", [2, 3, 5, 17, 34, 200, 1000])
def test_the_exact_factors_leave_two_and_a_half_percent_on_each_side(n):
    # (limit - bias) / (SD / sqrt(n)) is a noncentral t: the definition of the interval
    low, high = np.array(exact_factors(n)) * np.sqrt(n)
    assert stats.nct.cdf([low, high], n - 1, 1.96 * np.sqrt(n)) == pytest.approx([0.025, 0.975], abs=1e-8)


def test_the_exact_factors_are_published_one_sided_tolerance_factors():
    # 95 % of a population with 95 % confidence, n = 10: 2.911, the classical table (ISO 16269-6, Owen 1963)
    assert exact_factors(10, limit_sd=stats.norm.ppf(0.95), confidence=0.90)[1] == pytest.approx(2.911, abs=5e-4)


def test_the_exact_interval_holds_the_true_limit_in_95_percent_of_samples():
    generator, n = np.random.default_rng(11), 8
    draws = generator.normal(1.0, 2.0, (20_000, n))
    low, high = exact_factors(n)
    mean, sd, limit = draws.mean(axis=1), draws.std(axis=1, ddof=1), 1.0 + 1.96 * 2.0
    assert np.mean((mean + low * sd <= limit) & (limit <= mean + high * sd)) == pytest.approx(0.95, abs=0.006)


def test_exact_intervals_tend_to_normal_ones_with_the_full_standard_error():
    low, high = exact_factors(100_000)
    error = np.sqrt((1 + 1.96**2 / 2) / 100_000)
    assert (low, high) == pytest.approx((1.96 - 1.96 * error, 1.96 + 1.96 * error), abs=1e-4)


def test_where_a_patient_has_two_hips_the_exact_interval_gives_way_and_says_so():
    measurements, _ = made_up_study()
    exact = bland_altman(measurements, "necrosis_cm3", automatic="unet3d", method="exact").iloc[0]
    plain = bland_altman(measurements, "necrosis_cm3", automatic="unet3d").iloc[0]
    assert values(exact, LIMIT_ENDS).tolist() == values(plain, LIMIT_ENDS).tolist()
    assert exact["interval"] == "approximate"
    assert "one hip per patient" in exact["note"]
    assert plain["note"] == ""


def test_the_log_scale_gives_ratios_back(pefr):
    row = peak_flow(pefr, scale="log")
    wide = pefr.pivot(index="case_id", columns="reader", values="pefr")
    logs = np.log(wide["wright"] / wide["mini"])
    assert row["bias"] == pytest.approx(stats.gmean(wide["wright"] / wide["mini"]))
    assert row["sd"] == pytest.approx(logs.std())
    assert values(row, LIMITS) == pytest.approx(np.exp(logs.mean() + np.array([-1.96, 1.96]) * logs.std()))


def test_the_percent_scale_is_the_difference_over_the_mean(pefr):
    row = peak_flow(pefr, scale="percent")
    wide = pefr.pivot(index="case_id", columns="reader", values="pefr")
    percent = 200 * (wide["wright"] - wide["mini"]) / (wide["wright"] + wide["mini"])
    assert values(row, ["bias", "sd"]) == pytest.approx([percent.mean(), percent.std()])
    fit = stats.linregress((wide["wright"] + wide["mini"]) / 2, percent)
    assert values(row, PROPORTIONAL) == pytest.approx([fit.slope, fit.rvalue, fit.pvalue])


def test_twice_the_volume_is_a_ratio_of_2_and_66_percent_whatever_the_size():
    x = np.array([1.0, 3.0, 10.0, 40.0])
    table = long_table("cm3", manual=x, unet3d=2 * x)
    log = bland_altman(table, "cm3", automatic="unet3d", scale="log").iloc[0]
    assert values(log, ["bias", *LIMITS, *LIMIT_ENDS]) == pytest.approx([2.0] * 7)
    percent = bland_altman(table, "cm3", automatic="unet3d", scale="percent").iloc[0]
    assert values(percent, ["bias", *LIMITS]) == pytest.approx([200 / 3] * 3)
    assert np.isnan(values(log, PROPORTIONAL)).all()
    difference = bland_altman(table, "cm3", automatic="unet3d").iloc[0]
    assert (difference["proportional_slope"], difference["proportional_r"]) == pytest.approx((2 / 3, 1.0))


@pytest.mark.parametrize("scale", ["percent", "log"])
def test_a_change_of_unit_leaves_percent_and_ratios(pefr, scale):
    small = peak_flow(pefr.assign(pefr=pefr["pefr"] * 1e-3), scale=scale, method="exact")
    names = ["bias", "sd", *LIMITS, *LIMIT_ENDS, "proportional_r", "proportional_p"]
    assert values(small, names) == pytest.approx(values(peak_flow(pefr, scale=scale, method="exact"), names))


def test_swapping_the_readers_inverts_the_ratios(pefr):
    other = bland_altman(pefr, "pefr", manual="wright", automatic="mini", scale="log", method="exact").iloc[0]
    row = peak_flow(pefr, scale="log", method="exact")
    assert row["upper_limit_ci_high"] == pytest.approx(1 / other["lower_limit_ci_low"])
    assert row["bias"] == pytest.approx(1 / other["bias"])


def test_the_order_of_the_rows_changes_nothing(pefr):
    shuffled = pefr.sample(frac=1, random_state=2)
    for scale in ("difference", "percent", "log"):
        assert peak_flow(pefr, scale=scale).equals(peak_flow(shuffled, scale=scale))


@pytest.mark.parametrize(
    ("scale", "manual", "unet3d", "note"),
    [
        ("log", [0.0, 2.0, 3.0], [1.0, 2.0, 4.0], "values above 0; 1 cases"),
        ("log", [1.0, 2.0, 3.0], [1.0, -2.0, 0.0], "values above 0; 2 cases"),
        ("percent", [0.0, 2.0, 3.0], [0.0, 2.0, 4.0], "means above 0; 1 cases"),
    ],
)
@pytest.mark.parametrize("method", ["approximate", "exact"])
def test_a_scale_that_a_case_does_not_have_gives_no_limits_and_says_why(scale, manual, unet3d, note, method):
    table = long_table("cm3", manual=manual, unet3d=unet3d)
    row = bland_altman(table, "cm3", automatic="unet3d", scale=scale, method=method).iloc[0]
    assert np.isnan(values(row, ["bias", "sd", *LIMITS, *LIMIT_ENDS, *PROPORTIONAL])).all()
    assert note in row["note"]
    assert row["n_cases"] == 3


@pytest.mark.parametrize("scale", ["difference", "percent", "log"])
@pytest.mark.parametrize("method", ["approximate", "exact"])
@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_patients_have_no_made_up_limits(scale, method, n):
    table = long_table("cm3", manual=[*[1.0, 3.0][:n], np.nan], unet3d=[2.0, 5.0, 4.0][: n + 1])
    row = bland_altman(table, "cm3", automatic="unet3d", scale=scale, method=method).iloc[0]
    assert (row["n_patients"], row["n_excluded"]) == (n, 1)
    assert np.isfinite(row["bias"]) == (n > 0)
    assert np.isfinite(values(row, LIMIT_ENDS)).all() == (n > 1)
    assert ("fewer than 2" in row["note"]) == (n < 2)
    assert np.isnan(values(row, PROPORTIONAL)).all()


@pytest.mark.parametrize("method", ["approximate", "exact"])
def test_perfect_agreement_has_limits_of_no_width(method):
    table = long_table("cm3", manual=[1.0, 2.0, 3.0, 5.0], unet3d=[1.0, 2.0, 3.0, 5.0])
    row = bland_altman(table, "cm3", automatic="unet3d", method=method).iloc[0]
    assert values(row, ["bias", "sd", *LIMITS, *LIMIT_ENDS]).tolist() == [0.0] * 8
    assert np.isnan(row["proportional_r"])


@pytest.mark.parametrize("wrong", [{"scale": "ratio"}, {"method": "bootstrap"}])
def test_an_unknown_scale_or_method_is_named(pefr, wrong):
    with pytest.raises(StatisticsError, match="must be one of"):
        peak_flow(pefr, **wrong)


def test_spearman_is_pearsons_r_of_the_ranks_with_the_interval_of_bonett_and_wright(pefr):
    row = spearman(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    ranks = pefr.assign(pefr=pefr.groupby("reader")["pefr"].rank())
    assert row["r"] == pytest.approx(pearson(ranks, "pefr", manual="mini", automatic="wright").iloc[0]["r"])
    width = stats.norm.ppf(0.975) * np.sqrt((1 + row["r"] ** 2 / 2) / 14)
    assert values(row, ["ci_low", "ci_high"]) == pytest.approx(
        np.tanh(np.arctanh(row["r"]) + width * np.array([-1, 1]))
    )


def test_spearman_sees_the_order_only(pefr):
    one = spearman(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    other = spearman(pefr.assign(pefr=np.exp(pefr["pefr"] / 100)), "pefr", manual="mini", automatic="wright").iloc[0]
    assert one["r"] == pytest.approx(other["r"])


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([np.nan] * 3, [1.0, 2.0, 3.0], "fewer than 3"),
        ([1.0, 2.0], [1.0, 3.0], "fewer than 3"),
        ([5.0] * 4, [1.0, 3.0, 2.0, 4.0], "same value for manual"),
    ],
)
def test_too_little_to_rank_gives_no_r_and_says_why(manual, unet3d, note):
    row = spearman(long_table("cm3", manual=manual, unet3d=unet3d), "cm3", automatic="unet3d").iloc[0]
    assert np.isnan(values(row, ["r", "p", "ci_low", "ci_high"])).all()
    assert note in row["note"]


def test_equal_ranks_are_reported_as_they_are():
    row = spearman(long_table("cm3", manual=[1.0, 2, 3, 4], unet3d=[1.0, 4, 9, 16]), "cm3", automatic="unet3d").iloc[0]
    assert values(row, ["r", "ci_low", "ci_high"]) == pytest.approx([1.0] * 3)
    three = spearman(long_table("cm3", manual=[1.0, 2, 3], unet3d=[1.0, 3, 2]), "cm3", automatic="unet3d").iloc[0]
    assert three["r"] == pytest.approx(0.5)
    assert np.isnan(three["ci_low"])
    assert "needs 4" in three["note"]
