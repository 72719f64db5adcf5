"""Nested regions: the way from heads of regions to classes, and their loss."""

import json
import math
from functools import partial

import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.losses import DiceCE, RegionDiceCE, Sum, check_loss, supervise_scales
from avnnet.losses.regions import regions_of
from avnnet.models import NestedRegions, Network, UNet2D, UNet3D, known
from avnnet.recipe import build, describe

INSIDE = partial(UNet3D, channels=[2, 4], strides=[[2, 2, 2]], classes=2, deep_supervision=1)


class Given(Network):
    """Says the region logits that it is shown."""

    ndim, in_channels, classes = 2, 2, 2

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return x * self.scale


def logits(*probabilities):
    return torch.tensor([math.log(p / (1 - p)) for p in probabilities]).reshape(1, -1, 1, 1)


def classes_of(net, x):
    return [round(p, 4) for p in torch.softmax(net(x), 1).flatten().tolist()]


def test_a_class_is_what_lies_in_a_region_and_not_in_the_next():
    # head 0.9, necrosis 0.3: background 0.1, vital 0.6, necrosis 0.3
    assert classes_of(NestedRegions(Given), logits(0.9, 0.3)) == [0.1, 0.6, 0.3]


def test_an_inner_region_is_never_more_probable_than_the_one_around_it():
    assert classes_of(NestedRegions(Given), logits(0.4, 0.8)) == [0.6, 0.0, 0.4]


def test_the_order_says_which_label_is_the_innermost():
    assert classes_of(NestedRegions(Given, order=[2, 1]), logits(0.9, 0.3)) == [0.1, 0.3, 0.6]


def test_certain_logits_are_finite_probabilities_of_sum_one_with_finite_gradients():
    x = torch.tensor([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]]).reshape(3, 2, 1, 1).requires_grad_()
    found = NestedRegions(Given)(x)
    assert torch.isfinite(found).all()
    assert torch.allclose(torch.softmax(found, 1).sum(1), torch.ones(3, 1, 1))
    found.sum().backward()
    assert torch.isfinite(x.grad).all()


def test_the_regions_of_a_target_lie_in_each_other():
    target = torch.tensor([[[0, 1, 2, 3]]])
    assert regions_of(target, 3).tolist() == [[[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1]]]
    assert regions_of(target, 3, [3, 1, 2]).tolist() == [[[0, 1, 1, 1], [0, 1, 1, 0], [0, 0, 1, 0]]]


def test_the_loss_is_the_mean_binary_cross_entropy_and_dice_by_hand():
    # one voxel of each of background, vital and necrosis; all probabilities 1/2
    target, even = torch.tensor([[[[0, 1, 2]]]]), torch.zeros(1, 2, 1, 3)
    entropy = RegionDiceCE(dice_weight=0.0)(even, target)
    assert float(entropy) == pytest.approx(math.log(2), rel=1e-6)
    # head: 2 * 1 / (1.5 + 2); necrosis: 2 * 0.5 / (1.5 + 1)
    dice = RegionDiceCE(ce_weight=0.0)(even, target)
    assert float(dice) == pytest.approx(1 - (2 / 3.5 + 1 / 2.5) / 2, abs=1e-4)


def test_training_on_regions_learns_which_voxel_is_which():
    torch.manual_seed(0)
    target = torch.zeros(1, 1, 8, 8, 8)
    target[..., 2:6] = 1
    target[..., 4:6, 2:6] = 2
    image = target + 0.05 * torch.randn(target.shape)
    net, loss = NestedRegions(INSIDE), RegionDiceCE()
    optimizer = torch.optim.Adam(net.parameters(), 0.03)
    for _ in range(120):
        optimizer.zero_grad()
        supervise_scales(loss, net.scales(image), target).backward()
        optimizer.step()
    assert (net(image).argmax(1, keepdim=True) == target).float().mean() > 0.97


def test_it_goes_through_a_recipe_with_the_network_inside():
    net = NestedRegions(INSIDE, order=[2, 1])
    back = build(json.loads(json.dumps(describe(net))), known())
    back.load_state_dict(net.state_dict())
    x = torch.randn(1, 1, 4, 4, 4)
    assert torch.equal(back(x), net(x))
    assert back.order == [2, 1]


def test_its_dimensions_and_divisors_are_those_of_the_network_inside():
    flat = NestedRegions(partial(UNet2D, channels=[2, 4, 8], strides=[[2, 2], [1, 2]], in_channels=3, classes=1))
    assert (flat.ndim, flat.in_channels, flat.classes, flat.divisors) == (2, 3, 2, (2, 4))


@pytest.mark.parametrize("order", [[1], [1, 1], [0, 1], [1, 2, 3], ["1", "2"]])
def test_an_order_that_leaves_out_or_repeats_a_label_is_refused(order):
    with pytest.raises((InvalidConfig, TypeError)):
        NestedRegions(INSIDE, order=order)


def test_a_loss_of_classes_for_a_network_of_regions_is_refused_and_the_reverse():
    asked = {"classes": 3, "is_weighted": False}
    check_loss(RegionDiceCE(), **asked, regions=[1, 2])
    check_loss(Sum([RegionDiceCE(), RegionDiceCE(dice_weight=0)]), **asked, regions=[1, 2])
    with pytest.raises(InvalidConfig, match=r"DiceCE is a loss of classes; set model\.loss: .*RegionDiceCE"):
        check_loss(DiceCE(), **asked, regions=NestedRegions(INSIDE).ids)
    with pytest.raises(InvalidConfig, match="RegionDiceCE is a loss of nested regions"):
        check_loss(RegionDiceCE(), **asked)


def test_regions_of_another_order_than_the_networks_are_refused_before_they_swap_two_structures():
    asked = {"classes": 3, "is_weighted": False, "regions": NestedRegions(INSIDE, order=[2, 1]).ids}
    check_loss(Sum([RegionDiceCE(order=[2, 1])]), **asked)
    for loss in (RegionDiceCE(), RegionDiceCE(order=[1, 2]), Sum([RegionDiceCE(order=[1, 2])])):
        with pytest.raises(InvalidConfig, match=r"\[2, 1\] from .* RegionDiceCE \[1, 2\].* give both the same order"):
            check_loss(loss, **asked)


def test_a_sum_of_regions_and_classes_is_refused():
    with pytest.raises(InvalidConfig, match="all of nested regions or all of classes; found Sum of regions and DiceCE"):
        Sum([DiceCE(), Sum([RegionDiceCE()])])


@pytest.mark.gpu
def test_the_loss_of_regions_asks_the_device_for_no_number():
    target, logits = torch.ones(2, 1, 8, 8, device="cuda"), torch.zeros(2, 2, 8, 8, device="cuda", requires_grad=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        RegionDiceCE()(logits, target).backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
