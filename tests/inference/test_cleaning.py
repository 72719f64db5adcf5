"""What is taken away from a mask: each step by hand, and what holds for every choice of them."""

import json
from itertools import permutations

import numpy as np
import pytest

from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidConfig, InvalidRecipe
from avnnet.exchange.card import card
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.cleaning import STEPS, Cleaning, all_cleanings, usual_cleaning
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D
from tests.inference.conftest import Threshold

SHAPE = (20, 24, 28)
GRID = Grid(SHAPE, (1.0, 0.5, 0.6))
VITAL, NECROSIS = 1, 2


def painted(*boxes: tuple[tuple[int, int, int], tuple[int, int, int], int]) -> LabelMap:
    """A label map of boxes from a voxel to another one, later over earlier."""
    array = np.zeros(SHAPE, np.uint8)
    for start, stop, label in boxes:
        array[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = label
    return LabelMap(array, GRID)


HEAD = ((4, 4, 4), (14, 14, 14), VITAL)
LESION = ((6, 6, 4), (10, 10, 8), NECROSIS)
SPECK = ((11, 11, 11), (12, 12, 12), NECROSIS)  # inside the head
ISLAND = ((6, 6, 20), (9, 9, 23), NECROSIS)  # away from it


@pytest.mark.parametrize(
    ("step", "added", "left"),
    [
        ("largest_piece", [ISLAND], []),
        ("largest_piece", [SPECK], [SPECK]),
        ("part_inside", [ISLAND], []),
        ("part_inside", [((6, 6, 20), (9, 9, 23), VITAL)], [((6, 6, 20), (9, 9, 23), VITAL)]),
        ("part_inside", [SPECK], [SPECK]),
        ("no_small_pieces", [SPECK], []),
        ("no_small_pieces", [ISLAND], [ISLAND]),  # 27 of 64 voxels are not few
        ("no_small_pieces", [((2, 2, 2), (3, 3, 3), VITAL)], []),
    ],
)
def test_a_step_takes_away_what_it_is_named_for_and_nothing_else(step, added, left):
    cleaned = Cleaning((step,))(painted(HEAD, LESION, *added))
    assert np.array_equal(cleaned.array, painted(HEAD, LESION, *left).array)


def test_a_small_piece_takes_the_label_around_it():
    spotted = painted(HEAD, LESION, ((7, 7, 5), (8, 8, 6), VITAL), SPECK)
    assert np.array_equal(Cleaning(("no_small_pieces",))(spotted).array, painted(HEAD, LESION).array)


def test_where_labels_end_with_slices_each_slice_has_one_label_along_whatever_axis():
    front, back = ((4, 4, 4), (14, 14, 12), VITAL), ((4, 4, 12), (14, 14, 20), NECROSIS)
    drawn, found = painted(front, back), painted(front, back, ((4, 4, 12), (7, 14, 13), VITAL), SPECK)
    for order in permutations(range(3)):
        turned = LabelMap(found.array.transpose(order), Grid(tuple(SHAPE[axis] for axis in order)))
        assert np.array_equal(Cleaning(("one_label_per_slice",))(turned).array, drawn.array.transpose(order))
    assert Cleaning(("one_label_per_slice",))(drawn) is drawn


def test_a_head_that_is_all_necrosis_is_kept():
    dead = painted((HEAD[0], HEAD[1], NECROSIS))
    assert all(cleaning(dead) is dead for cleaning in all_cleanings())


def test_dead_bone_that_touches_the_head_is_kept_whole_and_holes_stay():
    labels = painted(HEAD, ((4, 4, 9), (14, 14, 14), NECROSIS), ((8, 8, 8), (10, 10, 10), 0))
    assert Cleaning(("largest_piece",))(labels) is labels


def test_an_empty_mask_has_nothing_to_take_away():
    empty = painted()
    assert all(cleaning(empty) is empty for cleaning in all_cleanings())


def noisy(seed: int) -> LabelMap:
    values = np.random.default_rng(seed).choice(3, SHAPE, p=[0.6, 0.25, 0.15]).astype(np.uint8)
    values[:, :, :4] = 0
    return LabelMap(values, GRID)


@pytest.mark.parametrize("steps", [cleaning.steps for cleaning in all_cleanings()])
def test_a_mask_turned_over_is_cleaned_to_the_same_mask_turned_over(steps):
    # pieces of one size would be a draw: the largest is made one by a head
    labels = noisy(3).array.copy()
    labels[5:15, 5:15, 10:20] = VITAL
    axes = () if "no_small_pieces" in steps else (0, 2)  # of two voxels equally near the first is taken
    turned = LabelMap(np.flip(labels, axes), GRID)
    assert np.array_equal(Cleaning(steps)(turned).array, np.flip(Cleaning(steps)(LabelMap(labels, GRID)).array, axes))


@pytest.mark.parametrize("steps", [("largest_piece",), ("part_inside",), ("largest_piece", "part_inside")])
def test_what_only_takes_away_takes_nothing_away_a_second_time(steps):
    once = Cleaning(steps)(noisy(4))
    assert Cleaning(steps)(once) is once
    assert set(np.unique(once.array[noisy(4).array == 0])) == {0}


def test_the_order_in_which_steps_are_named_does_not_matter():
    assert Cleaning(tuple(reversed(STEPS))) == Cleaning(tuple(STEPS))


def test_an_unknown_step_is_named_with_those_there_are():
    with pytest.raises(InvalidConfig, match=r"largest_piece.*found.*'polish'"):
        Cleaning(("polish",))


def model(cleaning: Cleaning | None, crop=None) -> Segmenter:
    member = Member(Threshold(), Preprocess([1.0, 0.5, 0.6], crop), Tiling([20, 24, 28]), "oracle")
    return Segmenter([member], HIP, cleaning=cleaning)


def scan() -> Image:
    """Dark, with a bright head, a very bright lesion and speck in it, and a bright island away from it."""
    lesion = ((5, 5, 5), (10, 10, 10), NECROSIS)  # of fewer voxels the brightest are clipped
    bright = painted(HEAD, lesion, ((6, 6, 20), (9, 9, 23), VITAL), SPECK).array
    return Image(np.choose(bright, [0.0, 3.0, 9.0]).astype(np.float32), GRID)


@pytest.mark.parametrize(
    ("cleaning", "crop", "has_centre", "done"),
    [
        (None, None, False, ()),
        (None, [20, 24, 28], True, ("largest_piece",)),
        (Cleaning(("largest_piece",)), None, False, ("largest_piece",)),  # decided on whole images, as this one is seen
        (Cleaning(("largest_piece",)), [20, 24, 28], False, ()),  # decided around a head, and here there may be two
        (Cleaning(()), [20, 24, 28], True, ()),
    ],
)
def test_l07_what_a_study_decided_is_done_where_a_scan_is_seen_as_in_the_study(cleaning, crop, has_centre, done):
    centre_mm = GRID.to_lps((9, 9, 9)) if has_centre else None
    hip = model(cleaning, crop).predict(scan(), centre_mm=centre_mm)
    raw = hip.probabilities.labels(HIP)
    assert np.array_equal(hip.labels.array, Cleaning(done)(raw).array)
    assert (Flag.COMPONENTS_REMOVED in hip.flags) == bool(done)


def test_a_speck_that_changes_its_label_is_nothing_removed():
    hip = model(Cleaning(("no_small_pieces",))).predict(scan())
    assert not np.array_equal(hip.labels.array, hip.probabilities.labels(HIP).array)
    assert Flag.COMPONENTS_REMOVED not in hip.flags


@pytest.fixture
def folder(tmp_path):
    def write(cleaning):
        member = Member(UNet3D([2, 4], [[2, 2, 2]]), Preprocess([1.0] * 3), Tiling([8, 8, 8]), "unet3d")
        return save_model(Segmenter([member], HIP, cleaning=cleaning), tmp_path / "model")

    return write


@pytest.mark.parametrize("cleaning", [None, Cleaning(()), Cleaning(("largest_piece", "no_small_pieces"))])
def test_a_model_folder_keeps_what_was_decided(folder, cleaning):
    model = load_model(folder(cleaning))
    assert model.cleaning == cleaning
    assert ("cleaned by largest_piece, no_small_pieces" in model.summary()) == bool(cleaning and cleaning.steps)
    assert card(model, model.members[0])["cleaning"] == (list(cleaning.steps) if cleaning else None)


@pytest.mark.parametrize("steps", [["polish"], "largest_piece", None, 3, [["largest_piece"]], {"a": 1}])
def test_a_damaged_decision_is_refused_by_name(folder, steps):
    path = folder(None) / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"cleaning": steps}))
    with pytest.raises(InvalidRecipe, match="again"):
        load_model(path.parent)


def test_around_a_head_the_largest_piece_is_usual_and_elsewhere_nothing():
    assert usual_cleaning((1.0, 2.0, 3.0)).steps == ("largest_piece",)
    assert usual_cleaning(None).steps == ()
