"""Lin's concordance correlation: the reference's and R's values, its identities, and bad input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.stats.reliability import concordance, lin_standard_error
from tests.stats.conftest import long_table, made_up_study

R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]
CCC = ["ccc", "r", "bias_correction", "scale_shift", "location_shift", "standard_error"]
CCC_ENDS = ["ci_low", "ci_high", "ci_asymptotic_low", "ci_asymptotic_high"]


def numbers(rows, names):
    return rows[names].astype(float).to_numpy()


def lin(pefr, **kwargs):
    return concordance(pefr, "pefr", manual="mini", automatic="wright", **kwargs).iloc[0]


def test_the_concordance_of_the_peak_flow_data_is_that_of_lin(pefr):
    # docs/sources.md#concordance-of-peak-flow, moments with the divisor n
    row = lin(pefr)
    expected = [0.9427424314, 0.9432794469, 0.9994306931, 1.0282679906, -0.0190302501, 0.0286167375]
    assert numbers(row, CCC) == pytest.approx(expected, abs=1e-9)
    ends = [0.8504918732, 0.9787262791, 0.8866546566, 0.9988302062]
    assert numbers(row, CCC_ENDS) == pytest.approx(ends, abs=1e-9)
    assert stats.pearsonr(*(pefr.loc[pefr["reader"] == r, "pefr"] for r in ("mini", "wright"))).pvalue == pytest.approx(
        1.3995e-08, rel=1e-4
    )


def test_the_concordance_of_the_peak_flow_data_is_that_of_the_r_package_epir(pefr):
    row = concordance(pefr, "pefr", manual="wright", automatic="mini").iloc[0]
    names = ["estimate", "bias_factor", "scale_shift", "low", "high", "asymptotic_low", "asymptotic_high"]
    found = numbers(row, ["ccc", "bias_correction", "scale_shift", *CCC_ENDS])
    assert found == pytest.approx([R[f"ccc.pefr.{name}"] for name in names], rel=1e-8)
    assert row["location_shift"] == pytest.approx(R["ccc.pefr.location_shift"], rel=1e-8)


def test_moments_with_the_divisor_n_minus_1_would_give_the_other_column_of_the_reference(pefr):
    row, n = lin(pefr), 17
    u, v = row["location_shift"] * np.sqrt((n - 1) / n), row["scale_shift"]
    ccc = row["r"] * 2 / (v + 1 / v + u**2)
    error = lin_standard_error(ccc, row["r"], u, n)
    found = [ccc, 2 / (v + 1 / v + u**2), u, error]
    assert found == pytest.approx([0.9427524674, 0.9994413326, -0.0184620544, 0.0286120919], abs=1e-9)
    z = stats.norm.ppf(0.975)
    assert [ccc - z * error, ccc + z * error] == pytest.approx([0.8866737978, 0.9988311371], abs=1e-9)
    width = z * error / (1 - ccc**2)
    ends = np.tanh([np.arctanh(ccc) - width, np.arctanh(ccc) + width])
    assert ends == pytest.approx([0.8505157498, 0.9787302421], abs=1e-9)


def test_concordance_is_r_times_the_bias_correction_and_never_more_than_r(pefr):
    row = lin(pefr)
    assert row["ccc"] == pytest.approx(row["r"] * row["bias_correction"], abs=1e-12)
    assert abs(row["ccc"]) <= abs(row["r"])


def test_swapping_the_readers_inverts_the_shifts_and_leaves_the_concordance(pefr):
    one, other = lin(pefr), concordance(pefr, "pefr", manual="wright", automatic="mini").iloc[0]
    same = ["ccc", "r", "bias_correction", "standard_error", *CCC_ENDS]
    assert numbers(one, same) == pytest.approx(numbers(other, same))
    assert (one["scale_shift"], one["location_shift"]) == pytest.approx(
        (1 / other["scale_shift"], -other["location_shift"])
    )


def test_the_same_change_of_unit_of_both_readers_leaves_the_concordance(pefr):
    assert numbers(lin(pefr.assign(pefr=pefr["pefr"] * 1e-3 - 7)), [*CCC, *CCC_ENDS]) == pytest.approx(
        numbers(lin(pefr), [*CCC, *CCC_ENDS]), rel=1e-9
    )
    assert lin(pefr.sample(frac=1, random_state=1)).equals(lin(pefr))


def test_concordance_is_over_hips_and_its_interval_by_patient():
    measurements, _ = made_up_study()
    row = concordance(measurements, "necrosis_cm3", automatic="unet3d").iloc[0]
    assert (row["n_patients"], row["n_cases"], row["interval"]) == (14, 21, "bootstrap by patient")
    assert row["ci_low"] < row["ccc"] < row["ci_high"]
    assert np.isnan(row[["standard_error", "ci_asymptotic_low"]].astype(float)).all()


def test_perfect_concordance_is_1_from_1_to_1():
    row = concordance(long_table(manual=[1.1, 2.2, 3.3], unet3d=[1.1, 2.2, 3.3]), "value", automatic="unet3d").iloc[0]
    assert numbers(row, ["ccc", *CCC_ENDS]) == pytest.approx(np.ones(5))


def test_a_negative_concordance_is_reported_as_it_is():
    table = long_table(manual=[1.0, 2, 3, 4, 5], unet3d=[5.2, 4.1, 2.9, 2.2, 0.7])
    row = concordance(table, "value", automatic="unet3d").iloc[0]
    assert row["ccc"] < -0.9
    assert -1 <= row["ci_low"] < row["ccc"] < row["ci_high"]


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([np.nan] * 3, [1.0, 2.0, 3.0], "fewer than 3"),
        ([1.0], [2.0], "fewer than 3"),
        ([1.0, 2.0, np.nan], [1.0, 3.0, 4.0], "fewer than 3"),
        ([5.0] * 3, [1.0, 3.0, 2.0], "same value for manual"),
        ([1.0, 3.0, 2.0], [0.3, 0.1 + 0.2, 0.3], "same value for unet3d"),
        ([5.0] * 3, [5.0] * 3, "same value for manual"),
    ],
)
def test_too_little_for_a_concordance_gives_none_and_says_why(manual, unet3d, note):
    row = concordance(long_table(manual=manual, unet3d=unet3d), "value", automatic="unet3d").iloc[0]
    assert np.isnan(numbers(row, [*CCC, *CCC_ENDS])).all()
    assert note in row["note"]


def test_no_correlation_has_a_concordance_of_0_and_no_standard_error():
    table = long_table(manual=[1.0, 1.0, 2.0, 2.0], unet3d=[1.0, 2.0, 1.0, 2.0])
    row = concordance(table, "value", automatic="unet3d").iloc[0]
    assert row["ccc"] == 0
    assert np.isnan(row["ci_low"])
    assert "r = 0" in row["note"]
