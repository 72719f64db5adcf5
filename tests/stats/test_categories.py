"""Agreement of grades against published tables, vcd in R, statsmodels and scikit-learn."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from avnnet.errors import StatisticsError
from avnnet.stats.categories import confusion, grade_agreement

# R with vcd 1.4, see benchmarks/oracle/README.md
R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]
# Two psychiatrists, Cohen 1968; two pathologists, Landis and Koch 1977
DIAGNOSIS = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
PATHOLOGY = np.array([[22, 2, 2, 0], [5, 7, 14, 0], [0, 2, 36, 0], [0, 1, 17, 10]])
KAPPAS = {"unweighted": "kappa", "linear": "kappa_linear", "quadratic": "kappa_quadratic"}


def graded(first, second, patients=None) -> pd.DataFrame:
    n = len(first)
    table = pd.DataFrame({"patient_id": [*(range(n) if patients is None else patients)] * 2})
    return table.assign(case_id=[*range(n)] * 2, reader=["manual"] * n + ["unet3d"] * n, grade=[*first, *second])


def of_counts(counts) -> pd.DataFrame:
    pairs = [(a, b) for a, b in np.ndindex(counts.shape) for _ in range(counts[a, b])]
    return graded(*(["ABCD"[pair[place]] for pair in pairs] for place in (0, 1)))


def agreed(table: pd.DataFrame, order="ABCD", **options) -> pd.Series:
    return grade_agreement(table, "grade", order=order, automatic="unet3d", **options).iloc[0]


@pytest.mark.parametrize("weights", KAPPAS)
@pytest.mark.parametrize(("name", "counts"), [("diagnosis", DIAGNOSIS), ("pathology", PATHOLOGY)])
def test_kappa_and_its_interval_are_those_of_vcd(name, counts, weights):
    row = agreed(of_counts(counts), order="ABCD"[: len(counts)])
    expected = [R[f"kappa.{name}.{weights}.{part}"] for part in ("estimate", "low", "high")]
    assert row[[f"{KAPPAS[weights]}{end}" for end in ("", "_ci_low", "_ci_high")]].tolist() == pytest.approx(expected)
    assert row["interval"] == "Wilson and large-sample"
    assert row["note"] == ""


def test_kappa_is_that_of_published_tables():
    fleiss = agreed(of_counts(np.array([[75, 1, 4], [5, 4, 1], [0, 0, 10]])), order="ABC")
    assert round(fleiss["kappa"], 3) == 0.676  # Fleiss, Statistical Methods for Rates and Proportions, table 18.1
    altman = agreed(of_counts(np.array([[21, 12, 0, 0], [4, 17, 1, 0], [3, 9, 15, 2], [0, 0, 0, 1]])))
    assert round(altman["kappa"], 2) == 0.47  # Altman, Practical Statistics for Medical Research, xeromammograms
    assert round(altman["kappa_linear"], 2) == 0.57
    agresti = agreed(of_counts(PATHOLOGY))
    assert round(agresti["kappa"], 3) == 0.493  # Agresti, Categorical Data Analysis, table of the pathologists
    assert round((agresti["kappa_ci_high"] - agresti["kappa"]) / 1.959964, 3) == 0.057


def test_kappa_and_the_counts_are_those_of_scikit_learn():
    generator = np.random.default_rng(4)
    first = generator.choice([*"ABC"], 60)
    second = np.where(generator.random(60) < 0.6, first, generator.choice([*"ABC"], 60))
    table = graded(first, second, patients=np.arange(60) // 2)  # two hips each, which does not move the estimate
    row = agreed(table, order="ABC")
    for weights, name in zip((None, "linear", "quadratic"), KAPPAS.values(), strict=True):
        assert row[name] == pytest.approx(cohen_kappa_score(first, second, weights=weights))
    counts = confusion(table, "grade", order="ABC", automatic="unet3d")
    assert counts["n_cases"].to_numpy().reshape(3, 3).tolist() == confusion_matrix(first, second).tolist()


def test_the_accuracy_has_wilsons_interval():
    table = graded(["A"] * 263, ["A"] * 81 + ["B"] * 182)
    row = agreed(table, order="AB")
    assert row["accuracy"] == pytest.approx(81 / 263)
    assert (row["accuracy_ci_low"], row["accuracy_ci_high"]) == pytest.approx((0.2552885, 0.3662096), abs=1e-7)


def test_two_hips_of_a_patient_take_the_bootstrap_and_add_no_certainty():
    generator = np.random.default_rng(2)
    first = generator.choice([*"ABC"], 40)
    second = np.where(generator.random(40) < 0.7, first, "B")
    one = agreed(graded(first, second), order="ABC")
    twice = agreed(graded(np.repeat(first, 2), np.repeat(second, 2), patients=np.repeat(range(40), 2)), order="ABC")
    assert twice["interval"] == "bootstrap by patient"
    assert (twice["n_patients"], twice["n_cases"]) == (40, 80)
    for name in ("accuracy", *KAPPAS.values()):
        assert twice[name] == pytest.approx(one[name])
        width, of_one = (row[f"{name}_ci_high"] - row[f"{name}_ci_low"] for row in (twice, one))
        assert width == pytest.approx(of_one, rel=0.25)


def test_swapping_the_readers_changes_nothing_but_the_counts_turn_over():
    table = of_counts(DIAGNOSIS)
    one = agreed(table)
    other = grade_agreement(table, "grade", order="ABCD", manual="unet3d", automatic="manual").iloc[0]
    numbers = [f"{name}{end}" for name in ("accuracy", *KAPPAS.values()) for end in ("", "_ci_low", "_ci_high")]
    assert one[numbers].tolist() == pytest.approx(other[numbers].tolist())
    turned = confusion(table, "grade", order="ABC", manual="unet3d", automatic="manual")["n_cases"]
    assert turned.to_numpy().reshape(3, 3).tolist() == DIAGNOSIS.T.tolist()


def test_a_turned_order_changes_nothing_and_another_order_only_the_weighted_kappa():
    table = of_counts(DIAGNOSIS)
    plain, turned, other = (agreed(table, order=order) for order in ("ABC", "CBA", "ACB"))
    for name in KAPPAS.values():
        assert turned[name] == pytest.approx(plain[name])
        assert turned[f"{name}_ci_low"] == pytest.approx(plain[f"{name}_ci_low"])
    assert other["kappa"] == pytest.approx(plain["kappa"])
    assert other["kappa_linear"] != pytest.approx(plain["kappa_linear"])


def test_the_order_of_the_rows_and_grades_that_nobody_gives_change_nothing():
    table = of_counts(DIAGNOSIS)
    plain, shuffled, longer = agreed(table, "ABC"), agreed(table.sample(frac=1, random_state=3), "ABC"), agreed(table)
    for name in ("accuracy", *KAPPAS.values()):
        assert plain[name] == pytest.approx(shuffled[name])
        assert plain[name] == pytest.approx(longer[name])
        assert plain[f"{name}_ci_low"] == pytest.approx(longer[f"{name}_ci_low"])


def test_no_lesion_has_no_grade_and_is_left_out_and_counted():
    table = graded(["A", "B", "", None, "C", "B"], ["A", "B", "A", "", np.nan, "C"])
    row = agreed(table)
    assert (row["n_cases"], row["n_excluded"], row["accuracy"]) == (3, 3, pytest.approx(2 / 3))
    counts = confusion(table, "grade", order="ABC", automatic="unet3d")
    assert len(counts) == 9
    assert counts["n_cases"].sum() == 3
    assert (counts["n_excluded"] == 3).all()


def test_perfect_agreement_is_kappa_one_without_an_interval():
    for patients in (range(6), [0, 0, 1, 2, 3, 4]):
        row = agreed(graded([*"AABBCC"], [*"AABBCC"], patients), order="ABC")
        assert row["accuracy"] == row["kappa"] == row["kappa_linear"] == row["kappa_quadratic"] == 1
        assert 0.5 < row["accuracy_ci_low"] < row["accuracy_ci_high"] == 1
        assert np.isnan(row["kappa_ci_low"])
        assert "all grades agree" in row["note"]


def test_one_grade_only_leaves_kappa_undefined():
    for patients in (range(4), [0, 0, 1, 2]):
        row = agreed(graded([*"BBBB"], [*"BBBB"], patients))
        assert row["accuracy"] == 1
        assert np.isnan(row[[*KAPPAS.values()]].astype(float)).all()
        assert "undefined" in row["note"]


def test_one_grade_of_one_reader_is_kappa_zero():
    row = agreed(graded([*"BBBBBB"], [*"ABBCBB"]))
    assert row["kappa"] == 0


@pytest.mark.parametrize(("first", "second"), [([], []), ([""], ["A"]), ([np.nan, np.nan], ["A", "B"])])
def test_without_a_common_case_there_is_a_note_and_no_number(first, second):
    table = graded(first, second) if first else graded(["", "A"], ["A", ""])
    row = agreed(table)
    assert row["n_cases"] == 0
    assert np.isnan([row["accuracy"], row["kappa"]]).all()
    assert row["note"] == "no case with both grades"


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_cases_do_not_break_it(n):
    row = agreed(graded([*"AB"][:n], [*"BB"][:n]))
    assert row["n_cases"] == n
    assert np.isfinite(row["accuracy_ci_high"])


def test_whole_numbers_from_a_file_with_empty_cells_are_grades():
    table = graded([1, 2, 3, np.nan], [1, 3, 3, 2])
    row = agreed(table, order=(1, 2, 3, 4))
    assert (row["n_cases"], row["accuracy"]) == (3, pytest.approx(2 / 3))


def test_a_grade_or_reader_that_is_not_known_is_refused():
    table = of_counts(DIAGNOSIS)
    with pytest.raises(StatisticsError, match=r"grades \['C'\].*order \['A', 'B'\]"):
        agreed(table, order="AB")
    with pytest.raises(StatisticsError, match="at least 2 different grades"):
        agreed(table, order="AAB")
    with pytest.raises(StatisticsError, match="no reader 'swin'"):
        grade_agreement(table, "grade", order="ABC", automatic="swin")
    with pytest.raises(StatisticsError, match="no column"):
        confusion(table, "steinberg_grade", order="ABC", automatic="unet3d")
    with pytest.raises(StatisticsError, match="rows repeat"):
        agreed(pd.concat([table, table]))


def test_the_grades_of_a_third_reader_do_not_matter():
    table = of_counts(DIAGNOSIS)
    third = table[table["reader"] == "manual"].assign(reader="other", grade="unknown")
    assert agreed(pd.concat([table, third]))["kappa"] == agreed(table)["kappa"]
