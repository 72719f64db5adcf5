"""The Dice coefficient against analytic shapes."""

import numpy as np
import pytest

from avnnet.errors import GeometryMismatch, InvalidLabelValues
from avnnet.metrics import dice


def sphere(centre_mm: float, *, radius_mm: float = 24.0, spacing_mm: float = 0.75) -> np.ndarray:
    axis = np.arange(-27, 27 + spacing_mm, spacing_mm)
    long = np.arange(-27, 39 + spacing_mm, spacing_mm)
    z, y, x = np.meshgrid(axis, axis, long, indexing="ij")
    return z**2 + y**2 + (x - centre_mm) ** 2 <= radius_mm**2


@pytest.mark.parametrize(("apart_mm", "expected"), [(3, 0.9063720703), (6, 0.8134765625), (12, 0.6328125)])
def test_dice_of_two_spheres_is_the_analytic_one(apart_mm, expected):
    assert dice(sphere(0), sphere(apart_mm)) == pytest.approx(expected, abs=2e-3)


def test_dice_is_symmetric_and_one_for_equal_masks():
    first, second = sphere(0), sphere(6)
    assert dice(first, second) == dice(second, first)
    assert dice(first, first) == 1.0


def test_two_empty_masks_are_undefined_and_not_perfect():
    empty = np.zeros((2, 3, 4), bool)
    assert np.isnan(dice(empty, empty))
    assert dice(empty, ~empty) == 0.0
    assert dice(~empty, empty) == 0.0


def test_a_label_map_given_as_a_mask_is_refused():
    labels = np.array([0, 1, 2])
    with pytest.raises(InvalidLabelValues, match=r"int64.*labels\.mask"):
        dice(labels, labels)


def test_masks_of_two_shapes_are_refused_with_both_shapes():
    with pytest.raises(GeometryMismatch, match=r"\(3,\).*\(4,\)"):
        dice(np.zeros(3, bool), np.zeros(4, bool))
