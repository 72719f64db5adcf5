"""The intensities that a network sees: by ours, and by a class of a user's own, which is a part of the model."""

import hashlib
import importlib
import json
import sys

import numpy as np
import pytest
import torch

from avnnet.data.cache import Cache
from avnnet.data.normalise import ForegroundZScore, HistogramScale, Normalisation, PercentileScale, ZScore
from avnnet.data.normalised import parts_of
from avnnet.data.preprocess import Preprocess
from avnnet.errors import ConstantImage, InvalidConfig, InvalidDataStep, InvalidRecipe
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.labels import HIP
from avnnet.recipe import build, describe

OURS = [ZScore(), ForegroundZScore(), PercentileScale(), HistogramScale()]
GRID = Grid((8, 12, 12), (2.0, 1.0, 1.0))
SIZE = ([2.0, 1.0, 1.0],)


def scan(seed=0):
    return Image(np.random.default_rng(seed).gamma(2.0, 100.0, GRID.shape).astype(np.float32), GRID)


def seen(normalise=None, image=None):
    return Preprocess(*SIZE, normalise=normalise).prepare(image or scan()).image


class Median(Normalisation):
    def __init__(self, scale: float = 1.0):
        self.scale = scale

    def __call__(self, channel):
        return (channel - channel.median()) / self.scale


class Both(Normalisation):
    def __init__(self, first: Normalisation, others: list):
        self.first, self.others = first, others

    def __call__(self, channel):
        return self.first(channel)


def own(change):
    return type("Own", (Normalisation,), {"__call__": lambda self, channel: change(channel)})()


def test_the_default_is_the_z_score_of_the_clipped_channel_described_as_it_always_was():
    values = scan().array
    clipped = np.clip(values, *np.percentile(values, (0.5, 99.5)))
    expected = (clipped - clipped.mean(dtype=float)) / clipped.std(dtype=float, ddof=1)
    assert np.allclose(seen()[0], expected, atol=1e-5)
    assert torch.equal(seen(), seen(ZScore()))
    recipe = '{"class": "Preprocess", "args": {"spacing_mm": [2.0, 1.0, 1.0], "crop": null, "first_axis": "superior", '
    assert json.dumps(describe(Preprocess(*SIZE))) == recipe + '"clip_percentiles": [0.5, 99.5]}}'


def test_the_key_of_a_cache_of_before_is_still_the_key(cohort):
    case, scheme = cohort.cases[0], describe(HIP)
    from avnnet.data.integrity import image_files_hash

    parts = {
        "version": 4, "files": image_files_hash(*case.image, case.label), "preprocess": describe(Preprocess(*SIZE)),
        "scheme": scheme, "side": case.side, "centre_mm": case.centre_mm,
    }  # fmt: skip
    expected = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    assert Cache("c").key(case, Preprocess(*SIZE), HIP) == expected


@pytest.mark.parametrize("normalise", OURS, ids=lambda one: type(one).__name__)
def test_a_brighter_scanner_changes_nothing_that_a_network_sees(normalise):
    image = scan()
    brighter = Image(3.5 * image.array + 40, GRID)
    assert torch.allclose(seen(normalise), seen(normalise, brighter), atol=2e-3)
    with pytest.raises(ConstantImage):
        seen(normalise, Image(np.full(GRID.shape, 7.0, np.float32), GRID))


@pytest.mark.parametrize("normalise", OURS[2:], ids=lambda one: type(one).__name__)
def test_a_scale_goes_from_0_to_1_and_keeps_the_order(normalise):
    image = seen(normalise)
    assert (float(image.min()), float(image.max())) == (0.0, 1.0)
    order = np.argsort(scan().array, axis=None)
    assert (np.diff(image[0].numpy().flatten()[order]) >= 0).all()


def test_air_does_not_move_the_tissues_of_the_foreground_z_score():
    array = scan().array.copy()
    array[:, :4], array[:, 4:] = 0.0, array[:, 4:] + 500
    more = np.concatenate([np.zeros((8, 3, 12), np.float32), array], axis=1)
    tissue = ForegroundZScore((0, 100))(torch.from_numpy(array))[:, 4:]
    assert torch.allclose(ForegroundZScore((0, 100))(torch.from_numpy(more))[:, 7:], tissue, atol=1e-5)
    assert not torch.allclose(ZScore()(torch.from_numpy(more))[:, 7:], ZScore()(torch.from_numpy(array))[:, 4:])


@pytest.mark.parametrize("normalise", [*OURS[1:], Median(2.0)], ids=lambda one: type(one).__name__)
def test_a_model_knows_its_normalisation_and_comes_back_with_it(normalise):
    recipe = json.loads(json.dumps(describe(Preprocess(*SIZE, normalise=normalise))))
    back = build(recipe, [Preprocess, *map(type, OURS), Median])
    assert torch.equal(back.prepare(scan()).image, seen(normalise))
    if type(normalise) is Median:
        with pytest.raises(InvalidRecipe, match=r"names the class 'Median'.*--classes"):
            build(recipe, [Preprocess])


def test_no_two_normalisations_share_a_cache_entry(cohort):
    every = [None, *OURS, PercentileScale((1, 99)), Median(), Median(2.0), Both(ZScore(), []), Both(Median(), [])]
    keys = {Cache("c").key(cohort.cases[0], Preprocess(*SIZE, normalise=one), HIP) for one in every}
    assert len(keys) == len(every)


def test_a_changed_file_of_an_own_class_is_another_entry(cohort, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from avnnet.data.normalise import Normalisation\nclass Mine(Normalisation):\n    pass\n"
    keys = set()
    for number, more in enumerate(("", "OFFSET = 3\n")):
        (tmp_path / f"mine_{number}.py").write_text(text + more)
        mine = importlib.import_module(f"mine_{number}").Mine()
        keys.add(Cache("c").key(cohort.cases[0], Preprocess(*SIZE, normalise=mine), HIP))
        del sys.modules[f"mine_{number}"]
    assert len(keys) == 2


BAD = {
    "infinite": (lambda c: c / (c - c.min()), "1 voxels that are NaN or infinite, of a channel of .*divide by 0"),
    "NaN": (lambda c: (c - c.median()).log(), "voxels that are NaN or infinite"),
    "shape": (lambda c: c[1:], r"must give a tensor of torch.float32 \(8, 12, 12\).*found torch.float32 \(7, 12, 12\)"),
    "double": (lambda c: c.double(), "found torch.float64"),
    "numpy": (lambda c: c.numpy(), "found ndarray"),
    "raises": (lambda c: c @ "x", "raises TypeError"),
    "random": (lambda c: c + torch.rand(1), "draws from the global random numbers of torch"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_normalisation_that_no_network_can_use_is_named_with_class_and_case(fault, cohort, tmp_path):
    change, words = BAD[fault]
    with pytest.raises(InvalidDataStep, match=rf"^the normalisation tests\.data\.test_normalise\.Own .*{words}"):
        seen(own(change))
    with pytest.raises(InvalidDataStep, match=r"^case hip-001: the normalisation"):
        Cache(tmp_path).add(cohort.cases[0], Preprocess([6.0] * 3, normalise=own(change)), HIP)


def test_the_channel_at_fault_is_named():
    two = Image(np.stack([scan(1).array, scan(2).array]), GRID)
    with pytest.raises(InvalidDataStep, match=r"^channel 1: the normalisation"):
        seen(own(lambda channel: channel[1:]), two)


def test_what_is_no_normalisation_is_refused():
    with pytest.raises(InvalidConfig, match=r"must be an avnnet\.data\.normalise\.Normalisation.*found a Preprocess"):
        Preprocess(*SIZE, normalise=Preprocess(*SIZE))
    with pytest.raises(InvalidConfig, match=r"clip_percentiles \[1\.0, 99\.0\] are of the z-score"):
        Preprocess(*SIZE, clip_percentiles=(1, 99), normalise=PercentileScale())
    with pytest.raises(InvalidConfig, match=r"percentiles must rise from 0 to 100; found \[99\.0, 1\.0\]"):
        PercentileScale((99, 1))
    with pytest.raises(InvalidConfig, match="num_bins is at least 2; found 1"):
        HistogramScale(num_bins=1)


def test_the_classes_of_a_model_are_all_that_its_normalisation_is_made_of():
    found = parts_of(Both(Median(), [PercentileScale(), 3]))
    assert [type(one).__name__ for one in found] == ["Both", "Median", "PercentileScale"]
