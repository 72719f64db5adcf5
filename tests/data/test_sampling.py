"""Which case is drawn and where its patch lies: by ours, by a column, by a class of a user's own."""

from collections import Counter

import numpy as np
import pytest
import torch

from avnnet.data.augment import patch_centre
from avnnet.data.datasets import Draw, EpochSampler, check_repeatable
from avnnet.data.drawn import checked_weights
from avnnet.data.sampling import PreparedCase, Sampling, WeightedByColumn, seeded
from avnnet.errors import InvalidDataStep
from tests.data.test_datasets import STILL, dataset, entry, volume  # noqa: F401  # a fixture


def cases(entry, *weights):  # noqa: F811
    return [PreparedCase(f"hip-{n}", {"weight": w, "site": "north"}, entry) for n, w in enumerate(weights, start=1)]


def drawn(sampling, weights=None, count=3, draws=10, epochs=(0,), seed=1):
    sampler = EpochSampler(count, draws, seed, sampling, weights)
    found = []
    for epoch in epochs:
        sampler.set_epoch(epoch)
        found += [draw.case for draw in sampler]
    return found


class SmallFirst(Sampling):
    def weights(self, cases):
        return [1 / (1 + int((case.label() == 2).sum())) for case in cases]


class Corner(Sampling):
    def centre(self, label, patch, foreground_p, generator):
        return np.array([generator.integers(2), 0, 0])

    def slices(self, label, count, foreground_p, generator):
        return np.zeros(count, int)


def test_the_default_draws_what_it_drew_before_there_were_others():
    # rounds of a permutation, as EpochSampler itself made them
    old = [int(seeded(1, "order", p // 7).permutation(7)[p % 7]) for p in range(20, 30)]
    assert drawn(Sampling(), count=7, epochs=[2]) == old
    label = volume()[1]
    ours = Sampling().centre(label, (3, 3, 3), 0.5, seeded(4))
    assert ours.tolist() == patch_centre(label, (3, 3, 3), 0.5, seeded(4)).tolist()


def test_cases_are_drawn_as_often_as_their_column_says(entry):  # noqa: F811
    by_column = WeightedByColumn()
    weights = checked_weights(by_column, cases(entry, 1.0, 0, "3"))
    seen = Counter(drawn(by_column, weights, draws=2000))
    assert set(seen) == {0, 2}
    assert seen[2] / seen[0] == pytest.approx(3, rel=0.15)  # six standard errors


def test_a_case_with_a_small_structure_is_drawn_as_its_own_sampler_says(entry):  # noqa: F811
    weights = checked_weights(SmallFirst(), cases(entry, 1, 1))
    assert weights == [0.5, 0.5]
    assert sum(volume()[1].eq(2).flatten()) == 4
    assert SmallFirst().weights(cases(entry, 1)) == [1 / 5]


@pytest.mark.parametrize("weights", [None, [0.2, 0.3, 0.5]])
def test_weighted_draws_of_an_epoch_do_not_depend_on_the_epochs_before(weights):
    through, resumed = drawn(Sampling(), weights, epochs=range(4)), drawn(Sampling(), weights, epochs=[3])
    assert through[-10:] == resumed
    assert drawn(Sampling(), weights, epochs=range(4), seed=2) != through


def test_an_own_place_is_where_the_patch_is_cut(entry):  # noqa: F811
    samples = dataset(entry, STILL, patch=(3, 3, 3), sampling=Corner())
    depths = {float(samples[Draw(0, number, 0)][1].sum()) for number in range(4)}
    image, _ = samples[Draw(0, 0, 0)]
    assert depths == {0.0}
    # a corner: what lies outside the image is 0
    assert torch.equal(image[0, :, :, 0], torch.zeros(1, 3, 3))
    whole = dataset(entry, STILL, slices=2, sampling=type("First", (Sampling,), {"slices": Corner.slices})())
    assert torch.allclose(whole[Draw(0, 0, 0)][0][:, 0], volume()[0][0, :1].expand(2, -1, -1), atol=1e-5)


BAD_WEIGHTS = {
    "too few": (lambda cases: [1.0], r"one number for each of 2 cases; found \[1\.0\]"),
    "words": (lambda cases: ["a", "b"], r"one number for each of 2 cases; found \['a', 'b'\]"),
    "a number": (lambda cases: 3, "one number for each of 2 cases; found 3"),
    "negative": (lambda cases: [1, -1], "must be 0 or above; found -1"),
    "NaN": (lambda cases: [float("nan"), 1], "must be 0 or above; found nan"),
    "none": (lambda cases: [0, 0], "all 0, so that no case can be drawn"),
    "raises": (lambda cases: cases[0].row["age"], "raises KeyError: 'age'"),
    "global": (lambda cases: np.random.rand(2), "draws from the global random numbers of numpy"),  # noqa: NPY002
}


@pytest.mark.parametrize("fault", BAD_WEIGHTS)
def test_weights_by_which_nothing_can_be_drawn_are_named_with_the_class(entry, fault):  # noqa: F811
    weights, words = BAD_WEIGHTS[fault]
    sampling = type("Own", (Sampling,), {"weights": lambda self, cases: weights(cases)})()
    with pytest.raises(InvalidDataStep, match=rf"the sampler tests\.data\.test_sampling\.Own.*{words}"):
        checked_weights(sampling, cases(entry, 1, 1))


@pytest.mark.parametrize(
    ("column", "weight", "words"),
    [
        ("wieght", 1, r"no column 'wieght' to draw by; it has weight, site\. Add it"),
        ("weight", "", "case hip-2: weight must be a number of 0 or above; found ''"),
        ("weight", -1.0, "case hip-2: weight must be .* found '-1.0'"),
        ("weight", float("nan"), "case hip-2: weight must be .* found 'nan'"),
        ("site", 1, "case hip-1: site must be a number of 0 or above; found 'north'"),
    ],
)
def test_a_column_that_holds_no_weights_is_named(entry, column, weight, words):  # noqa: F811
    with pytest.raises(InvalidDataStep, match=words):
        checked_weights(WeightedByColumn(column), cases(entry, 1, weight))


@pytest.mark.parametrize("given", [3, -1, 1.0, None, "hip-1", True])
def test_a_draw_of_an_unknown_case_is_named(given):
    sampling = type("Own", (Sampling,), {"draw": lambda self, position, count, seed, weights: given})()
    with pytest.raises(InvalidDataStep, match=rf"Own must draw the number of a case, 0 to 2; found {given} at draw 20"):
        drawn(sampling, epochs=[2])


def test_a_sampler_that_counts_is_named_before_the_first_step(entry):  # noqa: F811
    class Counting(Sampling):
        count = 0

        def draw(self, position, count, seed, weights):
            self.count += 1
            return self.count // 3 % 2

    sampler = EpochSampler(2, 4, 1, Counting())
    with pytest.raises(InvalidDataStep, match=r"Counting draws other cases the second time; .*position and seed alone"):
        check_repeatable(dataset(entry), sampler)


@pytest.mark.parametrize("centre", [[1, 2], [1, 2, float("nan")], [0, 0, 12], [-1, 0, 0], "middle"])
def test_a_place_outside_the_image_is_named_with_the_case(entry, centre):  # noqa: F811
    sampling = type("Own", (Sampling,), {"centre": lambda *_: centre})()
    with pytest.raises(InvalidDataStep, match=r"case case: the sampler .*Own (must centre a patch|raises ValueError)"):
        dataset(entry, sampling=sampling)[Draw(0, 0, 0)]


@pytest.mark.parametrize("chosen", [[0], [0, 7], [-1, 0], [0.5, 1.0]])
def test_slices_that_there_are_not_are_named_with_the_case(entry, chosen):  # noqa: F811
    sampling = type("Own", (Sampling,), {"slices": lambda *_: chosen})()
    with pytest.raises(InvalidDataStep, match=r"case case: .*Own must choose 2 slices of 0 to 6; found \["):
        dataset(entry, slices=2, sampling=sampling)[Draw(0, 0, 0)]
