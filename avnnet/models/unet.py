"""The 2D and the 3D U-Net."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.models.blocks import CONV, ConvBlock
from avnnet.models.decoder import Decoder
from avnnet.models.encoder import Encoder
from avnnet.models.limits import MAX_CLASSES, check_stages, check_whole
from avnnet.models.network import Network


class UNet(Network):
    """A U-Net of `ndim` dimensions; use `UNet2D` or `UNet3D`.

    Args:
        channels: channels per stage, finest first; at least two stages.
        strides: stride per axis between stages, one fewer than stages, `ndim` entries each.
        kernels: kernel size per axis, one per stage; 3 everywhere by default.
        in_channels: channels of the image.
        classes: classes of the output, background included.
        block: the class of a stage's block: fill this slot with a subclass of your own for an ablation.
        convs: convolutions per block.
        deep_supervision: how many of the finest decoder levels have a head; 1 means no deep supervision.

    Raises:
        InvalidConfig: if strides or kernels do not match the stages or the dimensions, or a number is out of its
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

    def __init__(
        self,
        channels: list[int],
        strides: list[list[int]],
        kernels: list[list[int]] | None = None,
        in_channels: int = 1,
        classes: int = 3,
        block: type[nn.Module] = ConvBlock,
        convs: int = 2,
        deep_supervision: int = 1,
    ) -> None:
        super().__init__()
        if not hasattr(type(self), "ndim"):
            raise InvalidConfig("UNet has no dimensions of its own: use UNet2D or UNet3D")
        self.channels, self.strides, self.kernels = channels, strides, kernels
        self.in_channels, self.classes, self.block, self.convs = in_channels, classes, block, convs
        self.deep_supervision = deep_supervision
        sizes = [[3] * self.ndim] * len(channels) if kernels is None else kernels
        self._check("strides", strides, len(channels) - 1)
        self._check("kernels", sizes, len(channels))
        check_stages(in_channels, channels, strides, sizes, convs)
        check_whole("classes", classes, 1, MAX_CLASSES)
        if not 1 <= deep_supervision <= len(channels) - 1:
            raise InvalidConfig(
                f"deep_supervision counts decoder levels, 1 to {len(channels) - 1} here; found {deep_supervision}"
            )
        self.encoder = Encoder(self.ndim, in_channels, channels, strides, sizes, block, convs)
        self.decoder = Decoder(self.ndim, channels, strides, sizes, block, convs)
        self.heads = nn.ModuleList(CONV[self.ndim](n, classes, 1) for n in channels[:deep_supervision])
        self.apply(_initialise)

    def _check(self, name: str, values: Sequence[Sequence[int]], count: int) -> None:
        if len(values) != count or any(len(entry) != self.ndim for entry in values):
            raise InvalidConfig(
                f"{type(self).__name__} with {len(self.channels)} stages needs {count} {name} of {self.ndim} "
                f"entries each; found {values}. A 2D experiment is a config of its own, not an overlay on a 3D one"
            )

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of.

        Examples:
            >>> UNet3D(channels=[4, 8, 16], strides=[[1, 2, 2], [2, 2, 2]]).divisors
            (2, 4, 4)
        """
        product = [1] * self.ndim
        for stride in self.strides:
            product = [total * step for total, step in zip(product, stride, strict=True)]
        return tuple(product)

    def forward(self, x: Tensor) -> Tensor:
        """Logits `(B, classes, *S)` of an image `(B, in_channels, *S)`.

        Examples:
            >>> import torch
            >>> UNet2D(channels=[4, 8], strides=[[2, 2]], classes=3)(torch.zeros(5, 1, 8, 8)).shape
            torch.Size([5, 3, 8, 8])
        """
        return self.heads[0](self.decoder(self.encoder(x))[0])

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits of the finest `deep_supervision` levels, finest first, for the loss."""
        decoded = self.decoder(self.encoder(x))
        return [head(features) for head, features in zip(self.heads, decoded, strict=False)]


class UNet2D(UNet):
    """A U-Net on slices: logits `(B, classes, y, x)` of `(B, in_channels, y, x)`. Arguments as `UNet`."""

    ndim = 2


class UNet3D(UNet):
    """A U-Net on volumes: logits `(B, classes, z, y, x)` of `(B, in_channels, z, y, x)`. Arguments as `UNet`."""

    ndim = 3


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d):
        nn.init.kaiming_normal_(module.weight, a=0.01)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
