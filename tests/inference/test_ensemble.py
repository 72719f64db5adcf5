import numpy as np
import pytest
import torch

from avnnet.data.contrast import Contrast
from avnnet.data.preprocess import Preprocess
from avnnet.data.softmax import Softmax
from avnnet.errors import GeometryMismatch, InvalidConfig, MissingCentre
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.ensemble import Ensemble, mean_softmax
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, LabelScheme
from tests.inference.conftest import Threshold

ONE = LabelScheme({1: "bone"}, part="bone", whole="all")
IMAGE = Image(np.random.default_rng(0).normal(size=(4, 4, 4)), Grid((4, 4, 4)))

# probability of label 1 by three networks. In the first slice a vote of labels says 0 and the mean says 1;
# in the second the mean of the logits says 1 and the mean of the softmax says 0. The other two are as the second.
PROBABILITIES = np.array([[0.90, 0.35, 0.35], *[[0.999, 0.20, 0.20]] * 3])


def members(fixed_member):
    logit = np.log(PROBABILITIES / (1 - PROBABILITIES))
    return [fixed_member([[0.0, float(one)] for one in row], f"net{i}") for i, row in enumerate(logit.T)]


def test_the_ensemble_is_neither_a_vote_of_labels_nor_a_mean_of_logits(fixed_member):
    logit = np.log(PROBABILITIES / (1 - PROBABILITIES))
    vote = (PROBABILITIES > 0.5).sum(axis=1) >= 2
    mean_logit = logit.mean(axis=1) > 0
    mean_probability = PROBABILITIES.mean(axis=1) > 0.5
    # the example must be able to tell the three apart
    assert vote.tolist() == [False] * 4
    assert mean_logit.tolist() == [True] * 4
    assert mean_probability.tolist() == [True, False, False, False]
    labels = Segmenter(members(fixed_member), ONE).predict(IMAGE).labels
    assert (labels.array[0] == 1).all()
    assert (labels.array[1:] == 0).all()


def test_the_ensembles_probability_is_the_mean_of_the_members(fixed_member):
    mean = Ensemble(members(fixed_member), ONE).see(IMAGE).softmax
    assert np.allclose(mean.values[1, :, 0, 0], PROBABILITIES.mean(axis=1), atol=1e-6)
    assert np.allclose(mean.values.sum(axis=0), 1, atol=1e-6)


def test_a_member_twice_is_the_member_once_and_order_does_not_matter(fixed_member):
    made = members(fixed_member)
    (once, twice, forward, backward) = (
        Ensemble(some, ONE).see(IMAGE).softmax.values for some in (made[:1], made[:1] * 2, made, made[::-1])
    )
    assert np.array_equal(once, twice)
    assert np.allclose(forward, backward, atol=1e-7)


@pytest.mark.parametrize("spacing", [1.0, 1.4])
def test_the_mean_is_that_of_the_configurations_by_how_many_folds_they_have(fixed_member, spacing):
    made = members(fixed_member)
    for member, name in zip(made, ["a", "b", "a"], strict=True):
        member.name = name
    made[1].preprocess = Preprocess([1.0, spacing, spacing])  # another preparation, another way back
    seen = Ensemble(made, ONE).see(IMAGE, by_name=True)
    alone = [Ensemble([member], ONE).see(IMAGE).softmax.values for member in made]
    assert np.allclose(seen.by_name["a"].values, (alone[0] + alone[2]) / 2, atol=1e-6)
    assert np.allclose(seen.by_name["b"].values, alone[1], atol=1e-6)
    assert np.allclose(seen.softmax.values, sum(alone) / 3, atol=1e-6)
    assert np.allclose(seen.softmax.values, Ensemble(made, ONE).see(IMAGE).softmax.values, atol=1e-6)


def test_what_three_networks_of_one_preparation_say_goes_the_way_back_once(fixed_member, monkeypatch):
    calls = []
    original = Preprocess.restore
    monkeypatch.setattr(Preprocess, "restore", lambda self, *words: calls.append(1) or original(self, *words))
    Ensemble(members(fixed_member), ONE).see(IMAGE)
    assert len(calls) == 1


def test_boxes_of_different_members_are_united_with_background_outside():
    grid = Grid((1, 1, 4))
    left = Softmax(np.array([[[[0.2, 0.2]]], [[[0.8, 0.8]]]], np.float32), (0, 0, 0), grid)
    right = Softmax(np.array([[[[0.4, 0.4]]], [[[0.6, 0.6]]]], np.float32), (0, 0, 1), grid)
    mean = mean_softmax([left, right])
    assert mean.start == (0, 0, 0)
    assert np.allclose(mean.values[1, 0, 0], [0.4, 0.7, 0.3])
    assert np.allclose(mean.values.sum(axis=0), 1)
    assert np.allclose(mean.full()[1, 0, 0], [0.4, 0.7, 0.3, 0.0])


def test_a_box_outside_its_grid_is_refused():
    with pytest.raises(GeometryMismatch, match="inside"):
        Softmax(np.zeros((2, 1, 1, 3), np.float32), (0, 0, 2), Grid((1, 1, 4)))


def test_members_of_different_images_are_refused():
    values = np.ones((2, 1, 1, 4), np.float32) / 2
    with pytest.raises(GeometryMismatch, match="same image"):
        mean_softmax([Softmax(values, (0, 0, 0), Grid((1, 1, 4))), Softmax(values, (0, 0, 0), Grid((1, 1, 5)))])


def test_members_that_prepare_alike_prepare_once(fixed_member, monkeypatch):
    made = members(fixed_member)
    calls = []
    original = type(made[0].preprocess).prepare
    monkeypatch.setattr(
        type(made[0].preprocess), "prepare", lambda self, *a, **k: calls.append(1) or original(self, *a, **k)
    )
    Ensemble(made, ONE).see(IMAGE)
    assert len(calls) == 1
    assert torch.is_grad_enabled()


def test_every_network_is_told_of_when_it_is_done(fixed_member):
    told = []
    Ensemble(members(fixed_member), ONE).see(IMAGE, on_progress=lambda *count: told.append(count))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("device", ["meta", "cuda:99", "a card"])
def test_a_device_that_is_not_there_or_has_no_numbers_is_refused(fixed_member, device):
    with pytest.raises(InvalidConfig, match=f"there is no device {device} .*; take auto, cpu, cuda or cuda:NUMBER"):
        Ensemble(members(fixed_member), ONE).to(device)


def test_the_device_auto_is_one_that_is_here(fixed_member):
    ensemble = Ensemble(members(fixed_member), ONE).to("auto")
    assert ensemble.to("cpu") is ensemble


def of_crops(is_cropped: bool | None) -> Segmenter:
    """A network that was trained on crops of 16 x 16 x 16 mm, on whole images, or nobody knows."""
    contrast = None if is_cropped is None else Contrast([[0.0] * 512], [-2.0], is_cropped)
    how = Preprocess([2.0, 1.0, 1.0], [8, 16, 16])
    return Segmenter([Member(Threshold(), how, Tiling([8, 16, 16]), "unet3d", contrast=contrast)], HIP)


def larger(share: float) -> Image:
    shape = tuple(round(share * n) for n in (16, 16, 16))
    return Image(np.random.default_rng(0).normal(size=shape), Grid(shape))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_networks_of_crops_alone_are_refused_a_scan_much_larger_than_a_crop(axis):
    shape = [16, 16, 16]
    shape[axis] = 24
    image = Image(np.random.default_rng(0).normal(size=shape), Grid(tuple(shape)))
    with pytest.raises(MissingCentre, match=r"unet3d has seen crops of 16 x 16 x 16 mm around heads alone.*--locator"):
        of_crops(True).predict(image, side="right")
    of_crops(True).predict(image, side="right", centre_mm=(8, 8, 8))


@pytest.mark.parametrize(("is_cropped", "share"), [(True, 1.0), (True, 1.25), (False, 2.0), (None, 2.0)])
def test_a_scan_about_as_large_as_a_crop_and_networks_of_whole_images_need_no_centre(is_cropped, share):
    of_crops(is_cropped).predict(larger(share), side="right")
