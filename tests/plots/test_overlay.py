"""Overlays: what is shown, and which way round."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from avnnet import plots
from avnnet.errors import GeometryMismatch
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.plots import png_bytes, save_png

GRID = Grid((20, 40, 44), (2.0, 0.8, 0.5))
AXIAL_FLIPPED = ((0.0, 0.0, -1.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0))


def overlay(*arguments, **names) -> np.ndarray:
    """The `(2, 3)` axes of an overlay."""
    return np.reshape(plots.overlay(*arguments, **names).axes, (2, 3))


def head(grid: Grid = GRID) -> LabelMap:
    array = np.zeros(grid.shape, np.uint8)
    array[6:14, 10:30, 12:34] = 1
    array[10:14, 10:20, 12:24] = 2
    return LabelMap(array, grid)


def scan(grid: Grid = GRID) -> Image:
    return Image(np.random.default_rng(0).normal(100, 10, grid.shape), grid)


def letters(axes) -> list[str]:
    """Top, bottom, left and right."""
    return [text.get_text() for text in axes.texts]


def test_the_planes_are_named_and_lettered_as_radiologists_read():
    axes = overlay(scan(), {"manual": head()})
    assert [a.get_title().split(",")[0] for a in axes[0]] == ["axial", "coronal", "sagittal"]
    assert letters(axes[0, 0]) == ["A", "P", "R", "L"]
    assert letters(axes[0, 1]) == ["S", "I", "R", "L"]
    assert letters(axes[1, 2]) == ["S", "I", "A", "P"]


def test_a_flipped_grid_shows_the_same_picture():
    image, labels = scan(), head()
    flipped = Grid(GRID.shape, GRID.spacing, tuple(GRID.to_lps((0, 39, 43))), AXIAL_FLIPPED)
    other = Image(image.array[:, ::-1, ::-1], flipped)
    contours = LabelMap(labels.array[:, ::-1, ::-1], flipped)
    first = overlay(image, {"m": labels}, centre_index=(12, 15, 18))
    second = overlay(other, {"m": contours}, centre_index=(12, 24, 25))
    for one, two in zip(first.flat, second.flat, strict=True):
        assert letters(one) == letters(two)
        assert np.array_equal(one.images[0].get_array(), two.images[0].get_array())


def test_an_oblique_grid_has_two_letters_from_thirty_degrees_on():
    angle = np.deg2rad(40)
    c, s = float(np.cos(angle)), float(np.sin(angle))
    oblique = Grid(GRID.shape, GRID.spacing, direction=((0, 0, 1), (s, c, 0), (c, -s, 0)))
    axes = overlay(scan(oblique), {"manual": head(oblique)})
    assert letters(axes[0, 0])[:2] == ["AS", "PI"]
    slight = Grid(GRID.shape, GRID.spacing, direction=((0, 0, 1), (0.1, 0.995, 0), (0.995, -0.1, 0)))
    assert letters(overlay(scan(slight), {"manual": head(slight)})[0, 0])[:2] == ["A", "P"]


def test_pixels_have_their_true_aspect():
    axes = overlay(scan(), {"manual": head()})
    rows, columns = axes[0, 1].images[0].get_array().shape
    left, right, bottom, top = axes[0, 1].images[0].get_extent()
    assert (bottom - top) / rows == pytest.approx(2.0)
    assert (right - left) / columns == pytest.approx(0.5)
    assert axes[0, 1].get_aspect() == 1.0


def test_the_planes_run_through_the_part_by_default_and_through_a_given_voxel_else():
    slices = [a.get_title().split()[2] for a in overlay(scan(), {"manual": head()})[0]]
    assert slices == ["13", "15", "19"]
    given = overlay(scan(), {"manual": head()}, centre_index=(7, 11, 13))
    assert [a.get_title().split()[2] for a in given[0]] == ["8", "12", "14"]


def test_contours_are_below_and_the_plain_copy_above_stays_plain():
    axes = overlay(scan(), {"manual": head(), "ensemble": head()})
    kinds = (ContourSet, LineCollection)
    assert [sum(isinstance(c, kinds) for c in a.collections) for a in axes[0]] == [0, 0, 0]
    assert [sum(isinstance(c, kinds) for c in a.collections) for a in axes[1]] == [4, 4, 4]
    styles = [c.get_linestyle()[0][1] for c in axes[1, 0].collections]
    assert styles[0] is None
    assert styles[2] is not None
    words = [t.get_text() for t in axes[0, 0].get_figure().legends[0].get_texts()]
    assert words == ["vital", "necrosis", "manual", "ensemble"]


def test_one_wild_voxel_does_not_change_the_window():
    wild = scan()
    wild.array[10, 15, 18] = 1e30
    window = overlay(wild, {"manual": head()})[0, 0].images[0].get_clim()
    assert window[0] > 60
    assert window[1] < 140


@pytest.mark.parametrize("array", [np.full(GRID.shape, 7.0), np.full(GRID.shape, np.nan)])
def test_an_image_without_contrast_and_contours_without_voxels_are_drawn(array):
    nothing = LabelMap(np.zeros(GRID.shape, np.uint8), GRID)
    figure = plots.overlay(Image(array, GRID), {"manual": nothing})
    assert png_bytes(figure, dots_per_inch=30).startswith(b"\x89PNG")


def test_a_figure_is_saved_whole_and_into_a_new_folder(tmp_path):
    figure = plots.overlay(scan(), {"manual": head()})
    path = save_png(figure, tmp_path / "figures" / "case.png", dots_per_inch=30)
    assert path.read_bytes() == png_bytes(figure, dots_per_inch=30)
    assert [found.name for found in path.parent.iterdir()] == ["case.png"]


def test_an_overlay_draws_on_the_axes_it_is_given():
    figure = Figure()
    given = figure.subplots(2, 3)
    assert plots.overlay(scan(), {"manual": head()}, axes=given) is figure
    assert all(axes.images for axes in given.flat)
    assert not figure.legends


def test_a_structure_that_fills_the_image_has_a_closed_contour():
    full = LabelMap(np.ones(GRID.shape, np.uint8), GRID)
    axes = overlay(scan(), {"manual": full})
    assert len(axes[1, 0].collections) == 1
    assert axes[1, 0].get_xlim() == axes[0, 0].get_xlim()


def test_contours_on_another_grid_and_points_outside_are_refused():
    elsewhere = Grid(GRID.shape, GRID.spacing, origin=(9.0, 0.0, 0.0))
    with pytest.raises(GeometryMismatch, match=r"'manual'.*\(0, 0, 0\).*\(9, 0, 0\)"):
        overlay(scan(), {"manual": head(elsewhere)})
    with pytest.raises(GeometryMismatch, match=r"\[20, 0, 0\]"):
        overlay(scan(), {"manual": head()}, centre_index=(20, 0, 0))


def test_a_notebook_can_show_an_overlay_without_pyplot():
    assert plots.overlay(scan(), {"manual": head()})._repr_png_().startswith(b"\x89PNG")
