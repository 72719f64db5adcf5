"""An augmentation of a user's own, or of MONAI's: what it sees, and what it may not give."""

import random
import time

import numpy as np
import pytest
import torch
from monai.transforms import (
    Compose,
    MapTransform,
    OneOf,
    RandAffine,
    RandAffined,
    RandBiasField,
    RandFlip,
    RandFlipd,
    RandGaussianNoised,
    RandSimulateLowResolution,
    RandSmoothDeform,
    RandZoom,
    Transform,
    Transpose,
)

from avnnet.data.augment import Augment
from avnnet.data.augmentation import Augmentation, checked_mirror_axes
from avnnet.data.augmentations import Augmentations, MonaiStep, as_augmentation
from avnnet.data.datasets import Draw, EpochSampler, check_repeatable
from avnnet.errors import InvalidDataStep
from tests.data.test_datasets import STILL, dataset, entry, volume  # noqa: F401  # a fixture

DRAWS = [Draw(0, number, 0) for number in range(6)]


class Stripes(Augmentation):
    def __init__(self, strength: float = 0.3):
        self.strength = strength

    def __call__(self, image, label, spacing_mm, generator):
        return image + generator.uniform(-self.strength, self.strength), label


def own(change, mirror_axes=()):
    """An augmentation of a function of image, label and generator."""

    class Own(Augmentation):
        def __call__(self, image, label, spacing_mm, generator):
            return change(image, label, generator)

    step = Own()
    step.mirror_axes = mirror_axes
    return step


def equal(first, second):
    return all(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_ours_with_steps_that_do_nothing_gives_the_samples_of_ours_alone(entry):  # noqa: F811
    ours = Augment(mirror_axes=[2])
    both = Augmentations([Augmentation(), own(lambda image, label, _: (image, label))], ours=ours)
    assert all(equal(dataset(entry, ours)[draw], dataset(entry, both)[draw]) for draw in DRAWS)


def test_an_own_step_acts_on_the_cut_patch_after_ours(entry):  # noqa: F811
    doubled = Augmentations([own(lambda image, label, _: (2 * image, label))])
    for draw in DRAWS:
        (image, label), (twice, same) = dataset(entry)[draw], dataset(entry, doubled)[draw]
        assert torch.equal(twice, 2 * image)
        assert torch.equal(same, label)


def test_an_own_affine_moves_image_and_label_in_the_one_interpolation(entry):  # noqa: F811
    class Turned(Augmentation):
        def affine(self, generator, spacing_mm):
            return np.diag([1.0, -1.0, 1.0, 0.0])[:3]

    (image, label), (moved, ids) = dataset(entry, STILL)[DRAWS[0]], dataset(entry, Turned())[DRAWS[0]]
    assert torch.allclose(moved, image.flip(3), atol=1e-5)
    assert torch.equal(ids, label.flip(3))
    twice = dataset(entry, Augmentations([Turned(), Turned()], ours=STILL))[DRAWS[0]]
    assert torch.allclose(twice[0], image, atol=1e-5)


def test_samples_follow_from_seed_epoch_draw_and_case_alone(entry):  # noqa: F811
    affine = RandAffined(["image", "label"], mode=["bilinear", "nearest"], prob=0.7, rotate_range=0.3)
    samples = dataset(entry, Augmentations([Stripes(), RandBiasField(prob=0.7), affine]))
    _ = samples[Draw(5, 3, 0)]  # what was drawn before must not matter
    expected = [samples[draw] for draw in DRAWS]
    torch.manual_seed(3)
    random.seed(3)
    assert all(equal(*pair) for pair in zip(expected, [samples[draw] for draw in reversed(DRAWS)][::-1], strict=True))
    assert len({float(image.sum()) for image, _ in expected}) > 1
    check_repeatable(samples, EpochSampler(1, 4, seed=1))


def test_a_dictionary_transform_moves_the_label_with_the_image_and_keeps_its_ids(entry):  # noqa: F811
    still = dataset(entry, STILL)[DRAWS[0]]
    flipped = Augmentations([RandFlipd(["image", "label"], prob=1.0, spatial_axis=2)], ours=STILL)
    image, label = dataset(entry, flipped)[DRAWS[0]]
    assert torch.equal(image, still[0].flip(4))
    assert torch.equal(label, still[1].flip(4))
    assert (type(image), label.dtype) == (torch.Tensor, torch.uint8)


def test_mirror_axes_are_those_that_any_step_names():
    mirrored = own(lambda image, label, _: (image.flip(2), label.flip(2)), mirror_axes=[1])
    assert checked_mirror_axes(Augmentations([mirrored, Stripes()], ours=Augment(mirror_axes=[2]))) == [1, 2]
    assert checked_mirror_axes(Stripes()) == []


def nowhere(image, label, generator):
    raise ZeroDivisionError("no stripes")


def spoilt(image, label, generator):
    image[0, 0, 0, 0] = float("nan")
    return image, label


COUNT = iter(range(10**6))
BAD = {
    "smaller": (lambda i, y, g: (i[:, 1:], y[:, 1:]), r"keep the image's type and shape, torch.float32 "
                r"\(1, 7, 10, 12\); found torch.float32 \(1, 6, 10, 12\)"),
    "label smaller": (lambda i, y, g: (i, y[:, 1:]), "keep the label's type and shape"),
    "double": (lambda i, y, g: (i.double(), y), "found torch.float64"),
    "numpy": (lambda i, y, g: (i.numpy(), y), "found ndarray"),
    "float label": (lambda i, y, g: (i, y.float()), "keep the label's type.*found torch.float32"),
    "no label": (lambda i, y, g: i, r"must give \(image, label\); found Tensor"),
    "nothing": (lambda i, y, g: None, "found NoneType"),
    "NaN": (spoilt, "gives 1 voxels that are NaN or infinite"),
    "new id": (lambda i, y, g: (i, y + 1), r"label ids \[3\] that data.labels has no name for"),
    "raises": (nowhere, "raises ZeroDivisionError: no stripes"),
    "torch numbers": (lambda i, y, g: (i + torch.rand(1), y), "global random numbers of torch,"),
    "numpy numbers": (lambda i, y, g: (i + np.random.rand(), y), "global random numbers of numpy,"),  # noqa: NPY002
    "random numbers": (lambda i, y, g: (i + random.random(), y), "global random numbers of random,"),
    "clock": (lambda i, y, g: (i + time.perf_counter_ns() % 1_000_000, y), "gives another sample the second time"),
    "count": (lambda i, y, g: (i + next(COUNT), y), "gives another sample the second time"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_what_no_training_can_use_is_named_with_class_and_case_before_the_first_step(entry, fault):  # noqa: F811
    change, words = BAD[fault]
    samples = dataset(entry, own(change), max_id=2)
    with pytest.raises(InvalidDataStep, match=f"(?s)^case case: .*test_own_augmentation.*Own.*{words}"):
        check_repeatable(samples, EpochSampler(1, 4, seed=1))


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.zeros((3, 4)), np.full((3, 4), np.nan), "turn"], ids=["3x3", "flat", "NaN", "text"]
)
def test_an_own_affine_that_cuts_no_patch_is_named(entry, matrix):  # noqa: F811
    class Moving(Augmentation):
        def affine(self, generator, spacing_mm):
            return matrix

    with pytest.raises(InvalidDataStep, match=r"case case: affine of .*Moving (must give a finite|raises ValueError)"):
        dataset(entry, Moving())[DRAWS[0]]


def test_a_label_between_ids_is_named_with_the_mode_that_keeps_them(entry):  # noqa: F811
    blurred = as_augmentation(RandAffined(["image", "label"], mode="bilinear", prob=1.0, rotate_range=0.5))
    with pytest.raises(InvalidDataStep, match=r"RandAffined gives label ids \[0\.\d+, .*mode: \[bilinear, nearest\]"):
        dataset(entry, blurred)[DRAWS[0]]


@pytest.mark.parametrize(
    "transform",
    [
        RandAffine(prob=1.0),
        RandZoom(prob=1.0),
        RandFlipd("image", prob=1.0),
        RandSmoothDeform((7, 10, 12), (3, 3, 3), prob=1.0),
        Transpose((0, 1, 3, 2)),
        Compose([RandBiasField(), RandFlip(prob=1.0)]),
        Compose([OneOf([RandAffine(prob=1.0)])]),
    ],
    ids=lambda one: type(one).__name__,
)
def test_a_transform_that_would_move_the_image_away_from_its_label_is_refused(transform):
    with pytest.raises(InvalidDataStep, match=r"monai\.transforms\.\w+\..*would move .*; take \w+[^d]d,"):
        MonaiStep(transform)


def test_a_coarser_and_finer_image_is_one_that_stays_where_it_is(entry):  # noqa: F811
    coarse = Augmentations([RandSimulateLowResolution(prob=1.0, zoom_range=(0.4, 0.5))], ours=STILL)
    (image, label), (plain, same) = dataset(entry, coarse)[DRAWS[0]], dataset(entry, STILL)[DRAWS[0]]
    assert torch.equal(label, same)
    assert not torch.equal(image, plain)


def test_a_composition_changes_what_its_transforms_change(entry):  # noqa: F811
    both = [RandFlipd(["image", "label"], prob=1.0, spatial_axis=2), RandGaussianNoised("image", prob=1.0, std=1e-3)]
    image, label = dataset(entry, STILL)[DRAWS[0]]
    samples = dataset(entry, Augmentations([Compose(both)], ours=STILL))
    moved, ids = samples[DRAWS[0]]
    assert torch.allclose(moved, image.flip(4), atol=0.01)
    assert torch.equal(ids, label.flip(4))
    assert equal(samples[DRAWS[0]], (moved, ids))
    with pytest.raises(InvalidDataStep, match=r"array transforms and dictionary transforms, RandBiasField, RandFlipd"):
        MonaiStep(Compose([RandBiasField(), *both]))


def test_other_keys_and_other_objects_are_refused():
    with pytest.raises(InvalidDataStep, match=r"keys of .*RandFlipd must be .*; found \['mask'\]"):
        as_augmentation(RandFlipd("mask"))
    with pytest.raises(InvalidDataStep, match=r"a transform of MONAI's; found a builtins\.dict"):
        as_augmentation({"rotate_deg": 3})
    assert isinstance(as_augmentation(type("Own", (MapTransform,), {"__call__": lambda self, data: data})), MonaiStep)


def test_the_transform_at_fault_is_named_and_not_the_class_around_it(entry):  # noqa: F811
    class Broken(Transform):
        def __call__(self, image):
            return image[:, 1:]

    with pytest.raises(InvalidDataStep, match=r"the augmentation .*Broken must keep the image's type and shape"):
        dataset(entry, Augmentations([Broken()]))[DRAWS[0]]


@pytest.mark.parametrize("axes", [[3], [1, 1], "x", [None], 7, [-1]])
def test_mirror_axes_that_are_none_are_named(axes):
    with pytest.raises(
        InvalidDataStep, match=r"mirror_axes of the augmentation .*Own must be a list of some of 0, 1, 2"
    ):
        checked_mirror_axes(own(lambda image, label, _: (image, label), mirror_axes=axes))
