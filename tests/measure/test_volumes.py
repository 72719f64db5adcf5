"""Volumes against analytic bodies."""

import numpy as np
import pytest

from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import LabelScheme
from avnnet.measure import volumes


def capped_head(height_mm: float) -> LabelMap:
    """A head of 24 mm radius whose cap of the given height is necrosis."""
    grid = Grid((66, 110, 110), (0.8, 0.5, 0.5), origin=(-27.25, -27.25, -26.0))
    points = grid.to_lps(np.stack(np.indices(grid.shape), axis=-1))
    inside = (points**2).sum(-1) <= 24**2
    labels = inside.astype(np.uint8)
    labels[inside & (points[..., 2] >= 24 - height_mm)] = 2
    return LabelMap(labels, grid)


@pytest.mark.parametrize(("height_mm", "cap_cm3", "percent"), [(8, 4.2893212, 7.4074), (12, 9.0477868, 15.625)])
def test_a_cap_of_a_sphere_has_the_analytic_volume_and_share(height_mm, cap_cm3, percent):
    row = volumes(capped_head(height_mm)).iloc[0]
    assert row["head_cm3"] == pytest.approx(57.9058358, rel=2e-3)
    assert row["necrosis_cm3"] == pytest.approx(cap_cm3, rel=0.03)
    assert row["necrosis_percent"] == pytest.approx(percent, rel=0.03)


def test_a_block_has_exactly_its_voxels():
    array = np.zeros((12, 12, 12), np.int16)
    array[1:11, 1:11, 1:11] = 1
    row = volumes(LabelMap(array, Grid((12, 12, 12), (3.0, 0.5, 0.5)))).iloc[0]
    assert row["vital_cm3"] == pytest.approx(0.75)
    assert row["necrosis_percent"] == 0.0


def test_the_share_of_nothing_is_undefined():
    table = volumes(LabelMap(np.zeros((2, 2, 2), np.uint8), Grid((2, 2, 2))))
    assert table.iloc[0]["head_cm3"] == 0.0
    assert np.isnan(table.iloc[0]["necrosis_percent"])


def test_the_columns_are_those_of_the_scheme():
    scheme = LabelScheme({1: "anterior", 2: "posterior"}, part="anterior", whole="hippocampus")
    table = volumes(LabelMap(np.array([[[1, 1, 1, 2]]]), Grid((1, 1, 4)), scheme))
    assert list(table.columns) == ["anterior_cm3", "posterior_cm3", "hippocampus_cm3", "anterior_percent"]
    assert table.iloc[0]["anterior_percent"] == pytest.approx(75.0)
