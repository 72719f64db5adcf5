"""Heads are found where they lie, and named by the side of the body; what is not sure is said (rows V05, V10, V11)."""

import numpy as np
import pytest

from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.inference.heads import heads_in, holds
from avnnet.labels import Side

RADIUS_MM = 23.0
FIELD = Grid((45, 60, 130), (2.4, 1.9, 2.1), (-140.0, -60.0, -50.0))
OUTWARDS = {Side.RIGHT: -1.0, Side.LEFT: 1.0}


def head(grid, centre_mm, side, *, has_neck=True):
    """`(z, y, x)` a ball, cut flat where a neck would leave it, outwards and down; its upper third is necrosis."""
    index = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    away = grid.to_lps(index) - np.asarray(centre_mm)
    ball = np.linalg.norm(away, axis=-1) < RADIUS_MM
    axis = np.array([OUTWARDS[side] * 0.75, 0.2, -0.63])
    if has_neck:
        ball &= away @ (axis / np.linalg.norm(axis)) < 0.75 * RADIUS_MM
    return np.where(ball, np.where(away[..., 2] > 12, 2, 1), 0).astype(np.uint8)


def found(*heads, grid=FIELD):
    return heads_in(LabelMap(np.maximum.reduce(heads), grid))


@pytest.mark.parametrize("table_mm", [-60.0, 0.0, 60.0])
@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_v11_a_single_head_is_of_the_side_to_which_its_neck_points_wherever_the_patient_lies(side, table_mm):
    centre_mm = (np.clip(OUTWARDS[side] * 90 + table_mm, -105, 95), 5.0, 10.0)
    (only,) = found(head(FIELD, centre_mm, side))
    assert only.side == side
    assert only.flags == ()
    assert np.linalg.norm(np.array(only.centre_mm) - centre_mm) < 0.5
    assert only.radius_mm == pytest.approx(RADIUS_MM, abs=0.5)


def test_two_heads_are_named_by_where_they_lie_even_without_necks():
    centres = {Side.RIGHT: (-105.0, 0.0, 0.0), Side.LEFT: (80.0, 0.0, 4.0)}
    heads = found(*(head(FIELD, centre, side, has_neck=False) for side, centre in centres.items()))
    assert [one.side for one in heads] == [Side.RIGHT, Side.LEFT]
    assert [one.flags for one in heads] == [(), ()]
    for one in heads:
        assert np.linalg.norm(np.array(one.centre_mm) - centres[one.side]) < 0.5


@pytest.mark.parametrize(
    ("x_mm", "neck", "side", "is_sure"),
    [
        (10.0, None, None, False),  # nothing says which
        (40.0, None, Side.LEFT, False),
        (70.0, None, Side.LEFT, True),
        (10.0, Side.RIGHT, Side.RIGHT, True),
        (40.0, Side.RIGHT, Side.RIGHT, False),  # the neck against the place
        (70.0, Side.RIGHT, Side.LEFT, False),
    ],
)
def test_v11_place_and_neck_decide_on_the_side_and_a_doubt_is_said(x_mm, neck, side, is_sure):
    (only,) = found(head(FIELD, (x_mm, 0.0, 0.0), neck or Side.LEFT, has_neck=neck is not None))
    assert only.side == side
    assert only.flags == (() if is_sure else (Flag.SIDE_UNVERIFIED,))


def test_v05_an_empty_mask_and_crumbs_are_no_heads():
    nothing = np.zeros(FIELD.shape, np.uint8)
    assert found(nothing) == []
    nothing[10:14, 10:16, 10:16] = 1
    assert found(nothing) == []


def test_a_long_bone_is_no_head():
    shaft = np.zeros(FIELD.shape, np.uint8)
    shaft[:, 25:30, 40:44] = 1
    assert found(shaft) == []


def test_crumbs_beside_a_head_do_not_move_it():
    one = head(FIELD, (-90.0, 0.0, 0.0), Side.RIGHT)
    with_crumbs = one.copy()
    with_crumbs[2:6, 50:56, 100:106] = 1
    assert found(with_crumbs) == found(one)


def test_two_pieces_close_together_are_not_two_hips():
    near = head(FIELD, (-90.0, -20.0, 0.0), Side.RIGHT), head(FIELD, (-35.0, 20.0, 0.0), Side.RIGHT)
    assert len(found(*near)) == 1


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_v10_a_head_that_the_field_cuts_is_found_and_flagged(share):
    low_mm = FIELD.origin[2] - FIELD.spacing[0] / 2  # the outer side of the lowest slice
    centre_mm = (-90.0, 0.0, low_mm + RADIUS_MM * (1 - 2 * share))
    (only,) = found(head(FIELD, centre_mm, Side.RIGHT))
    assert Flag.FOV_TRUNCATED in only.flags
    # of a head cut by 60 % a cap is left, which holds its radius less well
    assert np.linalg.norm(np.array(only.centre_mm) - centre_mm) < (4.0 if share > 0.5 else 1.0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1), (-1, -1, -1)])
def test_the_order_of_axes_changes_neither_place_nor_side(order, flips):
    array = head(FIELD, (70.0, 0.0, 5.0), Side.LEFT)
    turned = array.transpose(order)[tuple(slice(None, None, flip) for flip in flips)]
    corner = [0 if flips[place] > 0 else FIELD.shape[axis] - 1 for place, axis in enumerate(order)]
    start = [0, 0, 0]
    for place, axis in enumerate(order):
        start[axis] = corner[place]
    direction = np.asarray(FIELD.direction)[:, list(order)] * np.asarray(flips)
    grid = Grid(
        turned.shape, [FIELD.spacing[a] for a in order], tuple(FIELD.to_lps(start)), tuple(map(tuple, direction))
    )
    (before,), (after,) = found(array), found(turned, grid=grid)
    assert after.side == before.side == Side.LEFT
    assert np.allclose(after.centre_mm, before.centre_mm, atol=0.3)


def test_a_ball_is_inside_only_with_its_whole_radius():
    grid = Grid((50, 50, 50))
    assert holds(grid, (24.5, 24.5, 24.5), 24)
    assert not holds(grid, (24.5, 24.5, 20.0), 24)
