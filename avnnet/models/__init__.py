"""U-Nets: `Tensor (B, C, *S)` to logits `(B, K, *S)`."""

from avnnet.models.blocks import ConvBlock
from avnnet.models.unet import UNet, UNet2D, UNet3D
from avnnet.models.variants import ResidualBlock

__all__ = ["ConvBlock", "ResidualBlock", "UNet", "UNet2D", "UNet3D"]
