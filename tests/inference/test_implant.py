"""Metal where a head should be is suspected, and no head, healthy or dead, is taken for it (row V14)."""

from functools import cache

import numpy as np
import pytest

from avnnet.flags import Flag
from avnnet.image import Image
from avnnet.inference.implant import implant_flags, implants_in
from avnnet.labels import Side
from avnnet.phantom import Acquisition, Disease, Plane, SignalMode, simulate
from tests.conftest import ORDERS, reordered

BOTH = Acquisition((36, 72, 144), (3.0, 2.6, 2.5), Plane.AXIAL, both_hips=True)
CORONAL = Acquisition((60, 44, 144), (3.0, 2.6, 2.5), Plane.CORONAL, both_hips=True)


@cache  # no test changes it
def scanned(mode=SignalMode.VIBE, acquisition=BOTH, seed=4):
    sick = {Side.RIGHT: Disease("IIIA", 35), Side.LEFT: None}
    return simulate(np.random.default_rng(seed), sick, mode=mode, acquisition=acquisition)


def with_metal(image: Image, centre_mm, radius_mm: float) -> Image:
    """The image with a ball that gives noise alone, and the bright rim where its signal is heaped up."""
    places = image.grid.to_lps(np.indices(image.grid.shape).reshape(3, -1).T)
    off_mm = np.linalg.norm(places - np.asarray(centre_mm), axis=-1).reshape(image.grid.shape)
    array = image.channels.astype(np.float64)
    bright = np.percentile(array, 99)
    array[:, np.abs(off_mm - radius_mm - 2) < 2] = 1.2 * bright
    inside = off_mm < radius_mm
    noise = np.random.default_rng(7).normal(0, bright / 80, (2, len(array), int(inside.sum())))
    array[:, inside] = np.hypot(*noise)
    return Image(array if image.array.ndim == 4 else array[0], image.grid)


@pytest.mark.parametrize("mode", [mode for mode in SignalMode if mode is not SignalMode.RANDOM])
def test_v14_metal_in_one_hip_is_suspected_of_that_hip_in_every_sequence(mode):
    made = scanned(mode)
    right_mm, left_mm = (made.truths[side].centre_mm for side in (Side.RIGHT, Side.LEFT))
    assert implant_flags(made.image, right_mm) == ()
    assert implant_flags(made.image, left_mm) == ()
    metal = with_metal(made.image, left_mm, 20.0)
    assert implant_flags(metal, left_mm) == (Flag.IMPLANT_SUSPECTED,)
    assert implant_flags(metal, right_mm) == ()


@pytest.mark.parametrize("acquisition", [BOTH, CORONAL])
@pytest.mark.parametrize("side", list(Side))
def test_v14_a_hip_without_a_head_that_was_found_is_named_by_its_side(acquisition, side):
    made = scanned(acquisition=acquisition)
    lost_mm, found_mm = (made.truths[one].centre_mm for one in (side, *(other for other in Side if other != side)))
    (void,) = implants_in(with_metal(made.image, lost_mm, 20.0), [found_mm])
    assert void.side == side
    assert np.linalg.norm(np.subtract(void.centre_mm, lost_mm)) < 8
    assert implants_in(made.image, [found_mm]) == []


def test_two_prostheses_and_no_head_are_two_voids():
    made = scanned()
    image = made.image
    for truth in made.truths.values():
        image = with_metal(image, truth.centre_mm, 22.0)
    assert {void.side for void in implants_in(image, [])} == set(Side)


def test_where_both_heads_were_found_no_other_hip_is_looked_for():
    made = scanned()
    metal = with_metal(made.image, made.truths[Side.LEFT].centre_mm, 20.0)
    assert implants_in(metal, [truth.centre_mm for truth in made.truths.values()]) == []


def test_the_order_of_a_files_axes_does_not_matter_to_a_void():
    made = scanned()
    centre_mm = made.truths[Side.LEFT].centre_mm
    metal = with_metal(made.image, centre_mm, 20.0)
    for axes, flips in ORDERS[::7]:
        assert implant_flags(reordered(metal, axes, flips), centre_mm) == (Flag.IMPLANT_SUSPECTED,)


def test_screws_are_too_thin_to_be_suspected():
    made = scanned()
    centre_mm = made.truths[Side.LEFT].centre_mm
    assert implant_flags(with_metal(made.image, centre_mm, 5.0), centre_mm) == ()


def test_neither_noise_nor_a_constant_image_holds_a_void():
    grid = scanned().image.grid
    noise = np.abs(np.random.default_rng(1).normal(100, 30, grid.shape))
    for array in (noise, np.full(grid.shape, 3.0)):
        assert implants_in(Image(array, grid), []) == []
