"""The 2D and the 3D U-Net."""

from __future__ import annotations

from typing import ClassVar

from torch import nn

from avnnet.models.decoder import Decoder
from avnnet.models.encoder import Encoder
from avnnet.models.limits import check_heads, check_stages
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.layers import BlockSlot
from avnnet.models.pieces.skips import Concat, SkipSlot
from avnnet.models.pieces.ups import TransposedConv, UpSlot
from avnnet.models.ushape import UShape, initialise
from avnnet.parts import part


class UNet(UShape):
    """A U-Net of `ndim` dimensions; use `UNet2D` or `UNet3D`.

    Args:
        channels: channels per stage, finest first; at least two stages.
        strides: stride per axis between stages, one fewer than stages, `ndim` entries each.
        kernels: kernel size per axis, one per stage; 3 everywhere by default.
        in_channels: channels of the image.
        classes: classes of the output, background included.
        block: the class of a stage's block, called as `ConvBlock`: fill this slot for an ablation.
        convs: convolutions per block; one number, or one per stage, which hold for the way up, too.
        deep_supervision: how many of the finest decoder levels have a head; 1 means no deep supervision.
        skip: the class that joins the encoder's features with the decoder's, called as `Concat`.
        up: the class of the way to the next finer stage, called as `TransposedConv`.

    Raises:
        InvalidConfig: if strides, kernels or convs do not match the stages or the dimensions, or a number is out of its
            limits (`avnnet.models.limits`).

    Source: Ronneberger et al., MICCAI 2015 (U-Net); Isensee et al., Nat Methods 2021;18:203 (strided and
    transposed convolutions, instance norm, deep supervision).

    Examples:
        >>> import torch
        >>> net = UNet3D(channels=[4, 8, 16], strides=[[1, 2, 2], [2, 2, 2]], deep_supervision=2)
        >>> net(torch.zeros(1, 1, 4, 8, 8)).shape
        torch.Size([1, 3, 4, 8, 8])
        >>> [tuple(scale.shape[2:]) for scale in net.scales(torch.zeros(1, 1, 4, 8, 8))]
        [(4, 8, 8), (4, 4, 4)]
    """

    # a network that fills neither is described as it was before there were these slots
    left_out_at_default: ClassVar[tuple[str, ...]] = ("skip", "up")

    def __init__(
        self,
        channels: list[int],
        strides: list[list[int]],
        kernels: list[list[int]] | None = None,
        in_channels: int = 1,
        classes: int = 3,
        block: BlockSlot = ConvBlock,
        convs: int | list[int] = 2,
        deep_supervision: int = 1,
        skip: SkipSlot = Concat,
        up: UpSlot = TransposedConv,
    ) -> None:
        super().__init__()
        self.channels, self.strides, self.kernels = channels, strides, kernels
        self.in_channels, self.classes, self.block, self.convs = in_channels, classes, part(block), convs
        self.deep_supervision, self.skip, self.up = deep_supervision, part(skip), part(up)
        sizes = self.sizes(kernels)
        each = check_stages(in_channels, channels, strides, sizes, convs)
        check_heads(classes, deep_supervision, len(channels))
        self.stem = nn.Identity()
        self.encoder = Encoder(self.ndim, in_channels, channels, strides, sizes, block, each)
        self.decoder = Decoder(self.ndim, channels, strides, sizes, block, each, skip, up)
        self.heads = self.heads_of(classes, deep_supervision)
        self.apply(initialise)


class UNet2D(UNet):
    """A U-Net on slices: logits `(B, classes, y, x)` of `(B, in_channels, y, x)`. Arguments as `UNet`."""

    ndim = 2


class UNet3D(UNet):
    """A U-Net on volumes: logits `(B, classes, z, y, x)` of `(B, in_channels, z, y, x)`. Arguments as `UNet`."""

    ndim = 3
