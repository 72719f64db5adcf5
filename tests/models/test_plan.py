"""The planner against nnU-Net's: stored answers of version 2.8.1, and what a plan must be in any case."""

import json
import math
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import avnnet.models.planning.plan
from avnnet.choice import Planner
from avnnet.errors import AvnnetError, InvalidCohort, InvalidConfig, InvalidGeometry, UnsupportedDimensions
from avnnet.models import UNet2D, UNet3D
from avnnet.models.planning.fingerprint import Fingerprint, fingerprint_of, target_spacing_mm
from avnnet.models.planning.plan import low_resolution, plan_network
from avnnet.models.planning.topology import topology_for

CROP = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
WHOLE = Fingerprint((1.0, 0.44, 0.44), (104, 384, 384), cases=34)
HIPPOCAMPUS = Fingerprint((1.0, 1.0, 1.0), (36, 50, 35), cases=260)
WIDE = (32, 64, 128, 256, 320, 320)
FLAT = (32, 64, 128, 256, 512, 512)
# nnunetv2 2.8.1, 1 channel and 3 classes: cohort, ndim, planner, patch, batch, channels, strides behind the first, E
STORED = [
    (CROP, 3, "default", (80, 160, 160), 2, WIDE, [(1, 2, 2), *[(2, 2, 2)] * 4], 550_544_000),
    (CROP, 2, "default", (160, 160), 127, FLAT, [(2, 2)] * 5, 8_038_400),
    (CROP, 3, "resenc-m", (80, 160, 128), 2, WIDE, [(1, 2, 2), *[(2, 2, 2)] * 4], 603_910_400),
    (WHOLE, 3, "default", (56, 192, 192), 2, WIDE, [(1, 2, 2), *[(2, 2, 2)] * 3, (1, 2, 2)], 555_028_992),
    (WHOLE, 2, "default", (384, 384), 22, (*FLAT, 512), [(2, 2)] * 6, 46_559_232),
    (HIPPOCAMPUS, 3, "default", (40, 56, 40), 9, WIDE[:4], [(2, 2, 2)] * 3, 19_174_400),
    (HIPPOCAMPUS, 2, "default", (56, 40), 366, FLAT[:4], [(2, 2)] * 3, 651_840),
    (replace(HIPPOCAMPUS, cases=208), 3, "default", (40, 56, 40), 7, WIDE[:4], [(2, 2, 2)] * 3, 19_174_400),
    # 292.5 is a tie, and rounds to the even neighbour
    (replace(HIPPOCAMPUS, cases=208), 2, "default", (56, 40), 292, FLAT[:4], [(2, 2)] * 3, 651_840),
]
ROWS = json.loads((Path(__file__).parent / "nnunet_plans.json").read_text())


@pytest.mark.parametrize(("cohort", "ndim", "planner", "patch", "batch", "channels", "strides", "size"), STORED)
def test_every_stored_answer_of_nnunet_is_given(cohort, ndim, planner, patch, batch, channels, strides, size):
    plan = plan_network(cohort, ndim=ndim, planner=planner)
    assert (plan.patch, plan.batch, plan.channels, plan.size) == (patch, batch, channels, size)
    assert list(plan.topology.strides) == [(1,) * ndim, *strides]
    assert plan.batch_dice == (ndim == 2)
    blocks = (1, 3, 4, 6, 6, 6) if planner == "resenc-m" else (2,) * len(channels)
    assert (plan.blocks, plan.decoder_convs) == (blocks, 1 if planner == "resenc-m" else 2)


def test_kernels_of_thick_slices_are_flat_once_and_those_of_cubes_never():
    assert plan_network(CROP).topology.kernels == ((1, 3, 3), *[(3, 3, 3)] * 5)
    assert plan_network(HIPPOCAMPUS).topology.kernels == ((3, 3, 3),) * 4


def test_the_low_resolution_of_whole_fields_is_dropped_for_it_saves_1_75_times_the_voxels():
    assert low_resolution(WHOLE) is None
    said = plan_network(WHOLE).reasons[-1]
    assert "saves only 1.75 times" in said
    assert low_resolution(CROP) is None


def in_slices(row):
    """A stored cohort with the axis of its slices first, as nnU-Net turns it."""
    target = target_spacing_mm(row["spacings_mm"], row["shapes"])
    first = int(np.argmax(target))
    order = [first, *(axis for axis in range(3) if axis != first)]
    spacings, shapes = ([[one[axis] for axis in order] for one in row[key]] for key in ("spacings_mm", "shapes"))
    return fingerprint_of(spacings, shapes, **{key: row[key] for key in ("cases", "channels", "classes")})


def answers(row):
    cohort, how = in_slices(row), {"planner": row["planner"], "memory_gb": row["memory_gb"]}
    plans = {"2d": plan_network(cohort, ndim=2, **how), "3d_fullres": plan_network(cohort, **how)}
    low = low_resolution(cohort, **how)
    return plans if low is None else {**plans, "3d_lowres": low}


def as_stored(plan):
    return {
        "spacing_mm": list(plan.spacing_mm[-plan.ndim :]),
        "patch": list(plan.patch),
        "batch": plan.batch,
        "batch_dice": plan.batch_dice,
        "channels": list(plan.channels),
        "strides": list(map(list, plan.topology.strides)),
        "kernels": list(map(list, plan.topology.kernels)),
        "encoder": list(plan.blocks),
        "decoder": [plan.decoder_convs] * (plan.topology.stages - 1),
        "size_e": plan.size,
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['planner']}-{row['shapes'][0]}".replace(" ", ""))
def test_a_random_cohort_gets_the_plans_that_nnunets_own_planner_gave_it(row):
    # benchmarks/oracle/nnunet_plans.py made them
    assert {name: as_stored(plan) for name, plan in answers(row).items()} == row["answers"]


def test_the_random_cohorts_hold_every_planner_and_several_low_resolutions():
    assert set(Counter(row["planner"] for row in ROWS)) == {"default", "resenc-m", "resenc-l", "resenc-xl"}
    assert sum("3d_lowres" in row["answers"] for row in ROWS) >= 5
    assert any(row["answers"]["3d_fullres"]["batch_dice"] for row in ROWS)


@pytest.mark.parametrize(("ndim", "kind"), [(2, UNet2D), (3, UNet3D)])
@pytest.mark.parametrize("shape", [(4, 40, 512), (12, 12, 12), (300, 9, 30), (16, 512, 512)])
def test_a_planned_network_divides_its_patch_and_keeps_more_than_a_voxel(shape, ndim, kind):
    plan = plan_network(Fingerprint((1.0, 0.8, 0.5), shape, cases=20), ndim=ndim)
    strides = [list(stride) for stride in plan.topology.strides[1:]]
    net = kind([4] * len(plan.channels), strides, [list(kernel) for kernel in plan.topology.kernels])
    assert net.divisors == plan.topology.divisors
    assert all(edge % step == 0 for edge, step in zip(plan.patch, net.divisors, strict=True))
    assert math.prod(plan.patch) > math.prod(net.divisors)


def test_more_memory_never_gives_a_smaller_patch_or_batch():
    plans = [plan_network(WHOLE, memory_gb=memory) for memory in (2, 4, 8, 16, 24, 48, 80)]
    work = [math.prod(plan.patch) * plan.batch for plan in plans]
    assert work == sorted(work)
    assert len(set(work)) >= 5


def test_the_plan_knows_no_unit_of_length():
    doubled = replace(WHOLE, spacing_mm=tuple(2 * spacing for spacing in WHOLE.spacing_mm))
    assert plan_network(doubled).topology == plan_network(WHOLE).topology


def test_thick_slices_take_the_tenth_percentile_but_never_less_than_the_pixels():
    shapes = [(12, 256, 256)] * 10
    assert target_spacing_mm([(5, 1, 1), *[(10, 1, 1)] * 9], shapes)[0] == pytest.approx(9.5)
    assert target_spacing_mm([(0.5, 1, 1)] * 4 + [(10, 1, 1)] * 6, shapes)[0] == pytest.approx(1 + 1e-5)
    # as many slices as pixels: the median after all
    assert target_spacing_mm([(5, 1, 1), *[(10, 1, 1)] * 9], [(200, 256, 256)] * 10)[0] == 10


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: Fingerprint((1, 1, 1), (36, 50, 35), cases=1), InvalidCohort, "found 1. Add cases"),
        (lambda: Fingerprint((1, 1), (50, 35), cases=9), UnsupportedDimensions, "also for a 2D network"),
        (lambda: Fingerprint((0, 1, 1), (36, 50, 35), cases=9), InvalidGeometry, "mm above 0; found (0, 1, 1)"),
        (lambda: Fingerprint((math.nan, 1, 1), (36, 50, 35), cases=9), InvalidGeometry, "above 0"),
        (lambda: Fingerprint((1, 1, 1), (0, 50, 35), cases=9), InvalidGeometry, "has a voxel"),
        (lambda: Fingerprint((1, 1, 1), (9, 9, 9), cases=9, classes=1), InvalidConfig, "from 2 to 256; found 1"),
        (lambda: fingerprint_of([], []), InvalidCohort, "found none"),
        (lambda: fingerprint_of([(1, 0, 1)] * 3, [(9, 9, 9)] * 3), InvalidGeometry, "found (1, 0, 1)"),
        (lambda: plan_network(CROP, ndim=4), InvalidConfig, "2 or 3 dimensions; found ndim 4"),
        (lambda: plan_network(CROP, memory_gb=0), InvalidConfig, "from 0.1 to 1024, such as 8 or 24; found '0'"),
        (lambda: plan_network(CROP, memory_gb=-8), InvalidConfig, "found '-8'"),
        (lambda: plan_network(CROP, memory_gb="much"), InvalidConfig, "found 'much'"),
        (lambda: plan_network(CROP, memory_gb=math.nan), InvalidConfig, "found 'nan'"),
        (lambda: plan_network(CROP, planner="resenc"), InvalidConfig, "resenc-m"),
        (lambda: plan_network(replace(CROP, shape=(4, 9, 7))), InvalidConfig, "one axis of 12 voxels or more"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_what_would_work(make, error, said):
    with pytest.raises(AvnnetError) as refused:
        make()
    assert type(refused.value) is error
    assert said in str(refused.value)


def test_a_memory_that_holds_no_patch_at_all_is_refused_with_what_would_be_enough(monkeypatch):
    monkeypatch.setattr(avnnet.models.planning.plan, "checked_memory_gb", float)
    with pytest.raises(InvalidConfig, match=r"takes \S+ GB; found 1e-05\. Give --memory 1,"):
        plan_network(CROP, memory_gb=1e-5)


def test_an_axis_of_a_stage_is_never_halved_below_four_voxels():
    for edge in range(1, 200):
        for stride, size in zip(*halvings(edge), strict=True):
            assert stride == 1 or size >= 4


def halvings(edge):
    topology = topology_for((1.0, 1.0, 1.0), (edge, 64, 64))
    strides = [stride[0] for stride in topology.strides]
    return strides, np.ceil(edge / np.cumprod(strides))


@pytest.mark.parametrize("memory_gb", [0.3, 8.0])
@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("planner", [Planner.DEFAULT, Planner.RESENC_M])
def test_the_reason_of_a_patch_never_says_that_more_is_used_than_there_is(memory_gb, ndim, planner):
    large = Fingerprint((0.3, 0.3, 0.3), (500, 900, 900), cases=2)
    plan = plan_network(large, ndim=ndim, planner=planner, memory_gb=memory_gb)
    used, there = map(float, re.findall(r"[\d.]+e\+\d+", plan.reasons[0]))
    assert used <= there
