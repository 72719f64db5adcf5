"""What the abstract's numbers imply."""

import numpy as np
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats.published import Published, implied


def test_the_abstract_implies_limits_of_minus_7_2_to_5_4_cm3_and_a_p_of_0_056_for_the_relative_volume():
    table = implied().set_index("quantity")
    assert table.loc["necrosis_cm3", ["lower_limit", "upper_limit"]].tolist() == pytest.approx([-7.2, 5.4], abs=0.05)
    assert table.loc["necrosis_percent", "p"] == pytest.approx(0.056, abs=0.0005)


def test_its_90_percent_intervals_are_those_of_the_reference():
    table = implied().set_index("quantity")
    absolute = table.loc["necrosis_cm3", ["ci90_low", "ci90_high"]].tolist()
    relative = table.loc["necrosis_percent", ["ci90_low", "ci90_high"]].tolist()
    assert absolute == pytest.approx([-1.84, 0.04], abs=0.005)
    assert relative == pytest.approx([-3.7, -0.3], abs=0.05)
    assert 1.5 < table.loc["necrosis_cm3", "smallest_margin"] < 2.0


def test_means_sds_and_r_of_real_pairs_give_back_their_bland_altman_analysis_and_ccc():
    generator = np.random.default_rng(3)
    manual = generator.gamma(2, 4, 40)
    automatic = manual * 0.9 + generator.normal(0, 1.5, 40)
    r = float(np.corrcoef(manual, automatic)[0, 1])
    one = Published("x", 40, manual.mean(), manual.std(ddof=1), automatic.mean(), automatic.std(ddof=1), r)
    row = implied(one).iloc[0]
    away = automatic - manual
    assert row["bias"] == pytest.approx(away.mean())
    assert row["sd_difference"] == pytest.approx(away.std(ddof=1))
    assert row["lower_limit"] == pytest.approx(away.mean() - 1.96 * away.std(ddof=1))
    ccc = 2 * np.cov(manual, automatic)[0, 1] / (manual.var(ddof=1) + automatic.var(ddof=1) + away.mean() ** 2)
    assert row["ccc"] == pytest.approx(ccc)


@pytest.mark.parametrize("wrong", [{"n": 2}, {"manual_sd": 0.0}, {"r": 1.2}])
def test_numbers_that_cannot_be_are_refused(wrong):
    right = {
        "quantity": "x", "n": 30, "manual_mean": 1.0, "manual_sd": 1.0, "automatic_mean": 1.0, "automatic_sd": 1.0,
        "r": 0.5,
    }  # fmt: skip
    with pytest.raises(StatisticsError, match="at least 3 pairs"):
        Published(**right | wrong)
