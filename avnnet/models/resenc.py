"""nnU-Net's U-Net with a residual encoder, in 2D and in 3D."""

from __future__ import annotations

from avnnet.models.decoder import Decoder
from avnnet.models.encoder import Encoder
from avnnet.models.limits import check_heads, check_stages
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.layers import BlockSlot
from avnnet.models.pieces.residual import ResEncBlock
from avnnet.models.ushape import UShape, initialise
from avnnet.parts import part

NUMBERS = [1, 3, 4, 6]  # and 6 from there on


class ResEncUNet(UShape):
    """A U-Net of `ndim` dimensions with a stem, a deep residual encoder and a thin plain decoder.

    Use `ResEncUNet2D` or `ResEncUNet3D`.

    Args:
        channels: channels per stage, finest first; at least two stages.
        strides: stride per axis between stages, one fewer than stages, `ndim` entries each.
        kernels: kernel size per axis, one per stage; 3 everywhere by default.
        in_channels: channels of the image.
        classes: classes of the output, background included.
        block: the class of an encoder stage, called as `ResEncBlock`.
        blocks: residual blocks per stage; nnU-Net's 1, 3, 4, 6, 6, 6, ... by default.
        convs: convolutions of a decoder stage.
        deep_supervision: how many of the finest decoder levels have a head; 1 means no deep supervision.

    Raises:
        InvalidConfig: if strides, kernels or blocks do not match the stages or the dimensions, or a number is out of
            its limits (`avnnet.models.limits`).

    Source: Isensee et al., MICCAI 2024, arXiv:2404.09556; weights of its `ResidualEncoderUNet` give the same logits.

    Examples:
        >>> import torch
        >>> net = ResEncUNet3D(channels=[4, 8, 16], strides=[[1, 2, 2], [2, 2, 2]])
        >>> [len(stage.blocks) for stage in net.encoder.stages], net(torch.zeros(1, 1, 4, 8, 8)).shape
        ([1, 3, 4], torch.Size([1, 3, 4, 8, 8]))
    """

    def __init__(
        self,
        channels: list[int],
        strides: list[list[int]],
        kernels: list[list[int]] | None = None,
        in_channels: int = 1,
        classes: int = 3,
        block: BlockSlot = ResEncBlock,
        blocks: list[int] | None = None,
        convs: int = 1,
        deep_supervision: int = 1,
    ) -> None:
        super().__init__()
        self.channels, self.strides, self.kernels = channels, strides, kernels
        self.in_channels, self.classes, self.block, self.blocks = in_channels, classes, part(block), blocks
        self.convs, self.deep_supervision = convs, deep_supervision
        sizes = self.sizes(kernels)
        default = [*NUMBERS, *[NUMBERS[-1]] * len(channels)][: len(channels)]
        numbers = check_stages(in_channels, channels, strides, sizes, default if blocks is None else blocks, deep=2)
        decoding = check_stages(channels[0], channels, strides, sizes, convs)
        check_heads(classes, deep_supervision, len(channels))
        self.stem = ConvBlock(self.ndim, in_channels, channels[0], sizes[0], (1,) * self.ndim, 1)
        self.encoder = Encoder(self.ndim, channels[0], channels, strides, sizes, block, numbers)
        self.decoder = Decoder(self.ndim, channels, strides, sizes, ConvBlock, decoding)
        self.heads = self.heads_of(classes, deep_supervision)
        self.apply(initialise)


class ResEncUNet2D(ResEncUNet):
    """A residual-encoder U-Net on slices `(B, in_channels, y, x)`. Arguments as `ResEncUNet`."""

    ndim = 2


class ResEncUNet3D(ResEncUNet):
    """A residual-encoder U-Net on volumes `(B, in_channels, z, y, x)`. Arguments as `ResEncUNet`."""

    ndim = 3
