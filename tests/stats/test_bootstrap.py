"""Bootstrap intervals by patient."""

import numpy as np
import pytest
from scipy import stats

from avnnet.stats.bootstrap import bootstrap_interval


def mean_of(values):
    return lambda w: w @ values / w.sum(axis=1)


def test_the_interval_of_a_mean_is_scipys_bca_interval_at_the_expanded_level():
    values = np.random.default_rng(0).gamma(2, 1, 40)
    ours = bootstrap_interval(range(40), mean_of(values), draws=20_000)
    level = 1 - 2 * stats.norm.cdf(-stats.t.ppf(0.975, 39) * np.sqrt(40 / 39))
    made = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1, confidence_level=level)
    theirs = made.confidence_interval
    assert ours == pytest.approx(tuple(theirs), abs=0.015)


def test_the_same_seed_gives_the_same_interval_and_the_order_of_cases_does_not_matter_much():
    values = np.random.default_rng(0).normal(size=30)
    assert bootstrap_interval(range(30), mean_of(values)) == bootstrap_interval(range(30), mean_of(values))
    turned = bootstrap_interval(range(30), mean_of(values[::-1].copy()))
    assert turned == pytest.approx(bootstrap_interval(range(30), mean_of(values)), abs=0.02)


def test_doubling_every_hip_of_a_patient_does_not_narrow_the_interval():
    values = np.random.default_rng(0).normal(size=30)
    once = bootstrap_interval(range(30), mean_of(values))
    twice = bootstrap_interval(np.repeat(range(30), 2), mean_of(np.repeat(values, 2)))
    assert twice == pytest.approx(once, abs=0.02)


@pytest.mark.parametrize("patients", [[], ["a"], ["a", "b"], ["a", "a", "b", "b"]])
def test_fewer_than_three_patients_have_no_interval(patients):
    assert np.isnan(bootstrap_interval(patients, mean_of(np.ones(len(patients))))).all()


def test_equal_values_have_an_interval_of_no_width_and_undefined_ones_none():
    assert bootstrap_interval(range(5), mean_of(np.full(5, 0.7))) == pytest.approx((0.7, 0.7))
    assert np.isnan(bootstrap_interval(range(5), lambda w: np.full(len(w), np.nan))).all()
