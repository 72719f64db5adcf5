"""Intraclass correlations: the published values, R's, and what they must not depend on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats.reliability import FORMS, concordance, icc
from tests.stats.conftest import long_table, made_up_study

R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]
R_FORMS = dict(zip(FORMS, ["ICC1", "ICC2", "ICC3", "ICC1k", "ICC2k", "ICC3k"], strict=True))
NUMBERS = ["estimate", "F", "df1", "df2", "p", "ci_low", "ci_high"]
ENDS = ["estimate", "ci_low", "ci_high"]


@pytest.fixture
def shrout():
    """Shrout and Fleiss 1979, table 2: six targets, four judges."""
    rows = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    return long_table(**{f"judge{j}": column for j, column in enumerate(zip(*rows, strict=True))})


@pytest.fixture
def wine():
    """Eight wines, four judges (real-statistics.com)."""
    return long_table(
        A=[1, 1, 3, 6, 6, 7, 8, 9], B=[2, 3, 8, 4, 5, 5, 7, 9], C=[0, 3, 1, 3, 5, 6, 7, 9], D=[1, 2, 4, 3, 6, 2, 9, 8]
    )


def by_form(table, value="value", **kwargs):
    return icc(table, value, **kwargs).set_index("form")


def numbers(rows, names):
    return rows[names].astype(float).to_numpy()


def test_the_six_forms_of_shrout_and_fleiss_are_those_of_their_paper(shrout):
    rows = by_form(shrout)
    expected = [
        [0.165742, -0.1329, 0.7226],
        [0.289764, 0.0188, 0.7611],
        [0.714841, 0.3425, 0.9459],
        [0.442797, -0.8844, 0.9124],
        [0.620051, 0.0711, 0.9272],
        [0.909316, 0.6757, 0.9859],
    ]
    assert rows["estimate"].tolist() == pytest.approx([row[0] for row in expected], abs=5e-7)
    assert numbers(rows, ["ci_low", "ci_high"]).ravel() == pytest.approx(np.ravel([r[1:] for r in expected]), abs=5e-5)
    # the paper prints .17, .29, .71, .44, .62, .91
    assert rows["estimate"].round(2).tolist() == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert numbers(rows, ["F", "df1", "df2"])[[0, 1, 2]] == pytest.approx(
        np.array([[1.794678, 5, 18], [11.027248, 5, 15], [11.027248, 5, 15]]), abs=5e-7
    )
    assert rows["p"].tolist()[:2] == pytest.approx([0.164769, 0.000134567], rel=5e-6)
    assert rows["interval"].tolist() == ["exact", "approximate", "exact"] * 2


def test_the_wines_have_the_reliability_of_the_reference(wine):
    rows = by_form(wine)
    expected = [0.727521, 0.727689, 0.729487, 0.914384, 0.914450, 0.915159]
    assert rows["estimate"].tolist() == pytest.approx(expected, abs=5e-7)
    single = [0.4338, 0.9267, 0.4345, 0.9267, 0.4261, 0.9279]
    assert numbers(rows, ["ci_low", "ci_high"])[:3].ravel() == pytest.approx(single, abs=5e-5)
    assert numbers(rows, ["F", "p"])[0] == pytest.approx([11.680026, 2.18135e-06], rel=5e-6)
    assert numbers(rows, ["F", "p"])[2] == pytest.approx([11.786693, 5.02572e-06], rel=5e-6)


def test_the_peak_flow_data_have_the_reliability_of_the_reference(pefr):
    rows = by_form(pefr, "pefr")
    assert numbers(rows, ENDS)[1] == pytest.approx([0.945928, 0.8574, 0.9801], abs=5e-5)
    assert numbers(rows, ENDS)[2] == pytest.approx([0.942913, 0.8499, 0.9789], abs=5e-5)
    assert rows.loc["ICC(2,1)", "estimate"] == pytest.approx(0.9459284056, abs=1e-10)


@pytest.mark.parametrize("name", ["shrout", "wine", "pefr"])
def test_all_six_forms_have_every_number_of_the_r_package_psych(name, request):
    rows = by_form(request.getfixturevalue(name), "pefr" if name == "pefr" else "value")
    for form, row in rows.iterrows():
        columns = ["estimate", "f", "df1", "df2", "p", "low", "high"]
        expected = [R[f"icc.{name}.{R_FORMS[form]}.{column}"] for column in columns]
        assert numbers(row, NUMBERS) == pytest.approx(expected, rel=1e-8), form


def test_for_two_readers_agreement_is_the_formula_of_moments(pefr):
    wide = pefr.pivot(index="case_id", columns="reader", values="pefr")
    x, y, d = wide["wright"], wide["mini"], wide["wright"] - wide["mini"]
    expected = 2 * x.cov(y) / (x.var() + y.var() + d.mean() ** 2 - d.var() / len(d))
    assert by_form(pefr, "pefr").loc["ICC(2,1)", "estimate"] == pytest.approx(expected, abs=1e-12)


def test_the_unit_the_order_and_the_names_leave_the_reliability(wine):
    one = icc(wine, "value")
    scaled = icc(wine.assign(value=wine["value"] * 1e-3 + 5), "value")
    assert numbers(scaled, NUMBERS) == pytest.approx(numbers(one, NUMBERS), rel=1e-9)
    assert icc(wine.sample(frac=1, random_state=3), "value", readers=[*"ABCD"]).equals(one)
    other = icc(wine, "value", readers=[*"DBCA"])
    assert numbers(other, NUMBERS) == pytest.approx(numbers(one, NUMBERS))
    assert (one["readers"][0], other["readers"][0]) == ("A, B, C, D", "D, B, C, A")


def test_a_reader_who_always_reads_more_lowers_agreement_and_not_consistency(wine):
    shifted = wine.assign(value=wine["value"] + 3 * (wine["reader"] == "A"))
    one, other = by_form(wine)["estimate"], by_form(shifted)["estimate"]
    assert other["ICC(3,1)"] == pytest.approx(one["ICC(3,1)"])
    assert other["ICC(2,1)"] < one["ICC(2,1)"] - 0.05


def test_the_mean_of_k_readers_follows_spearman_and_brown(wine):
    rows = by_form(wine)
    for column in ENDS:
        single, mean = (numbers(rows, [column])[part, 0] for part in (slice(0, 3), slice(3, 6)))
        assert mean == pytest.approx(4 * single / (1 + 3 * single))


def test_only_cases_that_all_readers_have_are_used(wine):
    gap = wine.astype({"value": float})
    gap.loc[gap.query("reader == 'B' and case_id == 2").index, "value"] = np.nan
    whole = icc(wine[wine["case_id"] != 2], "value")
    rows = icc(gap, "value")
    assert numbers(rows, NUMBERS) == pytest.approx(numbers(whole, NUMBERS))
    assert (rows["n_cases"][0], rows["n_excluded"][0], whole["n_excluded"][0]) == (7, 1, 0)
    missing = icc(wine.drop(gap.query("reader == 'B' and case_id == 2").index), "value")
    assert missing["n_excluded"][0] == 1


def test_a_negative_reliability_is_reported_as_it_is():
    rows = by_form(long_table(manual=[1.0, 2, 3, 4], unet3d=[4.0, 1.0, 5.0, 1.5]))
    assert (rows["estimate"] < 0).all()
    assert (rows["ci_low"] < rows["estimate"])[["ICC(1,1)", "ICC(3,1)", "ICC(1,k)", "ICC(3,k)"]].all()
    assert (rows["note"] == "").all()
    assert (rows["p"] > 0.5).all()


def test_a_mean_of_readers_without_a_positive_variance_has_no_reliability():
    # the formula would give 4.01, from two negative numbers
    rows = by_form(long_table(manual=[1.0, 2, 3, 4], unet3d=[4.0, 3.1, 2, 0.9]))
    assert rows.loc["ICC(3,1)", "estimate"] == pytest.approx(-1, abs=0.01)
    assert np.isnan(numbers(rows, ENDS)[4]).all()
    assert "not above 0" in rows.loc["ICC(2,k)", "note"]


def test_perfect_agreement_is_1_from_1_to_1():
    rows = by_form(long_table(manual=[1.1, 2.2, 3.3, 5.7], unet3d=[1.1, 2.2, 3.3, 5.7]))
    assert numbers(rows, ENDS) == pytest.approx(np.ones((6, 3)))
    assert np.isinf(rows["F"]).all()
    assert (rows["p"] == 0).all()


def test_a_constant_shift_is_perfectly_consistent_and_not_in_agreement():
    rows = by_form(long_table(manual=[1.1, 2.2, 3.3, 5.7], unet3d=[2.1, 3.2, 4.3, 6.7]))
    assert numbers(rows, ENDS)[2] == pytest.approx([1.0, 1.0, 1.0])
    low, high = numbers(rows, ["ci_low", "ci_high"])[1]
    assert 0 < low < rows.loc["ICC(2,1)", "estimate"] < high < 1


@pytest.mark.parametrize(
    ("manual", "unet3d", "note"),
    [
        ([np.nan] * 3, [1.0, 2.0, 3.0], "fewer than 2 cases"),
        ([1.0], [2.0], "fewer than 2 cases"),
        ([0.3, 0.3, 0.1 + 0.2], [0.3, 0.1 + 0.2, 0.3], "all readings are the same"),
    ],
)
def test_too_little_for_a_reliability_gives_none_and_says_why(manual, unet3d, note):
    rows = icc(long_table(manual=manual, unet3d=unet3d), "value")
    assert len(rows) == 6
    assert np.isnan(numbers(rows, NUMBERS)).all()
    assert rows["note"].str.contains(note).all()


def test_two_cases_have_a_reliability():
    rows = icc(long_table(manual=[1.0, 5.0], unet3d=[1.5, 5.2]), "value")
    assert np.isfinite(rows["estimate"]).all()


def test_cases_that_do_not_differ_leave_the_mean_of_readers_undefined():
    rows = by_form(long_table(manual=[1.0, 2.0, 3.0], unet3d=[3.0, 2.0, 1.0]))
    assert rows.loc["ICC(3,1)", "estimate"] == pytest.approx(-1)
    assert np.isnan(rows.loc["ICC(3,k)", "estimate"])
    assert "differ too little" in rows.loc["ICC(3,k)", "note"]


def test_two_hips_of_a_patient_are_drawn_together_and_have_no_p():
    measurements, _ = made_up_study()
    rows = icc(measurements, "necrosis_cm3", readers=["manual", "unet3d"])
    assert (rows["interval"] == "bootstrap by patient").all()
    assert (rows["n_patients"][0], rows["n_cases"][0]) == (14, 21)
    assert rows["p"].isna().all()
    assert (rows["ci_low"] < rows["estimate"]).all()
    assert (rows["estimate"] < rows["ci_high"]).all()
    one_each = measurements.assign(patient_id=measurements["patient_id"] + measurements["side"])
    assert rows["estimate"].tolist() == icc(one_each, "necrosis_cm3", readers=["manual", "unet3d"])["estimate"].tolist()


def test_two_patients_with_two_hips_have_no_interval_and_say_so():
    table = long_table(manual=[1.0, 2.0, 4.0, 3.0], unet3d=[1.2, 2.0, 4.4, 3.1])
    table["patient_id"] = table["patient_id"] // 2
    assert icc(table, "value")["note"].str.contains("needs 3 patients").all()
    row = concordance(table, "value", automatic="unet3d").iloc[0]
    assert "needs 3 patients" in row["note"]
    assert np.isnan(row["ci_low"])


@pytest.mark.parametrize("readers", [["A"], [], ["A", "A"]])
def test_a_reliability_needs_two_readers(wine, readers):
    with pytest.raises(StatisticsError, match="two different readers"):
        icc(wine, "value", readers=readers)


def test_an_unknown_reader_a_changed_patient_and_two_labels_are_named(wine):
    with pytest.raises(StatisticsError, match="no reader 'E'"):
        icc(wine, "value", readers=["A", "E"])
    changed = wine.assign(patient_id=wine["patient_id"].where(wine["reader"] != "B", 99))
    with pytest.raises(StatisticsError, match="several patients"):
        icc(changed, "value")
    labels = pd.concat([wine.assign(label="necrosis"), wine.assign(label="vital")])
    with pytest.raises(StatisticsError, match="one label"):
        icc(labels, "value")
