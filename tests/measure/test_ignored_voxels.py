"""Voxels that a reader ignored: they count in no number, and where they cut a structure its surface is not known."""

import numpy as np
import pytest

from avnnet.errors import GeometryMismatch, InvalidLabelValues, Unmeasurable
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.measure import agreement_rows, case_row, compare, measured_head, measurement_row
from avnnet.metrics.catalogue import METRICS

GRID = Grid((8, 10, 10), (2.0, 1.0, 1.0))


@pytest.fixture
def drawn():
    """Manual ids, automatic ids and ignored voxels, all at random."""
    generator = np.random.default_rng(5)
    manual, automatic = generator.integers(0, 3, (2, *GRID.shape), dtype=np.uint8)
    return manual, automatic, generator.random(GRID.shape) < 0.3


def test_dice_and_volumes_by_hand_are_of_the_known_voxels_alone():
    line = Grid((1, 1, 8), (10.0, 10.0, 10.0))
    #                                 known             | ignored
    manual = LabelMap(np.array([[[1, 1, 2, 0, 0, 0, 0, 0]]]), line)
    automatic = LabelMap(np.array([[[1, 2, 2, 0, 1, 2, 1, 0]]]), line)
    known = manual.leaving_out(np.array([[[False] * 5 + [True] * 3]]))
    table = compare(known, automatic).set_index("label")
    # TP, FP, FN of the first five voxels: vital 1, 1, 1; necrosis 1, 1, 0; head 3, 1, 0
    assert table["dice"].tolist() == pytest.approx([2 / 4, 2 / 3, 6 / 7])
    assert table["volume_error_cm3"].tolist() == pytest.approx([0, 1, 1])
    # voxel 4 of the automatic head, a vital one, touches what is ignored
    assert table["hd95_mm"].isna().tolist() == [True, False, True]
    assert table.loc["necrosis", "hd95_mm"] == pytest.approx(9.5)  # of 0 and 10 mm


def test_dice_is_that_of_confusion_counts_without_the_ignored_voxels(drawn):
    manual, automatic, ignored = drawn
    table = compare(LabelMap(np.where(ignored, 0, manual), GRID, ignored=ignored), LabelMap(automatic, GRID))
    for name, ids, dice in zip(table["label"], ([1], [2], [1, 2]), table["dice"], strict=True):
        # as nnU-Net 2.8.1 counts: each of the counts is taken where the mask is not the ignore label
        one, other = np.isin(manual, ids), np.isin(automatic, ids)
        tp = (one & other & ~ignored).sum()
        fp = (~one & other & ~ignored).sum()
        fn = (one & ~other & ~ignored).sum()
        assert dice == pytest.approx(2 * tp / (2 * tp + fp + fn)), name


@pytest.mark.parametrize("side", ["random", "apart"])
def test_what_a_network_says_of_ignored_voxels_changes_no_number(drawn, side):
    manual, automatic, ignored = drawn
    if side == "apart":  # a case whose distances are known
        ignored = np.indices(GRID.shape)[2] > 6
        manual, automatic = (np.where(np.indices(GRID.shape)[2] > 5, 0, one) for one in (manual, automatic))
    known = LabelMap(manual, GRID).leaving_out(ignored)
    other = np.where(ignored, np.random.default_rng(6).integers(0, 3, GRID.shape), automatic).astype(np.uint8)
    assert (other != automatic).any()
    tables = [agreement_rows(case_row("a"), "net", known, LabelMap(ids, GRID)) for ids in (automatic, other)]
    assert tables[0].equals(tables[1])
    assert tables[0]["hd95_mm"].notna().all() == (side == "apart")
    rows = [
        measurement_row(case_row("a"), "net", LabelMap(ids, GRID).leaving_out(ignored)) for ids in (automatic, other)
    ]
    assert rows[0].equals(rows[1])


def test_where_nothing_is_ignored_nothing_changes(drawn):
    manual, automatic, _ = drawn
    labels = LabelMap(manual, GRID)
    assert labels.leaving_out(np.zeros(GRID.shape, bool)) is labels
    row = measurement_row(case_row("a"), "manual", labels)
    assert "ignored_cm3" not in row
    assert "partly_ignored" not in row["flags"].iloc[0]
    assert compare(labels, LabelMap(automatic, GRID))["hd95_mm"].notna().all()


def test_a_cut_structure_that_is_missed_is_as_far_off_as_any_missed_one():
    array, ignored = np.zeros(GRID.shape, np.uint8), np.zeros(GRID.shape, bool)
    array[2:5, 2:5, 2:5], ignored[5] = 1, True
    manual, nothing = LabelMap(array, GRID).leaving_out(ignored), LabelMap(np.zeros(GRID.shape, np.uint8), GRID)
    missed = compare(manual, nothing).set_index("label").loc["vital"]
    assert [missed[one.name] for one in METRICS] == [np.inf if one.is_distance else 0 for one in METRICS]
    both = compare(manual, LabelMap(array, GRID)).set_index("label").loc["vital"]
    assert both["dice"] == 1
    assert np.isnan([both["hd95_mm"], both["assd_mm"], both["surface_dice_1mm"]]).all()


def test_a_mask_all_of_whose_structures_are_ignored_is_undefined_and_not_perfect():
    array = np.zeros(GRID.shape, np.uint8)
    array[2:5, 2:5, 2:5] = 1
    manual = LabelMap(np.zeros_like(array), GRID).leaving_out(array > 0)
    table = compare(manual, LabelMap(array, GRID))
    assert set(table["outcome"]) == {"both_empty"}
    assert table["dice"].isna().all()


def test_a_head_is_measured_whole_or_by_its_volume_alone():
    z, y, x = np.indices((56, 56, 56)) - 27.5
    ball = (x**2 + y**2 + z**2 < 24**2).astype(np.uint8)
    ball[(ball > 0) & (z > 12)] = 2
    whole = LabelMap(ball, Grid(ball.shape))
    apart, cut = (whole.leaving_out(z > height) for height in (26, 20))
    rows = [measurement_row(case_row("a"), "manual", one).iloc[0] for one in (whole, apart, cut)]
    assert rows[1]["head_radius_mm"] == rows[0]["head_radius_mm"]
    assert "partly_ignored" in rows[1]["flags"].split()
    assert rows[1]["steinberg_grade"] == rows[0]["steinberg_grade"] == "B"
    assert rows[2]["head_cm3"] == pytest.approx(int(cut.mask("head").sum()) / 1000)
    assert rows[2]["ignored_cm3"] == pytest.approx(int((z > 20).sum()) / 1000)
    assert np.isnan(rows[2]["head_radius_mm"])
    assert rows[2]["steinberg_grade"] == ""
    assert "ignored voxels touch the head" in rows[2]["not_measured"]
    with pytest.raises(Unmeasurable, match="ignored voxels touch the head"):
        measured_head(cut)


def test_ignored_voxels_of_another_grid_or_with_a_label_are_refused(drawn):
    manual, _, ignored = drawn
    with pytest.raises(GeometryMismatch, match="ignored voxels of shape"):
        LabelMap(manual, GRID).leaving_out(ignored[1:])
    with pytest.raises(InvalidLabelValues, match=r"Use leaving_out"):
        LabelMap(manual, GRID, ignored=ignored)
    with pytest.raises(InvalidLabelValues, match="found uint8"):
        LabelMap(np.where(ignored, 0, manual), GRID, ignored=ignored.astype(np.uint8))
