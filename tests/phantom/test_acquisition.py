"""Fields of view that cannot be are refused, and both hips fit where they should."""

from __future__ import annotations

import numpy as np
import pytest

from avnnet.errors import InvalidConfig
from avnnet.labels import Side
from avnnet.phantom import Acquisition, Disease, Plane, Size, simulate, usual

BOTH = Acquisition((40, 80, 126), (2.6, 2.8, 2.8), Plane.AXIAL, both_hips=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (((20, 100, 100), (1.6, 0.9, 0.9)), "does not hold a femoral head"),
        (((0, 100, 100),), "must be positive"),
        (((104, 384, 384), (1.0, -0.4, 0.44)), "must be positive"),
        (((104, 384, 384), (1.0, 0.44, 0.44), "tilted"), r"Plane is one of \['oblique', .*found 'tilted'"),
        (((104, 384, 384), (1.0, 0.44, 0.44), Plane.AXIAL, True), "does not hold both hips; it must be at least 340"),
    ],
)
def test_fields_that_cannot_be_are_refused_with_what_can_be(arguments, words):
    with pytest.raises(InvalidConfig, match=words):
        Acquisition(*arguments)


@pytest.mark.parametrize("size", list(Size))
@pytest.mark.parametrize("is_2d", [False, True])
def test_usual_fields_hold_one_hip_or_both_and_have_one_extent_at_every_size(size, is_2d):
    for both_hips in (False, True):
        field = usual(size, both_hips=both_hips, is_2d=is_2d)
        assert field.extent_mm == pytest.approx(usual(Size.FULL, both_hips=both_hips, is_2d=is_2d).extent_mm, rel=0.02)
    assert usual(size).plane is Plane.OBLIQUE


def both(seed, index=Side.RIGHT, other=None):
    hips = {index: Disease("IIIA", 20), Side.LEFT if index == Side.RIGHT else Side.RIGHT: other}
    return simulate(np.random.default_rng(seed), hips, acquisition=BOTH)


def test_both_hips_are_labelled_apart_on_their_own_side():
    made = both(2, other=Disease("I", 6))
    for side, sign in ((Side.RIGHT, -1), (Side.LEFT, 1)):
        labels, truth = made.labels[side], made.truths[side]
        assert truth.side is side
        found = labels.grid.to_lps(np.argwhere(labels.mask("head"))).mean(axis=0)
        assert np.linalg.norm(found - truth.centre_mm) < 6
        assert sign * truth.neck_axis[0] > 0
        assert labels.mask("head").sum() * labels.grid.voxel_mm3 / 1000 == pytest.approx(truth.head_cm3, rel=0.02)
        assert labels.mask("necrosis").sum() * labels.grid.voxel_mm3 / 1000 == pytest.approx(
            truth.necrosis_cm3, rel=0.1
        )
    assert not (made.labels[Side.RIGHT].mask("head") & made.labels[Side.LEFT].mask("head")).any()
    assert made.truths[Side.RIGHT].centre_mm[0] < made.truths[Side.LEFT].centre_mm[0]


def test_a_healthy_other_hip_has_a_head_and_no_necrosis():
    made = both(3, index=Side.LEFT)
    healthy = made.truths[Side.RIGHT]
    assert (healthy.arco_stage, healthy.lesion_form, healthy.necrosis_cm3) == ("", "", 0.0)
    assert np.isnan(healthy.lesion_centre_mm).all()
    labels = made.labels[Side.RIGHT]
    assert labels.mask("head").any()
    assert not labels.mask("necrosis").any()
    assert made.labels[Side.LEFT].mask("necrosis").any()


def test_both_hips_need_two_in_the_call():
    with pytest.raises(InvalidConfig, match="both hips needs 2"):
        simulate(np.random.default_rng(1), {Side.RIGHT: Disease("I", 6)}, acquisition=BOTH)
