"""The agreement of two label maps."""

import numpy as np
import pytest

from avnnet.errors import GeometryMismatch, InvalidScheme
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import LabelScheme
from avnnet.measure import compare

GRID = Grid((6, 8, 8), (3.0, 0.5, 0.5))


def labels(vital=(slice(1, 5),) * 3, necrosis=None) -> LabelMap:
    array = np.zeros(GRID.shape, np.uint8)
    if vital is not None:
        array[vital] = 1
    if necrosis is not None:
        array[necrosis] = 2
    return LabelMap(array, GRID)


def test_there_is_one_row_per_structure_and_the_whole_is_last():
    table = compare(labels(), labels())
    assert table["label"].tolist() == ["vital", "necrosis", "head"]
    names = ["label", "dice", "hd95_mm", "assd_mm", "surface_dice_1mm", "volume_error_cm3", "outcome"]
    assert list(table.columns) == names


def test_each_outcome_has_its_own_word_and_numbers():
    lesion = (slice(1, 3), slice(1, 3), slice(1, 3))
    with_lesion, without = labels(necrosis=lesion), labels()

    def necrosis(manual, automatic):
        return compare(manual, automatic).set_index("label").loc["necrosis"]

    assert necrosis(with_lesion, with_lesion)[["dice", "hd95_mm", "outcome"]].tolist() == [
        1,
        0,
        "both_present",
    ]
    missed = necrosis(with_lesion, without)
    assert missed[["dice", "hd95_mm", "assd_mm", "outcome"]].tolist() == [0, np.inf, np.inf, "missed"]
    assert missed["volume_error_cm3"] == pytest.approx(-0.006)
    assert necrosis(without, with_lesion)["outcome"] == "false_positive"
    assert necrosis(without, with_lesion)["volume_error_cm3"] == pytest.approx(0.006)
    empty = necrosis(without, without)
    assert (empty["outcome"], empty["volume_error_cm3"]) == ("both_empty", 0.0)
    assert np.isnan([empty["dice"], empty["hd95_mm"], empty["assd_mm"]]).all()


def test_distances_use_the_spacing_of_the_grid():
    moved = labels(vital=(slice(2, 6), slice(1, 5), slice(1, 5)))
    assert compare(labels(), moved).set_index("label").loc["vital", "hd95_mm"] == 3.0


def test_two_grids_are_refused_with_both_of_them_in_the_message():
    elsewhere = LabelMap(labels().array, Grid(GRID.shape, GRID.spacing, origin=(5.0, 0.0, 0.0)))
    with pytest.raises(GeometryMismatch, match=r"at \(0, 0, 0\).*at \(5, 0, 0\).*Resample"):
        compare(labels(), elsewhere)


def test_two_schemes_are_refused():
    scheme = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")
    with pytest.raises(InvalidScheme, match=r"anterior.*same scheme"):
        compare(labels(), LabelMap(labels().array, GRID, scheme))
