"""Analytic heads: balls with cones, caps and cuts, on grids of any orientation."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from avnnet.grid import Grid
from avnnet.image import LabelMap

RADIUS_MM = 22.0
UP = np.array([0.0, 0.0, 1.0])
NECK = np.array([-0.75, 0.1, -0.65]) / np.linalg.norm([-0.75, 0.1, -0.65])
NECK_MM = 14.0


def off_axis_deg(points, axis=UP):
    """Angle of points from an axis."""
    return np.rad2deg(np.arccos(np.clip(points @ axis / np.maximum(np.linalg.norm(points, axis=-1), 1e-9), -1, 1)))


TURN = Rotation.from_euler("zyx", (9, -14, 21), degrees=True).as_matrix()[:, ::-1]
"""An oblique grid: where slices run along a cut, voxels put it off by up to half of one."""


@pytest.fixture
def head():
    """Draws a head: `head(dead)`, `dead` a function of points `(..., 3)` from the centre, in the right-hip frame."""

    def draw(
        dead=None,
        *,
        spacing=(1.0, 0.8, 0.8),
        turn=None,
        centre=(31.3, -12.4, 55.7),
        radius_mm=RADIUS_MM,
        bone=None,
        neck=True,
    ):
        turn = TURN if turn is None else np.asarray(turn, float)
        shape = tuple(int(np.ceil((2 * radius_mm + 6) / step)) for step in spacing)
        origin = np.asarray(centre) - turn @ ((np.asarray(shape) - 1) / 2 * spacing)
        grid = Grid(shape, spacing, tuple(origin), tuple(map(tuple, turn)))
        points = grid.to_lps(np.moveaxis(np.indices(shape), 0, -1)) - np.asarray(centre)
        inside = np.linalg.norm(points, axis=-1) < radius_mm
        if neck:
            inside &= points @ NECK < NECK_MM
        if bone is not None:
            inside &= bone(points)
        labels = inside.astype(np.uint8)
        if dead is not None:
            labels[inside & dead(points)] = 2
        return LabelMap(labels, grid)

    return draw
