"""Images of another contrast than the training's are found."""

import numpy as np
import pytest
import torch

from avnnet.data.contrast import Contrast, contrast_of
from avnnet.data.files import read_image
from avnnet.data.preprocess import Preprocess
from avnnet.recipe import build, describe


@pytest.fixture
def prepared(cohort):
    preprocess = Preprocess([4.0, 4.0, 4.0], [16, 18, 18])
    return [preprocess.prepare(read_image(c.image), side=c.side, centre_mm=c.centre_mm).image for c in cohort]


def test_a_hip_that_was_not_trained_on_is_usual_and_its_inverted_image_is_not(prepared):
    for held_out in range(len(prepared)):
        contrast = contrast_of([image for n, image in enumerate(prepared) if n != held_out], is_cropped=True)
        assert not contrast.is_unusual(prepared[held_out])
        assert contrast.is_unusual(-prepared[held_out])


def test_noise_is_unusual(prepared):
    noise = torch.from_numpy(np.random.default_rng(0).normal(size=prepared[0].shape))
    assert contrast_of(prepared, is_cropped=True).is_unusual(noise)


def test_one_inverted_channel_is_enough(prepared):
    two = [torch.cat([image, -image]) for image in prepared]
    contrast = contrast_of(two, is_cropped=True)
    assert not contrast.is_unusual(two[0])
    assert contrast.is_unusual(torch.cat([prepared[0], prepared[0]]))


def test_brightness_and_contrast_alone_change_nothing(prepared):
    contrast = contrast_of(prepared, is_cropped=True)
    assert contrast_of([3 * image + 2 for image in prepared], is_cropped=True).lowest == contrast.lowest


def test_images_of_other_sizes_can_be_compared(prepared):
    contrast = contrast_of(prepared, is_cropped=False)
    assert not contrast.is_unusual(prepared[0][:, 1:, 2:, :-1])


def test_three_images_do_not_say_what_is_usual(prepared):
    assert contrast_of(prepared[:3], is_cropped=True) is None


def test_a_contrast_can_be_described_and_built_again(prepared):
    contrast = contrast_of(prepared, is_cropped=True)
    again = build(describe(contrast), [Contrast])
    assert describe(again) == describe(contrast)
