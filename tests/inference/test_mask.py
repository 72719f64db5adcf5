"""A mask is one head; what was taken from it, and what the training never held, is said."""

import numpy as np
import pytest

from avnnet.data.scope import scope_of
from avnnet.data.softmax import Softmax
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.cleaning import usual_cleaning
from avnnet.inference.mask import mask_of, scope_flags
from avnnet.labels import HIP

GRID = Grid((20, 24, 28), (1.0, 0.5, 0.6))


def labels(*balls: tuple[tuple[float, float, float], float]) -> np.ndarray:
    index = np.indices(GRID.shape)
    return np.any(
        [np.linalg.norm(index - np.reshape(centre, (3, 1, 1, 1)), axis=0) < radius for centre, radius in balls], axis=0
    )


HEAD = ((9, 10, 10), 6)
CRUMB = ((9, 10, 22), 2)


def said(marked: np.ndarray) -> Softmax:
    values = np.where(marked, 0.8, 0.1).astype(np.float32)
    return Softmax(np.stack([1 - values, values * 0.75, values * 0.25]), (0, 0, 0), GRID)


@pytest.mark.parametrize("is_one_head", [True, False])
@pytest.mark.parametrize("balls", [(HEAD,), (HEAD, CRUMB)])
def test_l07_pieces_beside_the_head_are_taken_away_and_that_is_said(balls, is_one_head, fixed_member):
    member = fixed_member([[0.0, 1.0, 0.0]])
    cleaning = usual_cleaning((0.0, 0.0, 0.0) if is_one_head else None)
    mask = mask_of(Image(np.zeros(GRID.shape), GRID), [member], said(labels(*balls)), [], HIP, cleaning)
    is_cut = len(balls) > 1 and is_one_head
    assert (Flag.COMPONENTS_REMOVED in mask.flags) == is_cut
    assert np.array_equal(mask.labels.array > 0, labels(HEAD) if is_cut else labels(*balls))


def test_the_probabilities_are_those_before_anything_was_taken_away(fixed_member):
    member = fixed_member([[0.0, 1.0, 0.0]])
    cleaning = usual_cleaning((0.0, 0.0, 0.0))
    mask = mask_of(Image(np.zeros(GRID.shape), GRID), [member], said(labels(HEAD, CRUMB)), [], HIP, cleaning)
    assert mask.probabilities.labels(HIP).array[CRUMB[0]] == 1
    assert mask.labels.array[CRUMB[0]] == 0


def found(spacing: tuple[float, float, float], side_voxels: int) -> LabelMap:
    array = np.zeros((20, 20, 20), np.uint8)
    array[:side_voxels, :side_voxels, :side_voxels] = 1
    return LabelMap(array, Grid(array.shape, spacing))


@pytest.mark.parametrize(
    ("spacing", "side_voxels", "is_raised"),
    [
        ((1.0, 0.5, 0.5), 18, False),
        ((0.5, 1.0, 0.5), 18, False),  # the same voxels in another order
        ((1.2, 0.45, 0.6), 18, False),
        ((3.0, 0.5, 0.5), 12, True),  # thicker slices
        ((1.0, 0.3, 0.3), 20, True),  # finer pixels
        ((1.0, 0.5, 0.5), 12, True),  # a head of 0.43 cm3
        ((1.0, 0.5, 0.5), 0, False),  # no head says nothing of its size
    ],
)
def test_voxels_and_heads_beyond_those_of_the_training_are_flagged(spacing, side_voxels, is_raised, fixed_member):
    member = fixed_member([[0.0, 1.0, 0.0]])
    member.scope = scope_of(
        [Grid((9, 9, 9), (1.0, 0.5, 0.5))] * 3 + [Grid((9, 9, 9), (1.1, 0.5, 0.6))], [1.2, 1.5, 2, 2]
    )
    flags = scope_flags([member], found(spacing, side_voxels))
    assert flags == ((Flag.OUTSIDE_TRAINING_RANGE,) if is_raised else ())


def test_most_networks_decide_and_those_of_too_few_images_say_nothing(fixed_member):
    knowing, ignorant, other = (fixed_member([[0.0, 1.0, 0.0]]) for _ in range(3))
    knowing.scope = scope_of([Grid((9, 9, 9))] * 4, [1.0] * 4)
    ignorant.scope = scope_of([Grid((9, 9, 9))] * 3, [1.0] * 3)
    assert ignorant.scope is None
    far = found((4.0, 4.0, 4.0), 5)
    assert scope_flags([knowing], far) == (Flag.OUTSIDE_TRAINING_RANGE,)
    assert scope_flags([knowing, ignorant], far) == ()
    assert scope_flags([knowing, knowing, other], far) == (Flag.OUTSIDE_TRAINING_RANGE,)
