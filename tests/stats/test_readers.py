"""A second reader against a network."""

import numpy as np
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats import bland_altman, pearson
from avnnet.stats.readers import second_reader
from tests.stats.conftest import long_table


@pytest.fixture
def readings():
    generator = np.random.default_rng(5)
    size = generator.gamma(2, 4, 40)
    return {"manual": size, "second": size + generator.normal(0, 2, 40), "net": size + generator.normal(0, 0.5, 40)}


def test_a_network_that_is_nearer_than_the_second_reader_has_intervals_that_say_so(readings):
    table = second_reader(long_table(**readings), "value", second="second", automatic="net", draws=2000)
    table = table.set_index("measure")
    assert table.loc["ccc", "ci_low"] > 0
    assert table.loc["limits_half_width", "ci_high"] < 0
    assert table.loc["mean_absolute_difference", "ci_high"] < 0
    gap = table["automatic_reader"] - table["reader_reader"]
    assert table["difference"].to_numpy() == pytest.approx(gap.to_numpy())


def test_the_agreements_are_those_of_the_single_functions(readings):
    table = long_table(**readings)
    row = second_reader(table, "value", second="second", automatic="net", draws=100).set_index("measure")
    assert row.loc["pearson_r", "automatic_reader"] == pytest.approx(pearson(table, "value", automatic="net")["r"][0])
    sd = bland_altman(table, "value", automatic="net")["sd"][0]
    assert row.loc["limits_half_width", "automatic_reader"] == pytest.approx(1.96 * sd)


def test_a_network_that_is_the_second_reader_differs_by_nothing(readings):
    same = readings | {"net": readings["second"]}
    table = second_reader(long_table(**same), "value", second="second", automatic="net", draws=200)
    assert table[["difference", "ci_low", "ci_high"]].to_numpy() == pytest.approx(0.0, abs=1e-12)


def test_only_cases_of_all_three_count_and_two_patients_have_no_interval(readings):
    readings["second"][:37] = np.nan
    table = second_reader(long_table(**readings), "value", second="second", automatic="net", draws=50)
    assert table["n_cases"].tolist() == [3] * 4
    assert table["n_excluded"].tolist() == [37] * 4
    readings["second"][:38] = np.nan
    table = second_reader(long_table(**readings), "value", second="second", automatic="net", draws=50)
    assert np.isnan(table["ci_low"]).all()
    assert table["note"].str.contains("fewer than 3").all()


def test_a_reader_who_is_not_there_is_named(readings):
    with pytest.raises(StatisticsError, match="no reader 'third'"):
        second_reader(long_table(**readings), "value", second="third", automatic="net")
