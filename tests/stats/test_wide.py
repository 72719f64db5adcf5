"""Wide tables made long, and the names of what they hold."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats import bland_altman, long_of_wide, quantity_name
from avnnet.stats.wide import column_called


def wide(n: int = 6) -> pd.DataFrame:
    size = np.random.default_rng(5).gamma(2, 4, n)
    return pd.DataFrame({"Patient": [f"P{k // 2}" for k in range(n)], "hand": size, "net": size + 0.5, "name": "Meier"})


@pytest.mark.parametrize(
    ("manual", "automatic", "named"),
    [
        ("manual (cm³)", "auto (cm³)", "volume_cm3"),
        ("manual [ml]", "auto in cm3", "volume_cm3"),
        ("manual mm³", "auto mm^3", "volume_mm3"),
        ("manual (%)", "auto (%)", "share_percent"),
        ("Nekrose manuell (cm³)", "Nekrose KI (ccm)", "Nekrose_cm3"),
        ("necrosis_cm3_A", "necrosis_cm3_B", "necrosis_cm3"),
        ("necrosis_percent", "necrosis_percent_2", "necrosis_percent"),
        ("volume A", "volume B", "volume"),
        ("A", "B", "A"),
        ("mm", "auto", "mm"),
    ],
)
def test_the_unit_and_the_shared_words_name_the_quantity(manual, automatic, named):
    assert quantity_name(manual, automatic) == named


def test_columns_of_different_units_are_refused():
    with pytest.raises(StatisticsError, match=r"'auto \(cm³\)' has the unit cm3, 'hand \(mm³\)' mm3"):
        quantity_name("auto (cm³)", "hand (mm³)")
    with pytest.raises(StatisticsError, match="none; convert and name both alike"):
        quantity_name("auto (cm³)", "hand")


def test_a_long_table_has_the_same_differences_and_nothing_else_of_the_patients():
    table = wide()
    long = long_of_wide(table, "hand", "net", patient="Patient", value="v_cm3")
    assert list(long) == ["patient_id", "case_id", "reader", "v_cm3"]
    assert len(long) == 2 * len(table)
    found = bland_altman(long, "v_cm3", manual="manual", automatic="automatic").iloc[0]
    assert found["bias"] == pytest.approx(0.5)
    assert (found["n_cases"], found["n_patients"]) == (6, 3)


def test_swapped_columns_turn_the_sign():
    there, back = (long_of_wide(wide(), *both, value="v") for both in (("hand", "net"), ("net", "hand")))
    bias = [bland_altman(one, "v", manual="manual", automatic="automatic")["bias"].iloc[0] for one in (there, back)]
    assert bias[0] == pytest.approx(-bias[1])


def test_without_patients_each_row_is_one_and_ids_of_the_table_are_kept():
    assert long_of_wide(wide(), "hand", "net")["patient_id"].nunique() == 6
    named = wide().assign(case_id=[*"abcdef"], patient_id=["p"] * 6, side="left", arco_stage="II")
    long = long_of_wide(named, "hand", "net")
    assert long["case_id"].tolist() == [*"abcdef"] * 2
    assert set(long["patient_id"]) == {"p"}
    assert list(long)[2:4] == ["side", "arco_stage"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("hand", "gone"), "no column ['gone']"),
        (("hand", "hand"), "a column of their own"),
        (("hand", "net", "net"), "a column of their own"),
        (("hand", "Patient"), "must hold numbers"),
        (("hand", "net", "who"), "'who' is empty in row-3"),
    ],
)
def test_columns_that_cannot_be_taken_are_refused(words, said):
    table = wide().assign(who=["a", " ", "b", "c", "d", "e"])
    with pytest.raises(StatisticsError) as caught:
        long_of_wide(table, *words[:2], patient=words[2] if len(words) > 2 else "", value="v")
    assert said in str(caught.value)


def test_a_name_is_found_without_its_raised_figure_but_never_guessed_of_two():
    assert column_called("MANUAL (cm3)", ["manual  (cm³)", "auto"]) == "manual  (cm³)"
    assert column_called("a", ["A", "a"]) == "a"
    with pytest.raises(StatisticsError, match="are alike"):
        column_called("a", ["A", "a "])
    with pytest.raises(StatisticsError, match="it has"):
        column_called("b", ["a"])
