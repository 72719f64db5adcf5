"""Summaries: what is counted, and what infinity does."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import StatisticsError
from avnnet.stats import summarise_agreement, summarise_volumes
from tests.stats.conftest import long_table


def agreement(dice, hd95_mm, outcome) -> pd.DataFrame:
    table = long_table("dice", unet3d=dice).assign(label="necrosis", hd95_mm=hd95_mm, outcome=outcome)
    return table.assign(assd_mm=table["hd95_mm"] / 2)


def test_missed_structures_count_as_zero_and_rank_worst():
    table = agreement(
        [0.8, 0.6, 0.0, 0.0, np.nan],
        [2.0, 4.0, np.inf, np.inf, np.nan],
        ["both_present", "both_present", "missed", "false_positive", "both_empty"],
    )
    row = summarise_agreement(table).iloc[0]
    counts = row[["n", "n_missed", "n_false_positive", "n_undefined", "n_failed"]].tolist()
    assert counts == [4, 1, 1, 1, 0]
    assert (row["dice_mean"], row["dice_median"]) == pytest.approx((0.35, 0.3))
    assert row["dice_sd"] == pytest.approx(np.std([0.8, 0.6, 0, 0], ddof=1))
    assert (row["hd95_mm_mean"], row["hd95_mm_sd"]) == pytest.approx((3.0, np.sqrt(2)))
    assert (row["hd95_mm_median"], row["assd_mm_median"]) == (np.inf, np.inf)


def test_missing_a_structure_never_improves_the_median_distance():
    found = agreement([0.8, 0.6, 0.5], [2.0, 4.0, 9.0], "both_present")
    missed = agreement([0.8, 0.6, 0.0], [2.0, 4.0, np.inf], ["both_present", "both_present", "missed"])
    medians = [summarise_agreement(table).iloc[0]["hd95_mm_median"] for table in (found, missed)]
    assert medians == [4.0, 4.0]


def test_a_label_that_no_case_has_is_undefined_everywhere():
    row = summarise_agreement(agreement([np.nan] * 2, [np.nan] * 2, "both_empty")).iloc[0]
    assert (row["n"], row["n_undefined"]) == (0, 2)
    assert np.isnan(row[["dice_mean", "dice_sd", "hd95_mm_mean", "hd95_mm_median"]].astype(float)).all()


def test_there_is_one_row_per_reader_and_label_in_the_tables_order(study):
    _, table = study
    summary = summarise_agreement(table)
    assert summary["reader"].unique().tolist() == ["unet2d", "unet3d", "ensemble"]
    assert summary["label"].tolist()[:3] == ["vital", "necrosis", "head"]
    assert (summary["n"] == 21).all()
    assert (summary["n_patients"] == 14).all()


def test_a_failed_case_and_an_undefined_share_are_counted_apart():
    table = long_table("necrosis_percent", unet3d=[10.0, np.nan, np.nan, 30.0]).assign(error=["", None, "no file", ""])
    row = summarise_volumes(table, ["necrosis_percent"]).iloc[0]
    assert row[["n", "n_failed", "n_undefined"]].tolist() == [2, 1, 1]
    assert (row["mean"], row["sd"], row["median"]) == pytest.approx((20.0, np.sqrt(200), 20.0))


def test_an_absent_column_is_named_with_what_is_there(study):
    measurements, table = study
    with pytest.raises(StatisticsError, match=r"no column \['anterior_cm3'\].*necrosis_cm3"):
        summarise_volumes(measurements, ["anterior_cm3"])
    with pytest.raises(StatisticsError, match="outcome"):
        summarise_agreement(table.drop(columns="outcome"))
