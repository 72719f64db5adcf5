"""Networks: `Tensor (B, C, *S)` to logits `(B, K, *S)`."""

from avnnet.models.blocks import ConvBlock
from avnnet.models.check import check_network, check_output
from avnnet.models.foreign import Foreign
from avnnet.models.network import Network, NetworkLike, keeps_contract, own_classes
from avnnet.models.regions import NestedRegions
from avnnet.models.slab import Slab
from avnnet.models.unet import UNet, UNet2D, UNet3D
from avnnet.models.variants import ResidualBlock

__all__ = [
    "ConvBlock",
    "Foreign",
    "NestedRegions",
    "Network",
    "NetworkLike",
    "ResidualBlock",
    "Slab",
    "UNet",
    "UNet2D",
    "UNet3D",
    "check_network",
    "check_output",
    "keeps_contract",
    "own_classes",
]


def known() -> tuple[type, ...]:
    """The classes of networks and blocks that a model folder may name without being handed over.

    Examples:
        >>> [cls.__name__ for cls in known()]
        ['UNet2D', 'UNet3D', 'Foreign', 'NestedRegions', 'Slab', 'ConvBlock', 'ResidualBlock']
    """
    return (UNet2D, UNet3D, Foreign, NestedRegions, Slab, ConvBlock, ResidualBlock)
