"""Bland-Altman and Pearson against the paper of 1986, and their behaviour with two hips per patient."""

import numpy as np
import pytest

from avnnet.stats import bland_altman, paired_t, pearson, volume_agreement
from tests.stats.conftest import long_table


def test_the_peak_flow_data_give_the_papers_limits(pefr):
    row = bland_altman(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    expected = {
        "bias": -2.1176470588, "sd": 38.7651298736,
        "lower_limit": -78.0973016111, "upper_limit": 73.8620074934,
        "bias_ci_low": -22.0488376966, "bias_ci_high": 17.8135435790,
        "lower_limit_ci_low": -112.6191364511, "lower_limit_ci_high": -43.5754667710,
        "upper_limit_ci_low": 39.3401726534, "upper_limit_ci_high": 108.3838423335,
    }  # fmt: skip
    assert row[list(expected)].astype(float).to_dict() == pytest.approx(expected, abs=1e-6)
    assert (row["n_patients"], row["n_cases"], row["note"]) == (17, 17, "")


def test_the_peak_flow_data_give_the_papers_correlation(pefr):
    row = pearson(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    assert row["r"] == pytest.approx(0.9432794469)
    assert row["p"] == pytest.approx(1.3995e-08, rel=1e-4)
    z, error = np.arctanh(row["r"]), 1.959963984540054 / np.sqrt(17 - 3)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((np.tanh(z - error), np.tanh(z + error)))


def test_a_change_of_unit_scales_the_limits_and_leaves_the_correlation(pefr):
    scaled = pefr.assign(pefr=pefr["pefr"] * 1e-3)
    small = bland_altman(scaled, "pefr", manual="mini", automatic="wright").iloc[0]
    large = bland_altman(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    assert small["upper_limit"] == pytest.approx(large["upper_limit"] * 1e-3)
    r = [pearson(t, "pefr", manual="mini", automatic="wright").iloc[0]["r"] for t in (pefr, scaled)]
    assert r[0] == pytest.approx(r[1], abs=1e-12)


def test_swapping_the_methods_negates_the_bias(pefr):
    one = bland_altman(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
    other = bland_altman(pefr, "pefr", manual="wright", automatic="mini").iloc[0]
    assert (one["bias"], one["lower_limit"]) == pytest.approx((-other["bias"], -other["upper_limit"]))


def test_limits_are_for_one_hip_and_not_for_the_mean_of_two():
    generator = np.random.default_rng(0)
    n, between, within = 2000, 1.0, 2.0
    patients = np.repeat(np.arange(n), 2)
    error = np.repeat(generator.normal(0, between, n), 2) + generator.normal(0, within, 2 * n)
    table = long_table("cm3", manual=np.zeros(2 * n), unet3d=error)
    table["patient_id"] = np.tile(patients, 2)
    row = bland_altman(table, "cm3", automatic="unet3d").iloc[0]
    assert (row["n_patients"], row["n_cases"]) == (n, 2 * n)
    assert row["sd"] == pytest.approx(np.hypot(between, within), rel=0.03)
    t = paired_t(table, "cm3", readers=("manual", "unet3d")).iloc[0]
    assert row["bias"] == pytest.approx(t["mean_difference"])
    assert t["sd_difference"] == pytest.approx(np.hypot(between, within / np.sqrt(2)), rel=0.05)


def test_copying_each_hip_to_the_other_side_changes_no_p(pefr):
    doubled = pefr.loc[pefr.index.repeat(2)].assign(side=["left", "right"] * len(pefr))
    for function in (pearson, bland_altman):
        plain = function(pefr, "pefr", manual="mini", automatic="wright").iloc[0]
        twice = function(doubled, "pefr", manual="mini", automatic="wright").iloc[0]
        columns = ["p", "ci_low", "n_patients"] if function is pearson else ["bias", "sd", "upper_limit_ci_high"]
        assert plain[columns].astype(float).tolist() == pytest.approx(twice[columns].astype(float).tolist())
        assert twice["n_cases"] == 2 * plain["n_cases"]


def test_perfect_agreement_is_reported_as_it_is():
    table = long_table("cm3", manual=[1.0, 2.0, 3.0, 5.0], unet3d=[1.0, 2.0, 3.0, 5.0])
    row = pearson(table, "cm3", automatic="unet3d").iloc[0]
    assert (row["r"], row["ci_low"], row["ci_high"]) == pytest.approx((1.0, 1.0, 1.0))
    limits = bland_altman(table, "cm3", automatic="unet3d").iloc[0]
    assert (limits["bias"], limits["lower_limit"], limits["upper_limit"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([1.0, 2.0], [1.0, 3.0], "fewer than 3"),
        ([5.0, 5.0, 5.0], [1.0, 3.0, 2.0], "same value for manual"),
        ([1.0, 3.0, 2.0], [0.3, 0.1 + 0.2, 0.3], "same value for unet3d"),
        ([np.nan] * 3, [1.0, 2.0, 3.0], "fewer than 3"),
    ],
)
def test_too_little_to_correlate_gives_no_p_and_says_why(manual, unet3d, note):
    row = pearson(long_table("cm3", manual=manual, unet3d=unet3d), "cm3", automatic="unet3d").iloc[0]
    assert np.isnan([row["r"], row["p"]]).all()
    assert note in row["note"]


def test_one_patient_has_a_bias_and_no_limits():
    row = bland_altman(long_table("cm3", manual=[1.0], unet3d=[3.0]), "cm3", automatic="unet3d").iloc[0]
    assert row["bias"] == 2.0
    assert np.isnan([row["sd"], row["lower_limit"], row["bias_ci_low"]]).all()
    assert "fewer than 2" in row["note"]


def test_every_automatic_reader_is_compared_on_every_value(study):
    measurements, _ = study
    table = volume_agreement(measurements, ["necrosis_cm3", "necrosis_percent"])
    assert len(table) == 6
    row = table[(table["automatic"] == "unet3d") & (table["value"] == "necrosis_cm3")].iloc[0]
    assert row["r"] == pearson(measurements, "necrosis_cm3", automatic="unet3d").iloc[0]["r"]
    assert row["bias"] == bland_altman(measurements, "necrosis_cm3", automatic="unet3d").iloc[0]["bias"]
