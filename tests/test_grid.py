import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from avnnet.data.files.sitk import from_sitk, to_sitk
from avnnet.errors import InvalidGeometry, UnsupportedDimensions
from avnnet.grid import Grid
from avnnet.image import Image


def rotation(angles: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(3)
    for axis, angle in enumerate(angles):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one = np.eye(3)
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        matrix = matrix @ one
    return matrix


angles = st.tuples(*[st.floats(-3, 3)] * 3)
points = st.tuples(*[st.floats(-500, 500)] * 3)


@given(angles, points, points)
def test_world_and_index_are_inverse_for_any_rotation(turn, origin, point):
    grid = Grid((5, 6, 7), (3.0, 0.7, 0.4), origin, tuple(map(tuple, rotation(turn))))
    assert np.allclose(grid.to_lps(grid.to_index(point)), point, atol=1e-6)


def test_index_to_world_equals_simpleitk_for_an_oblique_image():
    direction = rotation((0.2, -0.4, 0.1))
    grid = Grid((5, 6, 7), (3.3, 0.7, 0.6), (11.0, -22.0, 33.0), tuple(map(tuple, direction)))
    itk = to_sitk(Image(np.zeros(grid.shape, np.int16), grid))
    assert np.allclose(itk.TransformIndexToPhysicalPoint((6, 1, 2)), grid.to_lps((2, 1, 6)))


def test_simpleitk_round_trip_keeps_voxels_and_places():
    grid = Grid((4, 5, 6), (3.3, 0.7, 0.6), (1.0, 2.0, 3.0), tuple(map(tuple, rotation((0.3, 0.2, 0.1)))))
    image = Image(np.arange(120, dtype=np.int16).reshape(grid.shape), grid)
    back = from_sitk(to_sitk(image))
    assert np.array_equal(back.array, image.array)
    assert back.grid.is_close(grid, tolerance_mm=1e-9)


def test_a_sheared_direction_is_refused():
    sheared = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.1), (1.0, 0.0, 0.0))
    with pytest.raises(InvalidGeometry, match="orthogonal"):
        Grid((2, 2, 2), direction=sheared)


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (np.nan, 1.0, 1.0), (np.inf, 1.0, 1.0)])
def test_a_spacing_that_is_not_positive_is_refused(spacing):
    with pytest.raises(InvalidGeometry, match="positive"):
        Grid((2, 2, 2), spacing)


def test_a_grid_moved_by_more_than_the_tolerance_is_not_close():
    grid = Grid((4, 5, 6), (3.0, 0.7, 0.4))
    assert grid.is_close(Grid((4, 5, 6), (3.0, 0.7, 0.4), (5e-4, 0.0, 0.0)))
    assert not grid.is_close(Grid((4, 5, 6), (3.0, 0.7, 0.4), (2e-3, 0.0, 0.0)))
    assert not grid.is_close(Grid((4, 5, 6), (3.0, 0.7, 0.401)))


def test_a_two_dimensional_or_colour_image_is_refused():
    with pytest.raises(UnsupportedDimensions, match="2D"):
        from_sitk(sitk.Image(4, 4, sitk.sitkInt16))
    with pytest.raises(UnsupportedDimensions, match="3 values"):
        from_sitk(sitk.Image([4, 4, 4], sitk.sitkVectorUInt8, 3))
