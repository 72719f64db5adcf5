"""U-Nets: `Tensor (B, C, *S)` to logits `(B, K, *S)`."""

from avnnet.models.blocks import ConvBlock
from avnnet.models.network import Network
from avnnet.models.unet import UNet, UNet2D, UNet3D
from avnnet.models.variants import ResidualBlock

__all__ = ["ConvBlock", "Network", "ResidualBlock", "UNet", "UNet2D", "UNet3D"]


def known() -> tuple[type, ...]:
    """The classes of networks and blocks that a model folder may name without being handed over.

    Examples:
        >>> [cls.__name__ for cls in known()]
        ['UNet2D', 'UNet3D', 'ConvBlock', 'ResidualBlock']
    """
    return (UNet2D, UNet3D, ConvBlock, ResidualBlock)
