"""The list of metrics, and what follows from it."""

import numpy as np
import pandas as pd
import pytest

from avnnet.errors import UnknownColumn
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.measure import compare
from avnnet.metrics.catalogue import METRICS, RANKED, SUMMARISED, Compared, metric
from avnnet.metrics.outcome import Outcome, outcome_of
from avnnet.report.methods import methods_paragraphs
from avnnet.report.statistics_words import segmentation_printed
from avnnet.report.study_words import dice_printed
from avnnet.stats.segmentation import segmentation_results
from avnnet.stats.summary import summarise_agreement


def ball(radius: float, shift: float = 0.0) -> np.ndarray:
    z, y, x = np.indices((24, 24, 24)) - 11.5
    return z**2 + y**2 + (x - shift) ** 2 < radius**2


@pytest.fixture(scope="module")
def agreement() -> pd.DataFrame:
    tables = []
    for case, shift in enumerate((0.0, 1.0, 2.0, 3.0)):
        manual, automatic = (LabelMap(mask.astype(np.uint8), Grid(mask.shape)) for mask in (ball(8), ball(8, shift)))
        both = compare(manual, automatic)
        tables.append(both.assign(patient_id=f"p{case}", case_id=f"c{case}", side="", reader="unet3d"))
    return pd.concat(tables, ignore_index=True)


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_equal_masks_are_best_and_every_shift_is_worse(one):
    values = [one.of(Compared(ball(8), ball(8, shift), (1.0, 1.0, 1.0))) for shift in (0.0, 2.0, 4.0)]
    best = sorted(values, reverse=one.is_higher_better)
    assert values == best
    assert values[0] == (1.0 if one.is_higher_better else 0.0)


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_a_structure_in_one_mask_only_is_worst_and_in_neither_undefined(one):
    nothing = np.zeros((24, 24, 24), bool)
    assert one.of(Compared(ball(8), nothing, (1.0, 1.0, 1.0))) == (np.inf if one.is_distance else 0.0)
    assert np.isnan(one.of(Compared(nothing, nothing, (1.0, 1.0, 1.0))))


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_a_distance_has_its_unit_and_grows_with_the_voxels_and_a_share_does_not(one):
    small = one.of(Compared(ball(8), ball(8, 3.0), (1.0, 1.0, 1.0)))
    large = one.of(Compared(ball(8), ball(8, 3.0), (2.0, 2.0, 2.0)))
    if one.is_distance:
        assert one.name.endswith(f"_{one.unit}")
        assert large == pytest.approx(2 * small)
    else:
        assert one.unit == ""
        assert 0 <= large <= small <= 1


def test_every_metric_stands_in_every_table_and_in_the_report(agreement):
    names = [one.name for one in METRICS]
    assert list(agreement.columns)[1:5] == names
    results = segmentation_results(agreement, draws=100)
    assert results["metric"].unique().tolist() == [one.name for one in RANKED]
    printed = segmentation_printed(results, "unet3d", "head")
    assert {row[1] for row in printed.rows} == {one.printed for one in METRICS}
    summary = summarise_agreement(agreement)
    assert {f"{one.name}_median" for one in SUMMARISED} <= set(summary.columns)
    assert [name for name in dice_printed(summary).header if name in {one.printed for one in METRICS}] == [
        one.printed for one in SUMMARISED
    ]
    methods = " ".join(methods_paragraphs({}, part="necrosis", whole="head", draws=100))
    assert all(one.definition in methods for one in METRICS)


def test_a_metric_that_is_not_listed_is_refused_by_name():
    with pytest.raises(UnknownColumn, match="hd96_mm"):
        metric("hd96_mm")


def test_who_has_a_structure_gives_four_different_words():
    found = [outcome_of(manual, automatic) for manual in (True, False) for automatic in (True, False)]
    assert found == [Outcome.BOTH_PRESENT, Outcome.MISSED, Outcome.FALSE_POSITIVE, Outcome.BOTH_EMPTY]
    assert set(found) == set(Outcome)
