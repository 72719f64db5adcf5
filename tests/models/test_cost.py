"""Parameters and operations, against numbers computed by hand."""

import pytest
import torch
from torch import nn

from avnnet.models import Network, UNet2D, UNet3D
from avnnet.models.cost import forward_gflop, network_cost, parameter_count, step_gflop

VOXELS = 4 * 6 * 8


def test_a_single_convolution_costs_what_a_hand_computes():
    conv = nn.Conv3d(2, 8, 3, padding=1)
    by_hand = 2 * VOXELS * 8 * 2 * 27  # FLOP = 2 x MAC: voxels x channels out x channels in x kernel
    assert forward_gflop(conv, (1, 2, 4, 6, 8)) * 1e9 == pytest.approx(by_hand)
    assert parameter_count(conv) == 8 * 2 * 27 + 8


def test_the_first_layer_has_one_backward_product_and_every_other_two():
    first, second = nn.Conv3d(1, 4, 3, padding=1), nn.Conv3d(4, 3, 1)
    flop_first, flop_second = 2 * VOXELS * 4 * 27, 2 * VOXELS * 3 * 4
    by_hand = 2 * flop_first + 3 * flop_second
    assert step_gflop(nn.Sequential(first, second), (1, 1, 4, 6, 8)) * 1e9 == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("layer", "macs"),
    [
        (nn.Conv3d(8, 8, 5, padding=2, groups=8), VOXELS * 8 * 125),  # depthwise: each channel sees itself alone
        (nn.Conv3d(8, 12, 3, padding=1, groups=4), VOXELS * 12 * 2 * 27),
        (nn.ConvTranspose3d(8, 4, 2, stride=2), VOXELS * 8 * 4 * 8),
        (nn.ConvTranspose3d(8, 8, 2, stride=2, groups=8), VOXELS * 8 * 8),
    ],
)
def test_groups_and_transposed_convolutions_cost_three_times_their_forward_pass_in_a_step(layer, macs):
    net = nn.Sequential(nn.Conv3d(1, 8, 1), layer)
    first = 2 * VOXELS * 8
    assert forward_gflop(net, (1, 1, 4, 6, 8)) * 1e9 == pytest.approx(first + 2 * macs)
    assert step_gflop(net, (1, 1, 4, 6, 8)) * 1e9 == pytest.approx(2 * first + 3 * 2 * macs)


def test_cost_grows_with_the_batch_and_not_with_the_weights_values():
    net = UNet3D(channels=[4, 8], strides=[[2, 2, 2]], deep_supervision=1)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    one, two = (step_gflop(net, (n, 1, 8, 8, 8)) for n in (1, 2))
    assert two == pytest.approx(2 * one)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.training
    assert all(value.device.type == "cpu" for value in net.state_dict().values())


def test_a_2d_network_sees_the_slices_of_a_patch_as_a_batch():
    net = UNet2D(channels=[4, 8], strides=[[2, 2]])
    cost = network_cost(net, (6, 1, 8, 8), (2, 1, 8, 8))
    assert cost.forward_gflop == pytest.approx(6 * forward_gflop(net, (1, 1, 8, 8)))


class Branches(Network):
    """A network whose way depends on the values that it sees, so that shapes are not enough."""

    ndim, in_channels, classes = 3, 1, 2

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(1, 2, 1)

    def forward(self, x):
        return self.conv(x) if float(x.sum()) == 0 else x


def test_a_network_whose_way_depends_on_values_is_counted_with_values():
    assert forward_gflop(Branches(), (1, 1, 4, 6, 8)) * 1e9 == pytest.approx(2 * VOXELS * 2)
