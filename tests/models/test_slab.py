"""2.5D: slices that see their neighbours."""

import json
from functools import partial

import pytest
import torch

from avnnet.errors import InvalidConfig
from avnnet.models import Network, Slab, UNet2D, UNet3D, known
from avnnet.recipe import build, describe

INSIDE = partial(UNet2D, channels=[2, 4], strides=[[2, 2]], deep_supervision=1)


class Pick(Network):
    """Gives one of the channels that it sees."""

    ndim, classes = 2, 1

    def __init__(self, in_channels: int, which: int):
        super().__init__()
        self.in_channels, self.which = in_channels, which

    def forward(self, x):
        return x[:, self.which : self.which + 1]


@pytest.mark.parametrize(
    ("which", "shown"), [(0, [0, 0, 0, 1, 2]), (1, [0, 0, 1, 2, 3]), (2, [0, 1, 2, 3, 4]), (4, [2, 3, 4, 4, 4])]
)
def test_a_slice_sees_its_neighbours_in_order_and_the_outermost_slice_beyond_the_end(which, shown):
    x = torch.arange(5.0).reshape(1, 1, 5, 1, 1).expand(1, 1, 5, 2, 2)
    found = Slab(partial(Pick, which=which), slices=5)(x)
    assert found[0, 0, :, 0, 0].tolist() == shown


def test_several_channels_stand_together_for_each_neighbour():
    x = torch.stack([torch.arange(3.0), 10 + torch.arange(3.0)]).reshape(1, 2, 3, 1, 1)
    found = [Slab(partial(Pick, which=n), slices=3, in_channels=2)(x)[0, 0, :, 0, 0].tolist() for n in range(6)]
    assert found == [[0, 0, 1], [10, 10, 11], [0, 1, 2], [10, 11, 12], [1, 2, 2], [11, 12, 12]]


def test_a_slab_of_one_slice_is_the_2d_network_slice_by_slice():
    net = Slab(INSIDE, slices=1).eval()
    x = torch.randn(2, 1, 3, 8, 8)
    alone = torch.stack([net.inside(x[:, :, z]) for z in range(3)], dim=2)
    assert torch.allclose(net(x), alone, atol=1e-5)


def test_a_slice_changes_the_slices_within_reach_and_no_other():
    torch.manual_seed(0)
    net, x = Slab(INSIDE, slices=5), torch.randn(1, 1, 9, 8, 8)
    other = x.clone()
    other[:, :, 4] += 1
    changed = (net(x) - net(other)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert changed.tolist() == [False, False, True, True, True, True, True, False, False]


def test_scales_keep_every_slice():
    net = Slab(partial(UNet2D, channels=[2, 4, 4], strides=[[2, 2], [2, 2]], deep_supervision=2), slices=3)
    assert [tuple(scale.shape) for scale in net.scales(torch.zeros(2, 1, 5, 8, 8))] == [
        (2, 3, 5, 8, 8),
        (2, 3, 5, 4, 4),
    ]


def test_it_goes_through_a_recipe():
    net = Slab(INSIDE, slices=3)
    back = build(json.loads(json.dumps(describe(net))), known())
    back.load_state_dict(net.state_dict())
    x = torch.randn(1, 1, 4, 4, 4)
    assert torch.equal(back(x), net(x))


def test_an_even_slab_and_a_3d_network_inside_are_refused():
    with pytest.raises(InvalidConfig, match="slices is odd; found 4"):
        Slab(INSIDE, slices=4)
    with pytest.raises(InvalidConfig, match="UNet3D has 3 dimensions"):
        Slab(partial(UNet3D, channels=[2, 4], strides=[[2, 2, 2]]))
