"""Single networks against their ensemble, at the voxels that they were shown."""

import numpy as np
import pytest
import torch

from avnnet.data.orientation import orientation_of
from avnnet.data.preprocess import Placement, Preprocess
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.agreement import Marks, agreement_flags
from avnnet.labels import Side
from tests.conftest import ORDERS, reordered

GRID = Grid((20, 20, 20))


def ball(centre, shape=GRID.shape) -> np.ndarray:
    return np.linalg.norm(np.indices(shape) - np.reshape(centre, (3, 1, 1, 1)), axis=0) < 6


def marks(marked: np.ndarray) -> Marks:
    place = Placement(GRID, orientation_of(GRID), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    one = torch.from_numpy(place.orientation.apply(marked).astype(np.float32))
    return Marks.of(torch.stack([1 - one, one * 0.6, one * 0.4]), place, "net")


@pytest.mark.parametrize(("shift", "is_raised"), [(0, False), (1, False), (9, True)])
def test_networks_that_see_different_heads_are_flagged(shift, is_raised):
    members = [marks(ball((8, 8, 8))), marks(ball((8, 8, 8))), marks(ball((8, 8, 8 + shift)))]
    flags = agreement_flags(members, LabelMap(ball((8, 8, 8)).astype(np.uint8), GRID))
    assert flags == ((Flag.LOW_ENSEMBLE_AGREEMENT,) if is_raised else ())


def test_one_network_or_an_empty_mask_has_nothing_to_agree_on():
    seen = marks(ball((8, 8, 8)))
    assert agreement_flags([seen], LabelMap(ball((14, 14, 14)).astype(np.uint8), GRID)) == ()
    assert agreement_flags([seen] * 2, LabelMap(np.zeros(GRID.shape, np.uint8), GRID)) == ()


@pytest.mark.parametrize("side", [None, Side.LEFT])
@pytest.mark.parametrize(("axes", "flips"), ORDERS[::9])
def test_a_mask_lies_on_prepared_voxels_as_the_label_that_is_prepared_with_the_image(axes, flips, side):
    spacing = (2.0, 0.7, 0.9)
    array = np.random.default_rng(1).normal(size=(18, 40, 36))
    image = reordered(Image(array, Grid(array.shape, spacing, (-5.0, 7.0, 11.0))), axes, flips)
    whole = ball((9, 10, 9), image.grid.shape)
    label = LabelMap(whole.astype(np.uint8), image.grid)
    how = Preprocess([1.53, 1.1, 1.2], crop=[20, 24, 24])
    centre_mm = image.grid.to_lps([n // 2 for n in image.grid.shape])
    prepared = how.prepare(image, label, side=side, centre_mm=centre_mm)
    here = prepared.placement.onto(whole, prepared.image.shape[1:])
    drawn = prepared.label[0].numpy() > 0
    assert here.sum() > 100
    assert (here != drawn).sum() <= 0.002 * here.sum()  # where a voxel lies half way between two
