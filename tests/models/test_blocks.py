"""Squeeze and excitation, ConvNeXt, MedNeXt and checkpointing: what each block is, and that it fills its slot."""

from functools import partial

import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.models import (
    Add,
    BatchNorm,
    Checkpointed,
    ConvBlock,
    ConvNeXtBlock,
    GroupNorm,
    LayerNorm,
    MedNeXtBlock,
    MedNeXtUp,
    ResEncBlock,
    ResidualBlock,
    SqueezeExcitation,
    UNet2D,
    UNet3D,
    check_network,
    known,
)
from avnnet.models.pieces.convnext import DepthwiseUnit
from avnnet.models.pieces.layers import CONV, Pointwise
from tests.models.test_pieces import SMALL

BLOCKS = [ConvBlock, ResidualBlock, ResEncBlock, ConvNeXtBlock, MedNeXtBlock, SqueezeExcitation, Checkpointed]
MEDNEXT = {"block": MedNeXtBlock, "skip": Add, "up": MedNeXtUp}


@pytest.mark.parametrize("size", [(4, 8, 8), (5, 7, 9)])
@pytest.mark.parametrize("block", BLOCKS)
def test_every_block_has_the_shape_of_a_plain_one(block, size):
    x = torch.randn(1, 2, *size)
    plain, own = (kind(3, 2, 6, (3, 1, 3), (2, 2, 1), 2) for kind in (ConvBlock, block))
    assert own(x).shape == plain(x).shape


@pytest.mark.parametrize(
    "changes",
    [
        {"block": SqueezeExcitation},
        {"block": partial(SqueezeExcitation, block=ResidualBlock, reduction=2)},
        {"block": ConvNeXtBlock, "kernels": [[1, 5, 5], [5, 5, 5], [3, 3, 3]]},
        {"block": partial(ConvNeXtBlock, response_norm=True, norm=LayerNorm)},
        {"block": partial(MedNeXtBlock, norm=partial(GroupNorm, groups=2), expansion=3)},
        MEDNEXT,
        MEDNEXT | {"up": partial(MedNeXtUp, kernel=5, response_norm=True), "convs": [1, 2, 1]},
        {"block": Checkpointed},
        {"block": partial(Checkpointed, block=partial(SqueezeExcitation, block=ResEncBlock))},
    ],
)
def test_every_block_fills_the_slot_in_3d_and_in_2d(changes):
    check_network(UNet3D(**SMALL, **changes))
    flat = {name: value for name, value in changes.items() if name not in ("kernels", "convs")}
    check_network(UNet2D([4, 8], [[2, 2]], **flat))


def test_a_model_folder_may_name_every_block():
    assert set(BLOCKS) <= set(known())


def test_open_weights_of_squeeze_and_excitation_leave_its_block_as_it_is():
    own = SqueezeExcitation(3, 2, 4, (3, 3, 3), (1, 1, 1))
    nn.init.zeros_(own.up.weight)
    nn.init.constant_(own.up.bias, 100.0)
    x = torch.randn(2, 2, 4, 5, 6)
    assert torch.equal(own(x), own.block(x))
    nn.init.constant_(own.up.bias, 0.0)
    assert torch.equal(own(x), own.block(x) / 2)


def test_the_weights_of_squeeze_and_excitation_do_not_know_where_things_are():
    own, y = SqueezeExcitation(3, 2, 4, (3, 3, 3), (1, 1, 1)), torch.randn(2, 4, 3, 4, 5)
    assert torch.allclose(own.weights(y), own.weights(y.flip(2, 3, 4)), atol=1e-6)


def test_a_depthwise_unit_of_zero_weights_is_its_way_past():
    unit, x = DepthwiseUnit(3, 4, 4, (5, 5, 5), (1, 1, 1)), torch.randn(1, 4, 5, 6, 7)
    nn.init.zeros_(unit.mixer.layers[-1].weight)
    nn.init.zeros_(unit.mixer.layers[-1].bias)
    assert torch.equal(unit(x), x)


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_pointwise_layer_computes_what_a_convolution_of_one_voxel_does_and_its_gradients(ndim):
    ours, torchs, x = Pointwise(3, 5), CONV[ndim](3, 5, 1), torch.randn(2, 3, *(4, 5, 6)[:ndim])
    torchs.load_state_dict({"weight": ours.weight.reshape(torchs.weight.shape), "bias": ours.bias})
    grads = []
    for layer in (ours, torchs):
        image = x.clone().requires_grad_()
        layer(image).square().sum().backward()
        grads.append((image.grad, layer.weight.grad.flatten(), layer.bias.grad))
    assert torch.allclose(ours(x), torchs(x), atol=1e-6)
    assert all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(*grads, strict=True))


def test_what_leaves_a_depthwise_unit_lies_in_memory_channels_last():
    unit = DepthwiseUnit(3, 4, 4, (5, 5, 5), (1, 1, 1))
    assert unit(torch.randn(1, 4, 5, 6, 7)).is_contiguous(memory_format=torch.channels_last_3d)


def test_a_depthwise_kernel_costs_a_weight_per_channel_and_voxel_and_no_more():
    count = [sum(p.numel() for p in ConvNeXtBlock(3, 8, 8, [k] * 3, [1] * 3, 1).parameters()) for k in (3, 7)]
    assert count[1] - count[0] == 8 * (7**3 - 3**3)


@pytest.mark.parametrize(
    "block", [ConvBlock, ResEncBlock, MedNeXtBlock, partial(ConvBlock, dropout=0.3), SqueezeExcitation]
)
def test_checkpointing_changes_no_bit_of_logits_and_gradients(block):
    def step(net: UNet3D) -> tuple[torch.Tensor, list[torch.Tensor]]:
        torch.manual_seed(1)
        for parameter in net.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        x = torch.randn(2, 1, 4, 8, 8)
        scales = net.scales(x)
        sum(scale.square().sum() for scale in scales).backward()
        return scales[0], [parameter.grad for parameter in net.parameters()]

    torch.manual_seed(0)
    plain = step(UNet3D(**SMALL, block=block))
    torch.manual_seed(0)
    own = step(UNet3D(**SMALL, block=partial(Checkpointed, block=block)))
    assert torch.equal(own[0], plain[0])
    assert all(torch.equal(*pair) for pair in zip(own[1], plain[1], strict=True))


def test_checkpointing_keeps_fewer_features_for_the_backward_pass():
    def kept(block) -> int:
        total = 0

        def pack(tensor: torch.Tensor) -> torch.Tensor:
            nonlocal total
            total += tensor.numel()
            return tensor

        net = UNet3D([8, 16], [[2, 2, 2]], block=block)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            net(torch.randn(1, 1, 16, 16, 16))
        return total

    assert kept(Checkpointed) < 0.6 * kept(ConvBlock)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"block": partial(Checkpointed, block=partial(ConvBlock, norm=BatchNorm))}, "take another norm"),
        ({"block": partial(SqueezeExcitation, reduction=0)}, "reduction is a whole number from 1 to 4096; found 0"),
        ({"block": partial(MedNeXtBlock, expansion=17)}, "expansion is a whole number from 1 to 16; found 17"),
        ({"block": partial(ConvNeXtBlock, expansion=2.5)}, "expansion is a whole number from 1 to 16; found 2.5"),
        ({"up": partial(MedNeXtUp, kernel=4)}, "every kernel size is odd; found 4"),
        ({"up": partial(MedNeXtUp, kernel=10**9)}, "from 1 to 31; found 1000000000"),
        (
            {"channels": [8, 1500, 1500], "kernels": [[1] * 3] * 3, "block": partial(MedNeXtBlock, expansion=16)},
            "a piece of a block has at most 33,554,432 weights; an expansion of 16 at 1500 channels makes 72,000,000",
        ),
    ],
)
def test_what_no_block_can_be_is_refused_by_name(changes, words):
    with pytest.raises(InvalidConfig, match=words):
        UNet3D(**{**SMALL, **changes})
