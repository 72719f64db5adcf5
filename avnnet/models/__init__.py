"""Networks: `Tensor (B, C, *S)` to logits `(B, K, *S)`, and the pieces that fill their slots."""

from avnnet.models.check import check_network, check_output
from avnnet.models.foreign import Foreign
from avnnet.models.network import Network, NetworkLike, keeps_contract, own_classes
from avnnet.models.pieces.acts import LeakyReLU
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.nextblocks import ConvNeXtBlock, MedNeXtBlock, MedNeXtUp
from avnnet.models.pieces.norms import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from avnnet.models.pieces.residual import ResEncBlock
from avnnet.models.pieces.skips import Add, AttentionGate, Concat
from avnnet.models.pieces.ups import TransposedConv
from avnnet.models.pieces.variants import ResidualBlock
from avnnet.models.pieces.wrappers import Checkpointed, SqueezeExcitation
from avnnet.models.regions import NestedRegions
from avnnet.models.resenc import ResEncUNet, ResEncUNet2D, ResEncUNet3D
from avnnet.models.slab import Slab
from avnnet.models.unet import UNet, UNet2D, UNet3D

NETWORKS = (UNet2D, UNet3D, ResEncUNet2D, ResEncUNet3D, Foreign, NestedRegions, Slab)
BLOCKS = (ConvBlock, ResidualBlock, ResEncBlock, ConvNeXtBlock, MedNeXtBlock, SqueezeExcitation, Checkpointed)
NORMS = (InstanceNorm, GroupNorm, BatchNorm, LayerNorm)
ACTS = (LeakyReLU,)
JOINTS = (Concat, Add, AttentionGate, TransposedConv, MedNeXtUp)

__all__ = [
    "Add",
    "AttentionGate",
    "BatchNorm",
    "Checkpointed",
    "Concat",
    "ConvBlock",
    "ConvNeXtBlock",
    "Foreign",
    "GroupNorm",
    "InstanceNorm",
    "LayerNorm",
    "LeakyReLU",
    "MedNeXtBlock",
    "MedNeXtUp",
    "NestedRegions",
    "Network",
    "NetworkLike",
    "ResEncBlock",
    "ResEncUNet",
    "ResEncUNet2D",
    "ResEncUNet3D",
    "ResidualBlock",
    "Slab",
    "SqueezeExcitation",
    "TransposedConv",
    "UNet",
    "UNet2D",
    "UNet3D",
    "check_network",
    "check_output",
    "keeps_contract",
    "own_classes",
]


def known() -> tuple[type, ...]:
    """The classes of networks and their pieces that a model folder may name without being handed over.

    Examples:
        >>> [cls.__name__ for cls in known()[:2]]
        ['UNet2D', 'UNet3D']
    """
    return (*NETWORKS, *BLOCKS, *NORMS, *ACTS, *JOINTS)
