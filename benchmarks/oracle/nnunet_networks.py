"""nnU-Net's networks against avnnet's with the same weights: parameter counts, and the largest difference of logits.

Run, with the wheel of dynamic-network-architectures 0.4.4 (Apache 2.0) unpacked into DNA; it needs nothing but torch:
PYTHONPATH=DNA python benchmarks/oracle/nnunet_networks.py
`--write` also writes nnunet_networks.json, which the tests read: nnU-Net's counts of parameters, and its logits for
narrow networks whose weights follow from a formula, so that the tests need neither the package nor a random generator.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from avnnet.models import ResEncUNet2D, ResEncUNet3D, UNet2D, UNet3D

STORED = Path(__file__).with_suffix(".json")
WIDE_2D, WIDE_3D = [32, 64, 128, 256, 512, 512, 512], [32, 64, 128, 256, 320, 320]
# topologies that nnU-Net 2.8.1 plans for a hippocampus and for hips of 80 x 160 x 160 at 1 x 0.44 x 0.44 mm
PLANS = {
    "hippocampus 3d": {"channels": WIDE_3D[:4], "strides": [[2] * 3] * 3},
    "hippocampus 2d": {"channels": WIDE_2D[:4], "strides": [[2] * 2] * 3},
    "hip 3d": {
        "channels": WIDE_3D, "strides": [[1, 2, 2], *[[2] * 3] * 4], "kernels": [[1, 3, 3], *[[3] * 3] * 5],
    },
    "hip 2d": {"channels": WIDE_2D[:6], "strides": [[2] * 2] * 5},
}  # fmt: skip
OURS = {("plain", 2): UNet2D, ("plain", 3): UNet3D, ("residual", 2): ResEncUNet2D, ("residual", 3): ResEncUNet3D}


def ours(kind: str, plan: dict, narrow: int = 1) -> nn.Module:
    """Our network of a plan, with a head at every level, as nnU-Net makes them; its channels divided by `narrow`."""
    channels = [width // narrow for width in plan["channels"]]
    ndim = len(plan["strides"][0])
    return OURS[kind, ndim](**{**plan, "channels": channels, "deep_supervision": len(channels) - 1})


def theirs(kind: str, net: nn.Module) -> nn.Module:
    """nnU-Net's network of the same topology."""
    from dynamic_network_architectures.architectures.unet import PlainConvUNet, ResidualEncoderUNet

    stages = len(net.channels)
    shared = {
        "input_channels": 1, "n_stages": stages, "features_per_stage": net.channels,
        "conv_op": {2: nn.Conv2d, 3: nn.Conv3d}[net.ndim],
        "kernel_sizes": net.kernels or [[3] * net.ndim] * stages, "strides": [[1] * net.ndim, *net.strides],
        "num_classes": 3, "conv_bias": True, "norm_op": {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}[net.ndim],
        "norm_op_kwargs": {"eps": 1e-5, "affine": True}, "nonlin": nn.LeakyReLU, "nonlin_kwargs": {"inplace": True},
        "deep_supervision": True,
    }  # fmt: skip
    if kind == "plain":
        return PlainConvUNet(**shared, n_conv_per_stage=[2] * stages, n_conv_per_stage_decoder=[2] * (stages - 1))
    blocks = [1, 3, 4, 6, 6, 6, 6][:stages]
    return ResidualEncoderUNet(**shared, n_blocks_per_stage=blocks, n_conv_per_stage_decoder=[1] * (stages - 1))


def layers(part: nn.Module) -> list[nn.Module]:
    """The layers of a part that have weights, in the order in which they were made."""
    return [module for module in part.modules() if next(module.parameters(recurse=False), None) is not None]


def copy_weights(net: nn.Module, other: nn.Module) -> None:
    """Our weights into nnU-Net's network, layer by layer."""
    encoder, decoder = other.encoder, other.decoder
    pairs = [(net.encoder.stages, encoder.stages), (net.decoder.ups, decoder.transpconvs)]
    pairs += [(net.decoder.stages, decoder.stages), (net.heads, nn.ModuleList(reversed(decoder.seg_layers)))]
    if hasattr(encoder, "stem"):
        pairs.append((net.stem, encoder.stem))
    for own, foreign in pairs:
        for one, another in zip(layers(own), layers(foreign), strict=True):
            another.load_state_dict(one.state_dict())


def fill(net: nn.Module) -> None:
    """Weights by a formula: sines, of the size that He's initialisation has, and norms that scale and shift."""
    for number, (name, value) in enumerate(net.state_dict().items()):
        wave = torch.sin(torch.arange(value.numel(), dtype=torch.float64) * 1.7 + number).reshape(value.shape)
        fan = math.prod(value.shape[1:])
        is_bias = name.endswith("bias")
        value.copy_(0.1 * wave if is_bias else 1 + 0.3 * wave if value.ndim == 1 else wave * math.sqrt(4 / fan))


def image(net: nn.Module) -> Tensor:
    """An image by a formula `(1, 1, *S)`, twice as large as the strides divide it."""
    size = [2 * step for step in net.divisors]
    return torch.cos(torch.arange(math.prod(size), dtype=torch.float64) * 0.7).reshape(1, 1, *size)


def sampled(scales: list[Tensor]) -> list[list[float]]:
    """Up to eight logits of each scale, from its first to its last."""
    flat = [scale.flatten() for scale in scales]
    places = [torch.linspace(0, len(one) - 1, min(8, len(one))).long() for one in flat]
    return [one[place].tolist() for one, place in zip(flat, places, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write nnunet_networks.json")
    args = parser.parse_args()
    stored = {}
    for kind in ("plain", "residual"):
        for name, plan in PLANS.items():
            torch.manual_seed(0)
            net = ours(kind, plan).eval()
            other = theirs(kind, net).eval()
            for parameter in net.parameters():  # also what starts at 0 or 1
                parameter.data += 0.05 * torch.randn_like(parameter)
            copy_weights(net, other)
            counts = [sum(p.numel() for p in one.parameters()) for one in (net, other)]
            x = torch.randn(1, 1, *[2 * step for step in net.divisors])
            with torch.no_grad():
                off = max(float((a - b).abs().max()) for a, b in zip(net.scales(x), other(x), strict=True))
                narrow = ours(kind, plan, narrow=8).double().eval()
                fill(narrow)
                small = theirs(kind, narrow).double().eval()
                copy_weights(narrow, small)
                logits = sampled(small(image(narrow)))
            print(f"{kind:8s} {name:14s} {counts[0]:11,d} {counts[1]:11,d} largest difference {off:.1e}", flush=True)
            stored[f"{kind} {name}"] = {"parameters": counts[1], "logits": logits}
    if args.write:
        STORED.write_text(json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
