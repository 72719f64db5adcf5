"""Plans for two CPU cores, and what a planned network costs."""

import math
from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from avnnet.errors import InvalidConfig
from avnnet.models import UNet2D, UNet3D
from avnnet.models.planning.cpu import cpu_step_gflop, plan_for_cpu
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.footprint import STEP_PASSES, step_gflop
from avnnet.models.planning.topology import topology_for

HIP = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
HIPPOCAMPUS = Fingerprint((1.0, 1.0, 1.0), (36, 50, 35), cases=208)


def gflop(cohort, plan):
    how = {"patches": plan.batch, "in_channels": cohort.channels, "classes": cohort.classes}
    return step_gflop(plan.topology, plan.channels, **how)


@pytest.mark.parametrize(
    ("spacing", "patch"), [((3.0, 0.5, 0.5), (6, 32, 24)), ((1.0, 1.0), (16, 24)), ((1, 1, 1), (16,) * 3)]
)
def test_the_counted_operations_are_those_that_torch_counts(spacing, patch):
    topology = topology_for(spacing, patch)
    channels = [4, 8, 12, 12][: topology.stages]
    strides = [list(stride) for stride in topology.strides[1:]]
    kind = {2: UNet2D, 3: UNet3D}[len(patch)]
    net = kind(channels, strides, [list(kernel) for kernel in topology.kernels], in_channels=2, classes=5)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(3, 2, *topology.patch))
    counted = STEP_PASSES * counter.get_total_flops() / 1e9
    assert step_gflop(topology, channels, patches=3, in_channels=2, classes=5) == pytest.approx(counted, rel=1e-12)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("minutes", [0.5, 3, 10, 60])
@pytest.mark.parametrize("cohort", [HIP, HIPPOCAMPUS, replace(HIP, shape=(104, 384, 384)), replace(HIP, channels=4)])
def test_a_step_fits_into_the_minutes_and_a_patch_shows_half_of_an_image(cohort, minutes, ndim):
    plan = plan_for_cpu(cohort, ndim=ndim, minutes=minutes)
    assert gflop(cohort, plan) <= cpu_step_gflop(minutes)
    fields = [edge * spacing for edge, spacing in zip(plan.patch, plan.spacing_mm[-ndim:], strict=True)]
    whole = [edge * spacing for edge, spacing in zip(cohort.shape, cohort.spacing_mm, strict=True)][-ndim:]
    assert math.prod(fields) >= 0.5 * math.prod(whole)
    assert all(new >= old for new, old in zip(plan.spacing_mm, cohort.spacing_mm, strict=True))


def test_more_minutes_give_finer_voxels_or_a_wider_network():
    plans = [plan_for_cpu(HIP, minutes=minutes) for minutes in (1, 3, 10, 30, 120)]
    voxels = [math.prod(plan.spacing_mm) for plan in plans]
    assert voxels == sorted(voxels, reverse=True)
    assert plan_for_cpu(HIPPOCAMPUS, minutes=600).channels[0] == 32


def test_thick_slices_are_not_made_thicker_while_pixels_are_finer():
    thick = Fingerprint((3.3, 0.6, 0.6), (28, 300, 300), cases=34)
    plan = plan_for_cpu(thick, minutes=60)
    assert plan.spacing_mm[0] == 3.3
    assert 0.6 < plan.spacing_mm[1] <= 3.3 * 1.03


def test_a_network_on_slices_keeps_their_distance():
    assert plan_for_cpu(HIP, ndim=2, minutes=3).spacing_mm[0] == 1.0


def test_the_reasons_say_what_was_given_up():
    said = " ".join(plan_for_cpu(HIP, minutes=3).reasons)
    assert "at 1 x 0.44 x 0.44 mm a patch that fits would show less than 50%" in said
    assert "80% of 3 minutes at 150 GFLOP/s" in said


@pytest.mark.parametrize("minutes", [0, -3, math.nan, math.inf, "long", 1e6])
def test_minutes_that_no_training_takes_are_refused(minutes):
    with pytest.raises(InvalidConfig, match=r"0\.5 to 1440 minutes, such as 10"):
        plan_for_cpu(HIP, minutes=minutes)
