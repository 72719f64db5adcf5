"""Tests that take all hips of a patient, against their definitions, R and simulation."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from avnnet.errors import StatisticsError
from avnnet.stats.bootstrap import bootstrap_interval
from avnnet.stats.clustered import _rank_sum, clustered_rank_test, paired_sensitivity
from avnnet.stats.paired import paired_t
from tests.stats.conftest import long_table

# R with lme4, see benchmarks/oracle/README.md
R = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "oracle" / "values.csv").set_index("name")["value"]
PATIENT = [1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8]
HIPS = {
    "hip": [0.8, 1.1, -0.4, -0.1, 0.3, 1.5, 1.2, -0.9, 0.2, 0.6, -0.3, 0.5],
    "hip_unrelated": [0.8, -1.1, -0.4, 0.9, 0.3, 1.5, -1.2, -0.2, -0.7, 0.6, -0.3, 0.5],
}
METHODS = ["naive, every hip", "patient means", "mixed model", "bootstrap by patient", "one hip per patient"]


def hips_table(patients, values, groups) -> pd.DataFrame:
    table = pd.DataFrame({"patient_id": patients, "value": values, "set": groups})
    return table.assign(case_id=range(len(table)), reader="manual")


def ranked(table: pd.DataFrame, **options) -> pd.Series:
    options = {"groups": ("x", "y"), "classify": str} | options
    return clustered_rank_test(table, "value", group="set", **options).iloc[0]


def made_up_hips(generator, patients: int = 40, shift: float = 0.0) -> pd.DataFrame:
    """Every second patient has two hips; a third of those has one in each group."""
    patient = np.repeat(np.arange(patients), 1 + np.arange(patients) % 2)
    own = generator.normal(size=patients)[patient]
    group = (patient + (np.arange(len(patient)) % 3 == 0)) % 4 < 2
    values = 1.5 * own + generator.normal(size=len(patient)) + shift * group
    return hips_table(patient, values, np.where(group, "y", "x"))


MIXED = hips_table([*"aabbccddef"], [5.0, 9, 7, 15, 11, 10, 4, 7, 20, 17], [*"xyxyxyxxyy"])


def test_the_statistic_is_the_mean_rank_sum_over_all_draws_of_one_hip_per_patient():
    sums = []
    for rows in product(*MIXED.groupby("patient_id").groups.values()):
        drawn = MIXED.loc[list(rows)]
        sums.append(stats.rankdata(drawn["value"])[drawn["set"] == "y"].sum() / (len(drawn) + 1))
    row = ranked(MIXED)
    assert row["s"] == pytest.approx(np.mean(sums))
    assert row["s_expected"] == pytest.approx((0.5 + 0.5 + 0.5 + 0 + 1 + 1) / 2)


def test_a_patient_with_a_hip_in_each_group_is_used_and_counted():
    row = ranked(MIXED)
    assert (row["n_patients"], row["n_cases"], row["n_patients_in_both"]) == (6, 10, 3)
    assert (row["first_n_cases"], row["second_n_cases"]) == (5, 5)
    assert row["z"] > 0
    assert row["p"] == pytest.approx(2 * stats.norm.sf(row["z"]))


def test_with_one_hip_per_patient_it_is_the_ordinary_rank_sum_test():
    generator = np.random.default_rng(3)
    first, second = generator.normal(size=150), generator.normal(0.15, size=250)
    row = ranked(hips_table(range(400), [*first, *second], ["x"] * 150 + ["y"] * 250))
    u = stats.mannwhitneyu(second, first).statistic
    z = (u - 150 * 250 / 2) / np.sqrt(150 * 250 * 401 / 12)
    assert row["z"] == pytest.approx(z, rel=0.02)
    plain = stats.mannwhitneyu(second, first, method="asymptotic", use_continuity=False)
    assert row["p"] == pytest.approx(plain.pvalue, abs=0.01)


def test_it_holds_its_level_and_finds_a_difference():
    generator = np.random.default_rng(11)

    def share_rejected(shift: float) -> float:
        z = []
        for _ in range(600):
            table = made_up_hips(generator, shift=shift)
            s, expected, error = _rank_sum(
                table["patient_id"].to_numpy(str), table["value"].to_numpy(), (table["set"] == "y").to_numpy()
            )
            z.append((s - expected) / error)
        return float(np.mean(np.abs(z) > stats.norm.ppf(0.975)))

    assert 0.03 < share_rejected(0.0) < 0.08  # 600 tests: standard error 0.009
    assert share_rejected(2.0) > 0.6


def test_swapping_the_groups_negates_z():
    one, other = ranked(MIXED), ranked(MIXED, groups=("y", "x"))
    assert one["z"] == pytest.approx(-other["z"])
    assert one["p"] == pytest.approx(other["p"])


def test_order_unit_and_a_rising_transform_change_nothing():
    table = made_up_hips(np.random.default_rng(1))
    z = ranked(table)["z"]
    assert ranked(table.sample(frac=1, random_state=2))["z"] == pytest.approx(z)
    assert ranked(table.assign(value=np.exp(table["value"]) / 1000))["z"] == pytest.approx(z)


def test_a_second_equal_hip_adds_no_certainty():
    table = made_up_hips(np.random.default_rng(6)).drop_duplicates("patient_id")
    doubled = pd.concat([table, table.assign(case_id=table["case_id"] + 1000)])
    assert ranked(doubled)["z"] == pytest.approx(ranked(table)["z"])


def test_missing_values_and_stages_are_left_out_and_counted():
    table = MIXED.assign(stage=MIXED["set"].map({"x": "II", "y": "IIIA"}))
    table.loc[[0, 5], "value"] = [np.nan, np.inf]
    table.loc[1, "stage"] = "IV"
    row = clustered_rank_test(table, "value", group="stage").iloc[0]
    assert (row["n_excluded"], row["n_no_group"], row["n_cases"]) == (2, 1, 7)
    assert (row["first_group"], row["second_group"]) == ("early", "advanced")


@pytest.mark.parametrize(
    ("table", "note"),
    [
        (MIXED.iloc[:0], "fewer than 2 patients"),
        (MIXED.iloc[:1], "fewer than 2 patients"),
        (MIXED.iloc[:2], "fewer than 2 patients"),
        (MIXED[MIXED["set"] == "x"], "fewer than 2 patients"),
        (MIXED.assign(value=3.0), "same value"),
        (MIXED.assign(value=np.nan), "fewer than 2 patients"),
    ],
)
def test_too_few_patients_give_no_rank_test_and_say_why(table, note):
    row = ranked(table)
    assert np.isnan([row["z"], row["p"]]).all()
    assert note in row["note"]


def test_mixed_readers_and_absent_columns_are_refused():
    with pytest.raises(StatisticsError, match="reader="):
        ranked(pd.concat([MIXED, MIXED.assign(reader="unet3d")]))
    with pytest.raises(StatisticsError, match="no column"):
        clustered_rank_test(MIXED, "value", group="arco_stage")


def hip_differences(values, patients=PATIENT) -> pd.DataFrame:
    """Differences of two readers whose own values differ between the hips."""
    base = np.linspace(10, 20, len(values))
    table = long_table(manual=base, unet3d=base + np.array(values))
    return table.assign(patient_id=[*patients] * 2, case_id=[f"c{i:02d}" for i in range(len(values))] * 2)


def sensitivity(table: pd.DataFrame) -> pd.DataFrame:
    rows = paired_sensitivity(table, "value", readers=("manual", "unet3d"))
    assert rows["method"].tolist() == METHODS
    return rows.set_index("method")


@pytest.mark.parametrize("name", HIPS)
def test_the_mixed_model_is_that_of_lme4(name):
    row = sensitivity(hip_differences(HIPS[name])).loc["mixed model"]
    assert row["mean_difference"] == pytest.approx(R[f"mixed.{name}.intercept"], rel=1e-6)
    assert row["se"] == pytest.approx(R[f"mixed.{name}.se"], rel=1e-6)
    assert row["ci_high"] == pytest.approx(row["mean_difference"] + 2.364624 * row["se"])  # t of 7 degrees of freedom
    assert row["note"] == ("no variance between patients found" if name == "hip_unrelated" else "")


def test_each_method_is_what_its_name_says():
    table = hip_differences(HIPS["hip"])
    rows, d = sensitivity(table), np.array(HIPS["hip"])
    naive = stats.ttest_1samp(d, 0)
    assert rows.loc["naive, every hip", "p"] == pytest.approx(naive.pvalue)
    assert rows.loc["naive, every hip", "n_cases"] == 12
    t = paired_t(table, "value", readers=("manual", "unet3d")).iloc[0]
    means = rows.loc["patient means"]
    assert (
        means[["mean_difference", "p", "ci_low", "ci_high"]].tolist()
        == t[["mean_difference", "p", "ci_low", "ci_high"]].tolist()
    )
    assert means["mean_difference"] / means["se"] == pytest.approx(t["t"])
    interval = bootstrap_interval(PATIENT, lambda w: w @ d / w.sum(axis=1))
    assert rows.loc["bootstrap by patient", ["ci_low", "ci_high"]].tolist() == pytest.approx(interval, rel=0.02)
    first_hips = d[[0, 2, 4, 5, 7, 8, 10, 11]]
    one = rows.loc["one hip per patient"]
    assert (one["n_patients"], one["n_cases"]) == (8, 8)
    assert one["mean_difference"] == pytest.approx(first_hips.mean())
    assert one["p"] == pytest.approx(stats.ttest_1samp(first_hips, 0).pvalue)


def test_where_every_patient_has_one_hip_all_methods_give_one_mean():
    rows = sensitivity(hip_differences(HIPS["hip"], patients=range(12)))
    assert rows["mean_difference"].to_numpy() == pytest.approx(np.full(5, 0.375))
    assert rows.loc["mixed model", "p"] == rows.loc["naive, every hip", "p"]
    for method in ("mixed model", "one hip per patient"):
        assert "the same as naive" in rows.loc[method, "note"]


def test_hips_alike_within_patients_make_the_naive_error_too_small():
    generator = np.random.default_rng(9)
    d = np.repeat(generator.normal(size=20), 2) + 0.1 * generator.normal(size=40)
    rows = sensitivity(hip_differences(d, patients=np.repeat(np.arange(20), 2)))
    assert rows.loc["naive, every hip", "se"] < 0.8 * rows.loc["patient means", "se"]
    assert rows.loc["mixed model", "se"] == pytest.approx(rows.loc["patient means", "se"], rel=1e-4)


def test_another_unit_scales_and_a_swap_of_readers_negates_every_method():
    table = hip_differences(HIPS["hip"])
    rows = sensitivity(table)
    litres = sensitivity(table.assign(value=table["value"] / 1000))
    names = ["mean_difference", "ci_low", "ci_high"]
    np.testing.assert_allclose(1000 * litres[names], rows[names], rtol=1e-6)
    np.testing.assert_allclose(litres["p"], rows["p"], rtol=1e-6)
    swapped = paired_sensitivity(table, "value", readers=("unet3d", "manual")).set_index("method")
    np.testing.assert_allclose(swapped["mean_difference"], -rows["mean_difference"], rtol=1e-6)
    np.testing.assert_allclose(swapped["p"], rows["p"], rtol=1e-6)


def test_the_order_of_the_rows_changes_no_method():
    table = hip_differences(HIPS["hip"])
    pd.testing.assert_frame_equal(sensitivity(table), sensitivity(table.sample(frac=1, random_state=5)))


def test_a_case_that_one_reader_lacks_is_left_out_of_every_method():
    table = hip_differences(HIPS["hip"])
    table.loc[0, "value"] = np.nan
    rows = sensitivity(table)
    assert (rows["n_excluded"] == 1).all()
    assert rows.loc["naive, every hip", "n_cases"] == 11


@pytest.mark.parametrize(
    ("values", "patients"),
    [([np.nan], "a"), ([1.0], "a"), ([0.25, 0.25, 0.25, 0.25], "aabc"), ([0.0, 0.0, 0.0], "aab"), ([0.5, 0.5], "ab")],
)
def test_too_little_gives_notes_and_no_numbers(values, patients):
    rows = sensitivity(hip_differences(values, patients=patients))
    assert rows[["se", "p", "ci_low", "ci_high"]].drop(["patient means"]).isna().all(axis=None)
    assert rows["p"].isna().all()
    assert (rows["note"] != "").all()


def test_two_hips_of_one_patient_are_enough_for_the_naive_test_only():
    rows = sensitivity(hip_differences([1.0, 2.0], patients="aa"))
    assert rows["p"].notna().tolist() == [True, False, False, False, False]
    assert (rows["note"].iloc[1:] != "").all()


def test_equal_hips_within_each_patient_do_not_break_the_mixed_model():
    row = sensitivity(hip_differences(np.repeat([0.5, 1.5, 4.0, -1.0], 2), patients=np.repeat([*"abcd"], 2)))
    mixed, means = row.loc["mixed model"], row.loc["patient means"]
    assert mixed["note"] if np.isnan(mixed["se"]) else mixed["se"] == pytest.approx(means["se"], rel=1e-3)
