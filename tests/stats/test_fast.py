"""The cheapest networks that held-out cases find as good as all of them."""

import pandas as pd
import pytest

from avnnet.stats.decided import fast_table

GFLOP = {"unet2d": 4.0, "unet3d": 9.0}


def agreement(**dice: dict[str, list[float]]) -> pd.DataFrame:
    """Dice of three cases by reader and label."""
    rows = [
        (f"case{number}", reader, label, value)
        for reader, by_label in dice.items()
        for label, values in by_label.items()
        for number, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["case_id", "reader", "label", "dice"])


def taken(table: pd.DataFrame) -> set[str]:
    return set(table.loc[table["is_taken"], "networks"])


ALL = {"head": [0.95, 0.96, 0.97], "necrosis": [0.80, 0.70, 0.60]}


def test_the_cheapest_is_taken_that_loses_a_hundredth_at_most_of_every_label():
    lost = {"head": [0.94, 0.95, 0.96], "necrosis": [0.80, 0.70, 0.60]}
    table = fast_table(agreement(unet2d=lost, unet3d=ALL, ensemble=ALL), GFLOP)
    assert taken(table) == {"unet2d"}
    assert table.query("networks == 'unet2d' and label == 'head'")["loss"].item() == pytest.approx(0.01)


def test_what_is_lost_of_one_label_is_not_made_good_by_another():
    worse = {"head": [0.99, 0.99, 0.99], "necrosis": [0.79, 0.69, 0.566]}
    table = fast_table(agreement(unet2d=worse, unet3d=ALL, ensemble=ALL), GFLOP)
    assert taken(table) == {"unet3d"}


def test_where_none_is_enough_one_network_of_every_configuration_is_taken():
    worse = {"head": [0.9, 0.9, 0.9], "necrosis": [0.5, 0.5, 0.5]}
    table = fast_table(agreement(unet2d=worse, unet3d=worse, ensemble=ALL), GFLOP)
    assert taken(table) == {"unet2d + unet3d"}
    assert table.loc[table["is_taken"], "gflop"].unique().tolist() == [13.0]
    assert (table.loc[table["is_taken"], "loss"] == 0).all()


def test_a_study_of_one_configuration_takes_one_of_its_networks():
    table = fast_table(agreement(unet3d=ALL, ensemble=ALL), {"unet3d": 9.0})
    assert taken(table) == {"unet3d"}
    assert len(table) == 2


def test_cases_without_the_label_are_left_out_of_both_means():
    nan = float("nan")
    table = fast_table(
        agreement(unet2d={"necrosis": [0.8, nan, 0.6]}, ensemble={"necrosis": [0.8, nan, 0.6]}), {"unet2d": 4.0}
    )
    assert table[["n_cases", "dice"]].drop_duplicates().to_numpy().tolist() == [[2, 0.7]]


def test_a_located_ensemble_and_people_are_no_choices():
    table = fast_table(agreement(manual_2=ALL, ensemble_located=ALL, unet3d=ALL, ensemble=ALL), {"unet3d": 9.0})
    assert set(table["networks"]) == {"unet3d"}


def test_a_study_whose_cases_all_failed_takes_nothing():
    table = fast_table(agreement(unet2d=ALL).query("dice < 0"), GFLOP)
    assert table.empty
    assert "is_taken" in table
