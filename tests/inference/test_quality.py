"""Each flag of an image or an ensemble is raised where it should be, and not elsewhere."""

import numpy as np
import pytest

from avnnet.flags import Flag, Flags
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap, Source
from avnnet.inference.quality import image_flags, noise_flags, signal_to_noise
from avnnet.labels import Side


def image(spacing=(1.0, 0.44, 0.44), **source) -> Image:
    return Image(np.zeros((8, 9, 10)), Grid((8, 9, 10), spacing), source=Source(**source))


@pytest.mark.parametrize(
    ("spacing", "is_raised"),
    [
        ((8.0, 0.3, 0.3), True),
        ((0.3, 0.3, 3.3), True),
        ((1.0, 0.44, 0.44), False),
        ((0.4,) * 3, False),
        ((3.0,) * 3, False),
    ],
)
def test_v09_thick_slices_are_flagged_and_thick_cubes_are_not(spacing, is_raised):
    assert image_flags(image(spacing), None) == ((Flag.ANISOTROPIC,) if is_raised else ())


@pytest.mark.parametrize(
    ("said", "side", "is_raised"),
    [
        (Side.LEFT, Side.RIGHT, True),
        (Side.LEFT, Side.LEFT, False),
        (None, Side.RIGHT, False),
        (Side.LEFT, None, False),
    ],
)
def test_d41_a_header_that_names_the_other_side_is_a_conflict(said, side, is_raised):
    assert image_flags(image(laterality=said), side) == ((Flag.LATERALITY_CONFLICT,) if is_raised else ())


def test_what_the_reader_of_the_file_found_is_kept():
    assert image_flags(image(flags=Flags([Flag.LOSSY_SOURCE])), None) == (Flag.LOSSY_SOURCE,)


def bone(snr: float, *, slope: float = 0.0) -> tuple[Image, LabelMap]:
    """A head of signal 100 with noise, its brightness changing evenly across it."""
    grid = Grid((30, 40, 44), (1.0, 0.5, 0.6))
    inside = np.linalg.norm((np.indices(grid.shape) - np.reshape((15, 20, 22), (3, 1, 1, 1))) / 12, axis=0) < 1
    ramp = slope * np.arange(44)[None, None]
    array = np.where(inside, 100.0 + ramp, 20.0) + np.random.default_rng(2).normal(0, 100 / snr, grid.shape)
    return Image(array, grid), LabelMap(inside.astype(np.uint8), grid)


@pytest.mark.parametrize("snr", [2.0, 4.0, 8.0, 30.0])
@pytest.mark.parametrize("slope", [0.0, 1.5])
def test_the_estimated_ratio_is_the_one_that_was_put_in(snr, slope):
    image, labels = bone(snr, slope=slope)
    signal = 100 + slope * 22
    assert signal_to_noise(image, labels) == pytest.approx(snr * signal / 100, rel=0.08)


@pytest.mark.parametrize(("snr", "is_raised"), [(3.0, True), (4.0, True), (6.5, False), (40.0, False)])
def test_noise_that_hides_a_lesion_is_flagged(snr, is_raised):
    assert noise_flags(*bone(snr)) == ((Flag.LOW_SNR,) if is_raised else ())


def test_brightness_and_unit_do_not_change_the_ratio():
    image, labels = bone(7.0)
    scaled = Image(image.array * 1e-3, image.grid)
    assert signal_to_noise(scaled, labels) == pytest.approx(signal_to_noise(image, labels))


def test_too_little_bone_has_no_ratio_and_no_flag():
    image, labels = bone(3.0)
    few = LabelMap(np.zeros_like(labels.array), labels.grid)
    assert np.isnan(signal_to_noise(image, few))
    assert noise_flags(image, few) == ()
