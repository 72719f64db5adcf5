"""A block that does not do what it is told is named before a training, with its stage, its stride and what came out."""

from functools import partial

import pytest
from torch import nn

from avnnet.errors import InvalidNetwork
from avnnet.models import ConvBlock, ResEncUNet3D, Slab, SqueezeExcitation, UNet2D, UNet3D, check_network, check_output
from tests.models.test_blocks import BLOCKS


class NoStride(ConvBlock):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(ndim, in_channels, out_channels, kernel, (1,) * ndim, convs)


class NoWidth(ConvBlock):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(ndim, in_channels, in_channels, kernel, stride, convs)


class OneChannel(ConvBlock):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(ndim, 1, out_channels, kernel, stride, convs)


class Unpadded(nn.Conv3d):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(in_channels, out_channels, kernel, stride)


class Several(ConvBlock):
    def forward(self, x):
        return [super().forward(x)]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (
            NoStride,
            r"^NoStride, the block of stage 2 of the encoder, .*stride \[1, 2, 2\].*must make \(1, 8, 8, 8, 8\) of "
            r"\(1, 4, 8, 16, 16\), and makes \(1, 8, 8, 16, 16\)\..* takes stride",
        ),
        (partial(SqueezeExcitation, block=NoStride), "^SqueezeExcitation of NoStride, the block of stage 2"),
        (NoWidth, r"^NoWidth, the block of stage 1 .*out_channels 4.*makes \(1, 1, 8, 16, 16\).*gives out_channels"),
        (Unpadded, r"^Unpadded, the block of stage 1 .*makes \(1, 4, 6, 14, 14\).*padded by half"),
        (Several, "^Several, the block of stage 1 .*makes list"),
        (OneChannel, "UNet3D takes no image .*: in OneChannel, the block of stage 2 of the encoder, RuntimeError"),
    ],
)
def test_c20_a_block_that_ignores_what_it_is_told_is_named_with_its_stage(block, words):
    net = UNet3D([4, 8, 16], [[1, 2, 2], [2, 2, 2]], block=block)
    with pytest.raises(InvalidNetwork, match=words):
        check_output(net, [8, 16, 16])


def test_c20_the_block_of_a_network_inside_another_is_named_too():
    inner = partial(UNet2D, channels=[4, 8], strides=[[2, 2]], block=NoStride)
    with pytest.raises(InvalidNetwork, match="NoStride, the block of stage 2"):
        check_network(Slab(inner))


def test_c20_the_blocks_of_the_way_up_are_looked_at_as_well():
    net = UNet3D([4, 8], [[2, 2, 2]])
    net.decoder.stages[0] = NoWidth(3, 8, 4, (3, 3, 3), (1, 1, 1))
    with pytest.raises(InvalidNetwork, match=r"stage 1 of the decoder.*must make \(1, 4, 8, 8, 8\).*\(1, 8, 8, 8, 8\)"):
        check_output(net, [8, 8, 8])


def test_no_block_of_ours_is_found_wrong_and_none_is_watched_afterwards():
    for block in BLOCKS:
        check_output(UNet3D([4, 8, 16], [[1, 2, 2], [2, 2, 2]], block=block), [8, 16, 16])
    net = ResEncUNet3D([4, 8], [[2, 2, 2]])
    check_output(net, [8, 8, 8])
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
