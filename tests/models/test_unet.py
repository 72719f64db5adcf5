import pytest
import torch
from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.models import ConvBlock, ResidualBlock, UNet, UNet2D, UNet3D
from avnnet.recipe import build, describe


def small(**changes) -> UNet3D:
    return UNet3D(**{"channels": [4, 8, 16], "strides": [[1, 2, 2], [2, 2, 2]], "deep_supervision": 2, **changes})


def test_logits_have_the_shape_of_the_image_and_a_channel_per_class():
    assert small(classes=5)(torch.zeros(2, 1, 4, 8, 12)).shape == (2, 5, 4, 8, 12)
    net = UNet2D([4, 8], [[2, 2]], classes=2)
    assert net(torch.zeros(3, 1, 8, 6)).shape == (3, 2, 8, 6)


def test_forward_is_the_finest_of_the_scales():
    net = small()
    x = torch.randn(1, 1, 4, 8, 8)
    assert torch.equal(net(x), net.scales(x)[0])


def test_scales_halve_by_the_strides():
    shapes = [tuple(s.shape[2:]) for s in small().scales(torch.zeros(1, 1, 4, 8, 8))]
    assert shapes == [(4, 8, 8), (4, 4, 4)]


def test_the_parameter_count_of_the_abstracts_3d_net_is_that_of_nnunets_plan():
    # PlainConvUNet of nnU-Net's plan for 80 x 160 x 160 at 1 x 0.44 x 0.44 mm, recomputed from its rules:
    # two convolutions per stage, transposed convolutions with kernel = stride, a 1x1 head per supervised level
    channels, kernels = [32, 64, 128, 256, 320, 320], [9] + [27] * 5
    strides = [4, 8, 8, 8, 8]
    conv = lambda a, b, k: a * b * k + 3 * b  # noqa: E731 - weight, bias, norm weight and norm bias
    expected = 0
    before = 1
    for width, kernel in zip(channels, kernels, strict=True):
        expected += conv(before, width, kernel) + conv(width, width, kernel)
        before = width
    for level in range(4, -1, -1):
        up, width = channels[level + 1], channels[level]
        expected += up * width * strides[level] + width
        expected += conv(2 * width, width, kernels[level]) + conv(width, width, kernels[level])
    expected += sum(3 * width + 3 for width in channels[:4])
    net = UNet3D(
        channels,
        [[1, 2, 2]] + [[2, 2, 2]] * 4,
        [[1, 3, 3]] + [[3, 3, 3]] * 5,
        deep_supervision=4,
    )
    assert sum(p.numel() for p in net.parameters()) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"strides": [[2, 2], [2, 2]]},
        {"strides": [[2, 2, 2]]},
        {"kernels": [[3, 3, 3]]},
        {"deep_supervision": 3},
        {"deep_supervision": 0},
    ],
)
def test_settings_that_do_not_fit_the_dimensions_are_refused(changes):
    with pytest.raises(InvalidConfig):
        small(**changes)


def test_the_base_class_has_no_dimensions():
    with pytest.raises(InvalidConfig, match="UNet2D or UNet3D"):
        UNet([4, 8], [[2, 2]])


def test_a_block_of_ones_own_fills_every_stage():
    class Wide(ConvBlock):
        pass

    net = small(block=Wide)
    assert sum(isinstance(module, Wide) for module in net.modules()) == 5


def test_a_network_is_rebuilt_from_its_description():
    net = small(kernels=[[1, 3, 3], [3, 3, 3], [3, 3, 3]])
    again = build(describe(net), [UNet3D, ConvBlock])
    again.load_state_dict(net.state_dict())
    x = torch.randn(1, 1, 4, 8, 8)
    assert torch.equal(net(x), again(x))


def test_a_residual_block_of_zero_weights_is_its_shortcut():
    block = ResidualBlock(3, 2, 2, (3, 3, 3), (1, 2, 2))
    for parameter in block.layers.parameters():
        nn.init.zeros_(parameter)
    x = torch.randn(1, 2, 3, 5, 8)
    assert torch.equal(block(x), nn.functional.avg_pool3d(x, (1, 2, 2), ceil_mode=True))


@pytest.mark.parametrize("size", [(4, 8, 8), (5, 7, 9)])
def test_a_residual_block_has_the_shape_of_a_plain_one(size):
    plain, residual = (kind(3, 2, 6, (3, 3, 3), (2, 2, 1)) for kind in (ConvBlock, ResidualBlock))
    x = torch.randn(1, 2, *size)
    assert residual(x).shape == plain(x).shape


def test_every_parameter_gets_a_gradient_from_the_scales():
    net = small()
    sum(scale.square().mean() for scale in net.scales(torch.randn(1, 1, 4, 8, 8))).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


def test_a_brighter_image_gives_the_same_logits_after_instance_norm():
    net = nn.Sequential(ConvBlock(3, 1, 4, (3, 3, 3), (1, 1, 1))).double()
    x = torch.randn(1, 1, 6, 6, 6, dtype=torch.double)
    inner = (slice(None), slice(None), slice(2, -2), slice(2, -2), slice(2, -2))
    assert torch.allclose(net(x)[inner], net(3 * x)[inner], atol=1e-4)


def test_divisors_are_the_product_of_the_strides():
    assert small().divisors == (2, 4, 4)
