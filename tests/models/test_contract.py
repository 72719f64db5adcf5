"""The contract test that every network passes, and what it says of those that break it."""

from functools import partial

import pytest
import torch
from monai.networks.nets import DynUNet, SegResNet
from torch import nn

from avnnet.errors import InvalidConfig, InvalidNetwork
from avnnet.models import (
    Foreign,
    NestedRegions,
    Network,
    NetworkLike,
    ResEncUNet2D,
    ResidualBlock,
    Slab,
    UNet2D,
    UNet3D,
    check_network,
    check_output,
    keeps_contract,
)

FLAT = partial(UNet2D, channels=[4, 8], strides=[[2, 2]])
DEEP = partial(UNet3D, channels=[4, 8, 16], strides=[[1, 2, 2], [2, 2, 2]], deep_supervision=2)
DYN = partial(
    DynUNet, spatial_dims=3, in_channels=1, out_channels=3, kernel_size=[3] * 3, strides=[1, 2, 2],
    upsample_kernel_size=[2, 2], filters=[4, 8, 8], deep_supervision=True,
)  # fmt: skip


class Plain(nn.Module):
    """A network of a user's own that is nobody's subclass; `changes` break its contract."""

    ndim, in_channels, classes, divisors = 3, 1, 3, (1, 1, 1)

    def __init__(self, width: int = 2) -> None:
        super().__init__()
        self.width = width
        self.body = nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 3, 1))

    def forward(self, x):
        return self.body(x)

    def scales(self, x):
        return [self(x)]


def variants():
    return {
        "UNet3D": DEEP(),
        "UNet2D": FLAT(),
        "residual": DEEP(block=ResidualBlock),
        "residual encoder": ResEncUNet2D([4, 8], [[2, 2]]),
        "two channels": FLAT(in_channels=2, classes=5),
        "slab": Slab(FLAT, slices=3),
        "regions": NestedRegions(partial(DEEP, classes=2)),
        "DynUNet": Foreign(DYN),
        "SegResNet": Foreign(partial(SegResNet, init_filters=8, out_channels=3, blocks_down=[1, 1], blocks_up=[1])),
        "regions of a foreign one": NestedRegions(partial(Foreign, net=DYN)),
        "own": Plain(),
    }


@pytest.mark.parametrize("name", variants())
def test_every_network_keeps_the_contract(name):
    net = variants()[name]
    assert isinstance(net, NetworkLike)
    check_network(net)


class Listed(Plain):
    def forward(self, x):
        return [self.body(x)]


class OtherClasses(Plain):
    classes = 4


class NoClassAxis(Plain):
    def forward(self, x):
        return self.body(x)[:, 0]


class Halved(Plain):
    def forward(self, x):
        return self.body(x)[..., ::2]


class Guessing(Plain):
    def forward(self, x):
        return self.body(x) + torch.rand_like(x)


class Resting(Plain):
    def __init__(self, width=2):
        super().__init__(width)
        self.unused = nn.Conv3d(1, 1, 1)


class Forgetful(Plain):
    def __init__(self, width=2):
        super().__init__(width)
        self.width = 3


class Hidden(Plain):
    """Has a weight that its weights do not hold."""

    def __init__(self, width=2):
        super().__init__(width)
        self.secret = torch.rand(1)

    def forward(self, x):
        return self.body(x) + self.secret


class CoarseFirst(Plain):
    def scales(self, x):
        return [self(x)[..., ::2], self(x)]


class Undivided(Plain):
    def forward(self, x):
        return nn.functional.interpolate(self.body(x[..., ::2]), scale_factor=(1, 1, 2))


class TwoChannels(Plain):
    in_channels = 2


class Looking(Plain):
    def forward(self, x):
        return self.body(x) if x.max() > 0 else -self.body(x)


BROKEN = [
    (Listed, r"Listed.forward must give one tensor of logits \(B, 3, .*\); it gives a list of 1"),
    (OtherClasses, r"must give logits \(B, 4, 2, 2, 2\); it gives \(1, 3, 2, 2, 2\): it says to have 4 classes"),
    (NoClassAxis, r"it gives \(1, 2, 2, 2\): ndim 3 means 5 axes"),
    (Halved, r"it gives \(1, 3, 2, 2, 1\)"),
    (Undivided, r"Undivided.forward must give logits \(B, 3, 3, 3, 3\); it gives \(1, 3, 3, 3, 4\)"),
    (TwoChannels, r"TwoChannels takes no image \(1, 2, 2, 2, 2\)"),
    (CoarseFirst, "CoarseFirst.scales gives .*finest first"),
    (Guessing, "other logits for the same image the second time"),
    (Resting, r"no gradient reaches 2 of the 6 weights of Resting: \['unused.weight', 'unused.bias'\]"),
    (Forgetful, "built with other weights from its description"),
    (Hidden, "other logits when it is built from its description"),
    (Looking, "torch.export takes no Looking"),
]


@pytest.mark.parametrize(("broken", "words"), BROKEN, ids=[cls.__name__ for cls, _ in BROKEN])
def test_c20_what_breaks_the_contract_is_named_with_what_was_expected_and_what_came(broken, words):
    with pytest.raises(InvalidNetwork, match=words):
        check_network(broken())


def test_weights_that_are_said_to_rest_need_no_gradient():
    check_network(Resting(), idle=["unused."])


def test_a_network_is_left_as_it_was():
    net = UNet2D([4, 8], [[2, 2]])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    check_network(net)
    assert torch.equal(torch.rand(3), expected)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(one.grad is None for one in net.parameters())


class Measuring(Plain):
    """Computes with numbers, and has a layer that rests in training."""

    divisors = (8, 8, 8)

    def __init__(self, out_channels=3):
        super().__init__()
        self.out_channels = out_channels
        self.resting = nn.BatchNorm3d(1, affine=False).eval()

    def forward(self, x):
        return self.body(self.resting(x)) * (1 if float(x.sum()) < 1e9 else 2)


def test_a_layer_that_rests_in_training_still_rests_after_it_was_looked_at():
    own, foreign = Measuring(), Foreign(Measuring, divisors=[8, 8, 8])
    check_output(own, [8, 8, 8])
    assert own.training
    assert (own.resting.training, foreign.body.resting.training) == (False, False)


@pytest.mark.parametrize("broken", [Listed, OtherClasses, NoClassAxis, Halved, TwoChannels])
def test_the_cheap_part_finds_it_before_a_training_does(broken):
    with pytest.raises(InvalidNetwork):
        check_output(broken(), [8, 8, 8])


def test_the_cheap_part_asks_for_no_memory_and_does_not_change_running_means():
    net = Foreign(partial(nn.Sequential, *()), divisors=[1, 1, 1])  # gives its image back: one class
    check_output(net, [2**16, 2**16, 2**16])

    class Normed(Network):
        ndim, in_channels, classes = 3, 1, 1

        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm3d(1)

        def forward(self, x):
            return self.norm(x)

    normed = Normed()
    check_output(normed, [4, 4, 4])
    assert normed.norm.num_batches_tracked == 0
    assert normed.norm.weight.device.type == "cpu"


def test_a_module_of_a_library_is_refused_with_the_words_that_wrap_it():
    with pytest.raises(
        InvalidNetwork, match=r"lacks ndim, classes, divisors, scales.*class_path: monai.networks.nets.S"
    ):
        keeps_contract(SegResNet())


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("ndim", 4, "2 or 3 dimensions"),
        ("classes", 0, "classes 0"),
        ("in_channels", "1", "in_channels '1'"),
        ("divisors", (2, 2), "divisors of Plain are 3 whole numbers"),
        ("divisors", (2, 2, 0), r"found \(2, 2, 0\)"),
    ],
)
def test_a_number_that_no_network_has_is_named(attribute, value, words):
    net = Plain()
    setattr(net, attribute, value)
    with pytest.raises(InvalidConfig, match=words):
        keeps_contract(net)


@pytest.mark.parametrize("given", [UNet3D, 3, None, lambda x: x])
def test_what_is_no_module_is_no_network(given):
    with pytest.raises(InvalidNetwork, match=r"a network is a torch\.nn\.Module"):
        keeps_contract(given)
