"""Segmentation results by stratum and the detection of lesions."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats.segmentation import detection, segmentation_results


def agreement(dice, outcome=None, patients=None, **more):
    n = len(dice)
    columns = {"patient_id": patients or range(n), "case_id": range(n), "reader": "net", "label": "necrosis"}
    return pd.DataFrame(columns | {"dice": dice, "outcome": outcome or ["both_present"] * n} | more)


def test_the_strata_are_the_stages_and_the_sizes_of_the_manual_reader(study):
    measurements, agreed = study
    table = segmentation_results(agreed, measurements, draws=200)
    rows = table[(table["reader"] == "ensemble") & (table["label"] == "necrosis") & (table["metric"] == "dice")]
    rows = rows.set_index("stratum")
    assert {"all", "stage I", "stage II", "stage IIIA", "large (> 30 %)"} <= set(rows.index)
    manual = measurements[measurements["reader"] == "manual"]
    assert rows.loc["stage IIIA", "n"] == (manual["arco_stage"] == "IIIA").sum()
    assert rows.loc["large (> 30 %)", "n"] == (manual["necrosis_percent"] > 30).sum()
    sizes = [name for name in rows.index if "%" in name]
    assert rows.loc[sizes, "n"].sum() == rows.loc["all", "n"] == len(manual)


def test_a_size_of_exactly_15_or_30_percent_is_in_the_middle_as_steinberg_has_it():
    percent = [14.9, 15.0, 30.0, 30.1, 0.0]
    manual = pd.DataFrame(
        {"patient_id": range(5), "case_id": range(5), "reader": "manual", "necrosis_percent": percent}
    )
    table = segmentation_results(agreement([0.5] * 5), manual, draws=50).set_index("stratum")
    assert table.loc[["small (< 15 %)", "medium (15 to 30 %)", "large (> 30 %)"], "n"].tolist() == [1, 2, 1]


def test_infinite_distances_are_worst_in_the_median_and_in_no_mean():
    table = agreement([0.8, 0.7, 0.0, 0.0], ["both_present"] * 2 + ["missed"] * 2, hd95_mm=[2.0, 4.0, np.inf, np.inf])
    row = segmentation_results(table, draws=50).set_index("metric").loc["hd95_mm"]
    assert (row["mean"], row["median"], row["q1"], row["q3"]) == (3.0, np.inf, 3.5, np.inf)
    assert row["n_missed"] == 2


def test_the_interval_holds_the_mean_and_knows_that_hips_of_one_patient_are_alike():
    generator = np.random.default_rng(0)
    of_patient = np.repeat(generator.normal(0.7, 0.1, 20), 2)
    patients = list(np.repeat(np.arange(20), 2))
    together = segmentation_results(agreement(of_patient, patients=patients), draws=4000).iloc[0]
    apart = segmentation_results(agreement(of_patient), draws=4000).iloc[0]
    assert together["ci_low"] < together["mean"] < together["ci_high"]
    ratio = (together["ci_high"] - together["ci_low"]) / (apart["ci_high"] - apart["ci_low"])
    assert ratio == pytest.approx(np.sqrt(2), abs=0.12)


def test_few_patients_have_no_interval_and_undefined_cases_are_counted():
    row = segmentation_results(agreement([0.5, np.nan], ["both_present", "both_empty"]), draws=50).iloc[0]
    assert row["n"] == 1
    assert row["n_undefined"] == 1
    assert np.isnan([row["sd"], row["ci_low"], row["ci_high"]]).all()


def test_detection_counts_hips_with_and_without_a_lesion():
    outcome = ["both_present"] * 9 + ["missed"] + ["both_empty"] * 4 + ["false_positive"]
    row = detection(agreement([0.5] * 15, outcome)).iloc[0]
    assert (row["sensitivity"], row["specificity"]) == (0.9, 0.8)
    assert (row["n_with"], row["n_without"]) == (10, 5)
    assert 0.59 < row["ci_low"] < 0.60  # Wilson of 9 in 10: 0.5958 to 0.9821
    assert 0.982 < row["ci_high"] < 0.983


def test_a_cohort_without_healthy_hips_has_no_specificity_and_an_unknown_label_is_an_error():
    assert np.isnan(detection(agreement([0.5] * 3)).iloc[0]["specificity"])
    with pytest.raises(StatisticsError, match="no label 'tumour'"):
        detection(agreement([0.5]), label="tumour")
