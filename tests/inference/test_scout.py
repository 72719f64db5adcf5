"""Of a large image one network sees all, and the others what lies near what it found."""

import numpy as np
import pytest
import torch

from avnnet.data.normalise import FixedWindow
from avnnet.data.preprocess import Preprocess
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference import scout
from avnnet.inference.engines import Engine
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.member import Member
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from tests.inference.conftest import Threshold

SHAPE = (40, 44, 48)


class Counting(Threshold):
    """The oracle, which counts the voxels that it was shown."""

    def __init__(self, ndim=3):
        super().__init__(ndim)
        self.voxels = 0

    def forward(self, x):
        self.voxels += x.numel()
        return super().forward(x)


def scan(*centres) -> Image:
    """Air with bright balls."""
    index = np.indices(SHAPE)
    array = np.random.default_rng(0).normal(0, 0.02, size=SHAPE)
    for centre in centres:
        distance = np.linalg.norm(index - np.reshape(centre, (3, 1, 1, 1)), axis=0)
        array += np.where(distance < 6, 6.0, 0) + np.where(distance < 3, 6.0, 0)
    return Image(array, Grid(SHAPE))


def members(spacing=(1.0, 1.0), dims=(3, 2, 3)):
    steps = (spacing[0], spacing[1], spacing[0])
    how = [Preprocess([1.0, step, step], normalise=FixedWindow(-100, 100, 0, 3)) for step in steps]
    nets = zip(dims, how, strict=True)
    return [Member(Counting(ndim), one, Tiling([8, 8, 8]), f"net{n}") for n, (ndim, one) in enumerate(nets)]


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.9)])
@pytest.mark.parametrize("centres", [[(10, 12, 10)], [(10, 12, 10), (30, 30, 38)]])
def test_a_scout_changes_no_label_and_saves_most_of_the_work(monkeypatch, spacing, centres):
    monkeypatch.setattr(scout, "NEAR_MM", 3.0)  # of an image of 4 cm
    scouted, all_of_it = members(spacing), members(spacing)
    found = Ensemble(scouted, HIP).see(scan(*centres)).softmax.labels(HIP).array
    monkeypatch.setattr(scout, "MANY_TILES", 10**9)
    expected = Ensemble(all_of_it, HIP).see(scan(*centres)).softmax.labels(HIP).array
    assert len(np.unique(found)) == 3
    assert np.array_equal(found, expected)
    assert sum(one.net.voxels for one in scouted) < 0.7 * sum(one.net.voxels for one in all_of_it)


def test_where_the_scout_sees_nothing_nobody_else_looks_and_all_is_background(monkeypatch):
    made = members()
    for member in made:
        torch.nn.init.constant_(member.net.sharpness, 0)  # every class alike
        member.net.forward = lambda x, net=member.net: _nothing(net, x)
    seen = Ensemble(made, HIP).see(scan((10, 12, 10)))
    assert [member.net.voxels > 0 for member in made] == [True, False, False]
    assert (seen.softmax.labels(HIP).array == 0).all()
    assert np.allclose(seen.softmax.values.sum(axis=0), 1)


def _nothing(net, x):
    net.voxels += x.numel()
    return torch.cat([x * 0 + 20, x * 0, x * 0], dim=1)


def test_of_a_crop_and_of_a_small_image_all_is_seen():
    made, engine = members(), Engine()

    def where(some, prepared):
        return scout.where_to_look(some, {some[0].preparation: prepared}, engine)

    whole = made[0].preprocess.prepare(scan((10, 12, 10)))
    assert set(where(made, whole)) == {made[0].preparation}
    small = Image(scan((10, 12, 10)).array[:12, :12, :12], Grid((12, 12, 12)))
    assert where(made, made[0].preprocess.prepare(small)) == {}


def test_the_scout_is_a_network_of_three_axes_where_there_is_one():
    assert scout.scout_of(members(dims=(2, 2, 3))).name == "net2"
    assert scout.scout_of(members(dims=(2, 2, 2))).name == "net0"
