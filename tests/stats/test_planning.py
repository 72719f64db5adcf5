"""Sample sizes and learning curves."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.planning import learning_curve, sample_size_for_limits, sample_size_for_mean


@pytest.mark.parametrize(("size", "variance"), [(sample_size_for_limits, 3.0), (sample_size_for_mean, 1.0)])
def test_the_sample_is_the_smallest_whose_interval_is_narrow_enough(size, variance):
    n = size(3.2, 2.5)
    widths = [2 * stats.t.ppf(0.975, k - 1) * np.sqrt(variance / k) * 3.2 for k in (n - 1, n)]
    assert widths[0] > 2.5 >= widths[1]


def test_half_the_width_needs_about_four_times_the_patients_and_units_do_not_matter():
    assert sample_size_for_mean(0.25, 0.05) == pytest.approx(4 * sample_size_for_mean(0.25, 0.10), abs=10)
    assert sample_size_for_limits(3.2, 2.5) == sample_size_for_limits(3200, 2500)


def test_an_sd_of_3_percent_and_a_width_of_1_percent_needs_100_to_200_cases_as_published():
    assert 100 <= sample_size_for_mean(0.03, 0.01) <= 200  # El Jurdi et al. 2025


@pytest.mark.parametrize(("sd", "width"), [(0, 1), (1, 0), (-1, 1), (np.nan, 1), (1, 1e-6)])
def test_what_no_sample_can_give_is_refused(sd, width):
    with pytest.raises(StatisticsError):
        sample_size_for_limits(sd, width)


def agreement(mean, seed):
    generator = np.random.default_rng(seed)
    dice = mean + generator.normal(0, 0.05, 20)
    dice += mean - dice.mean()
    keys = {"patient_id": range(20), "case_id": range(20), "reader": "unet3d", "label": "necrosis"}
    return pd.DataFrame(keys | {"dice": dice, "outcome": "both_present"})


def test_a_learning_curve_finds_the_ceiling_of_a_power_law():
    sizes = [5, 10, 20, 40, 80]
    studies = [(n, agreement(0.85 - 0.6 * n**-0.6, n)) for n in sizes]
    table = learning_curve(studies[::-1], draws=200)
    assert table["n_train"].tolist() == sizes
    assert table["mean"].to_numpy() == pytest.approx([0.85 - 0.6 * n**-0.6 for n in sizes])
    assert table["ceiling"].iloc[0] == pytest.approx(0.85, abs=0.005)
    assert table["fitted"].to_numpy() == pytest.approx(table["mean"].to_numpy(), abs=1e-3)
    assert (table["ci_low"] < table["mean"]).all()


def test_three_studies_have_no_curve_and_none_is_an_error():
    table = learning_curve([(n, agreement(0.7, n)) for n in (5, 10, 20)], draws=100)
    assert table["ceiling"].isna().all()
    with pytest.raises(StatisticsError, match="at least one"):
        learning_curve([])
    with pytest.raises(StatisticsError, match="no 'dice' of 'vital'"):
        learning_curve([(5, agreement(0.7, 1))], label="vital", draws=50)
