"""The gallery shows hips in anatomical planes, whatever the orientation of their slices."""

from __future__ import annotations

import numpy as np
import pytest

from avnnet.phantom import Acquisition, Plane, hip
from avnnet.plots.gallery import Shown, gallery, resliced
from avnnet.plots.style import png_bytes

DOWN, RIGHT = (0, 0, -1), (1, 0, 0)


def made(plane):
    field = Acquisition((56, 80, 80), (1.5, 1.3, 1.3), plane)
    return hip(np.random.default_rng(4), necrosis_percent=20, acquisition=field)


@pytest.mark.parametrize("plane", list(Plane))
def test_a_mid_coronal_plane_is_the_same_whatever_the_slices(plane):
    image, labels, truth = made(plane)
    _, reference, _ = made(Plane.CORONAL)
    cut = resliced(labels, truth.centre_mm, DOWN, RIGHT, order=0)
    same = resliced(reference, truth.centre_mm, DOWN, RIGHT, order=0)
    head = (cut > 0) & (same > 0)
    assert 2 * head.sum() / ((cut > 0).sum() + (same > 0).sum()) > 0.95
    rows, _ = np.nonzero(cut == 2)
    middle = (np.array(cut.shape) - 1) / 2
    assert rows.mean() < middle[0]  # the lesion lies above the head centre
    assert resliced(image, truth.centre_mm, DOWN, RIGHT, order=1).max() > 0


def test_a_gallery_has_three_planes_plain_and_three_with_labels_and_draws_the_same_bytes():
    image, labels, truth = made(Plane.OBLIQUE)
    shown = Shown("IIIA", image, labels, truth.centre_mm)
    figure = gallery([shown, shown])
    assert len(figure.axes) == 12
    assert [axes.get_title() for axes in figure.axes[:3]] == ["mid-coronal", "mid-sagittal", "slice"]
    outlined = [len(axes.collections) for axes in figure.axes[:6]]
    assert outlined[:3] == [0, 0, 0]
    assert min(outlined[3:]) >= 1
    assert png_bytes(figure) == png_bytes(gallery([shown, shown]))
