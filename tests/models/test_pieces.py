"""Norms, activations, dropout and skips as slots of a U-Net, from Python, from YAML and through a recipe."""

from functools import partial

import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.models import (
    Add,
    AttentionGate,
    BatchNorm,
    Concat,
    ConvBlock,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    ResidualBlock,
    UNet2D,
    UNet3D,
    check_network,
    known,
    own_classes,
)
from avnnet.recipe import build, describe

SMALL = {"channels": [4, 8, 12], "strides": [[1, 2, 2], [2, 2, 2]], "deep_supervision": 2}
FEATURES = torch.randn(2, 8, 3, 5, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("own", "theirs"),
    [
        (InstanceNorm, nn.InstanceNorm3d(8, affine=True)),
        (partial(GroupNorm, groups=2), nn.GroupNorm(2, 8)),
        (BatchNorm, nn.BatchNorm3d(8)),
    ],
)
def test_a_norm_is_torchs_own(own, theirs):
    made = own(3, 8)
    made.load_state_dict(theirs.state_dict())
    assert torch.equal(made(FEATURES), theirs(FEATURES))


def test_a_layer_norm_has_mean_0_and_variance_1_over_the_channels_of_every_voxel():
    y = LayerNorm(3, 8)(FEATURES)
    assert torch.allclose(y.mean(1), torch.zeros(()), atol=1e-5)
    assert torch.allclose(y.var(1, unbiased=False), torch.ones(()), atol=1e-3)


@pytest.mark.parametrize("norm", [GroupNorm, partial(GroupNorm, groups=2), BatchNorm, LayerNorm])
@pytest.mark.parametrize("block", [ConvBlock, ResidualBlock])
def test_every_norm_fills_the_slot_of_every_block(block, norm):
    net = UNet3D(**SMALL, block=partial(block, norm=norm))
    kind = norm.func if isinstance(norm, partial) else norm
    assert not any(isinstance(module, InstanceNorm) for module in net.modules())
    assert sum(isinstance(module, kind) for module in net.modules()) >= 10
    check_network(net)


@pytest.mark.parametrize("act", [nn.GELU, nn.SiLU, nn.ReLU, partial(nn.LeakyReLU, negative_slope=0.1)])
def test_an_activation_of_torch_fills_the_slot(act):
    check_network(UNet2D([4, 8], [[2, 2]], block=partial(ConvBlock, act=act)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_activation_gives_torchs_values_and_gradients_to_the_bit(dtype):
    own, theirs = (FEATURES.clone().to(dtype).requires_grad_() for _ in range(2))
    y, expected = LeakyReLU()(own * 2), nn.functional.leaky_relu(theirs * 2, 0.01)
    assert torch.equal(y, expected)
    for one in (y, expected):
        one.square().sum().backward()
    assert torch.equal(own.grad, theirs.grad)


def test_the_activation_refuses_to_overwrite_what_a_layer_before_it_has_kept():
    y = LeakyReLU()(FEATURES.clone().requires_grad_().exp())
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_a_step_copies_no_features_on_their_way_back():
    # an activation that overwrites the view that a norm gives costs three copies for every block
    def copies(act) -> bool:
        out = ConvBlock(3, 8, 8, (3, 3, 3), (1, 1, 1), act=act)(FEATURES.clone().requires_grad_())
        with torch.profiler.profile() as profiled:
            out.sum().backward()
        return any("CopySlices" in event.key for event in profiled.key_averages())

    assert [copies(LeakyReLU), copies(nn.LeakyReLU)] == [False, True]


def test_dropout_drops_whole_channels_in_training_and_nothing_else():
    torch.manual_seed(0)
    block = ConvBlock(2, 1, 64, (1, 1), (1, 1), convs=1, norm=lambda *_: nn.Identity(), act=nn.Identity, dropout=0.5)
    nn.init.ones_(block.layers[0].bias)
    y = block(torch.zeros(1, 1, 4, 4))
    assert set(y.unique().tolist()) == {0.0, 2.0}
    assert (y.flatten(2).amin(-1) == y.flatten(2).amax(-1)).all()
    assert block.eval()(torch.zeros(1, 1, 4, 4)).unique().tolist() == [1.0]
    check_network(UNet3D(**SMALL, block=partial(ConvBlock, dropout=0.2)))


@pytest.mark.parametrize("skip", [Add, AttentionGate])
def test_every_skip_fills_the_slot(skip):
    check_network(UNet3D(**SMALL, skip=skip))


def test_an_open_attention_gate_is_a_concatenation_and_a_closed_one_hides_the_encoder():
    gate, x, skip = AttentionGate(3, 8), FEATURES, FEATURES.flip(0)
    nn.init.zeros_(gate.to_one.weight)
    nn.init.constant_(gate.to_one.bias, 100.0)
    assert torch.equal(gate(x, skip), Concat(3, 8)(x, skip))
    nn.init.constant_(gate.to_one.bias, -200.0)
    assert torch.equal(gate(x, skip), torch.cat([x, torch.zeros_like(skip)], 1))


def test_a_recipe_does_not_mention_slots_that_were_added_since_where_they_are_at_their_defaults():
    assert describe(UNet3D(**SMALL))["args"].keys().isdisjoint({"skip", "up"})
    assert describe(UNet3D(**SMALL, skip=Add))["args"]["skip"] == {"type": "Add"}


def test_pieces_and_torchs_layers_of_the_same_names_go_into_one_recipe():
    net = UNet3D(**SMALL, block=partial(ConvBlock, act=nn.LeakyReLU))
    again = build(describe(net), {*known(), *own_classes(net)})
    assert again.block.keywords == {"act": nn.LeakyReLU}


def test_one_number_of_convolutions_and_as_many_for_each_stage_make_the_same_network():
    torch.manual_seed(0)
    one = UNet3D(**SMALL, convs=3).state_dict()
    torch.manual_seed(0)
    each = UNet3D(**SMALL, convs=[3, 3, 3]).state_dict()
    assert one.keys() == each.keys()
    assert all(torch.equal(one[name], each[name]) for name in one)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"convs": [2, 2]}, "one per stage, 3 here; found 2"),
        ({"convs": [2, 2, 0]}, "convs is a whole number from 1 to 32; found 0"),
        ({"block": nn.ReLU}, "ReLU does not fit into the slot block: .* 7 were given. Take a class"),
        ({"up": Concat}, "Concat does not fit into the slot up"),
        ({"skip": ConvBlock}, "ConvBlock does not fit into the slot skip"),
        ({"skip": GroupNorm}, "out_channels how many channels it gives; GroupNorm does not. Set self.out_channels"),
        ({"block": partial(ConvBlock, dropout=1.0)}, "from 0 to below 1; found 1.0"),
        ({"block": partial(ConvBlock, dropout="a")}, "from 0 to below 1; found a"),
        ({"block": partial(ConvBlock, norm=partial(GroupNorm, groups=3))}, "4 here; found 3. Take 1, 2 or 4"),
        ({"block": partial(ConvBlock, norm=partial(GroupNorm, groups=0))}, "found 0"),
    ],
)
def test_what_no_piece_can_be_is_refused_by_name(changes, words):
    with pytest.raises(InvalidConfig, match=words):
        UNet3D(**{**SMALL, **changes})
