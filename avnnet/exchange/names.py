"""The weights of a U-Net by the names that nnU-Net gives them.

nnU-Net's layers stand in two places each (`conv` and `all_modules.0`), and its encoder in the decoder once more, so
that one weight has two or four names there. None of its code is needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from avnnet.errors import NotCarried
from avnnet.models.resenc import ResEncUNet
from avnnet.models.unet import UNet

TwinUNet = UNet | ResEncUNet
LAYERS = 3  # of a convolution in a block: itself, its norm, its activation
KINDS = {0: "conv", 1: "norm"}
TWINS = {"conv": "all_modules.0", "norm": "all_modules.1"}
WRAPPED = re.compile(r"^(module\.|_orig_mod\.)+")  # by DataParallel, by torch.compile


def nnunet_names(net: TwinUNet) -> dict[str, list[str]]:
    """The names of each of our weights in nnU-Net's `network_weights`.

    Args:
        net: of blocks that nnU-Net has too.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> nnunet_names(UNet2D([4, 8], [[2, 2]]))["decoder.stages.0.layers.4.bias"]
        ['decoder.stages.0.convs.1.norm.bias', 'decoder.stages.0.convs.1.all_modules.1.bias']
    """
    found = {}
    for name in net.state_dict():
        first = _first_name(name, net)
        names = [first]
        for kind, twin in TWINS.items():
            if f".{kind}." in first:
                names.append(first.replace(f".{kind}.", f".{twin}."))
        if first.startswith("encoder."):
            names += [f"decoder.{one}" for one in names]
        found[name] = names
    return found


def _first_name(name: str, net: TwinUNet) -> str:
    match name.split("."):
        case ["heads", level, leaf]:  # theirs begin with the coarsest
            return f"decoder.seg_layers.{len(net.channels) - 2 - int(level)}.{leaf}"
        case ["decoder", "ups", number, leaf]:
            return f"decoder.transpconvs.{number}.{leaf}"
        case ["stem", "layers", place, leaf]:
            return f"encoder.stem.convs.{_layer(place, leaf)}"
        case ["encoder", "stages", stage, "layers", place, leaf]:
            return f"encoder.stages.{stage}.0.convs.{_layer(place, leaf)}"
        case ["decoder", "stages", stage, "layers", place, leaf]:
            return f"decoder.stages.{stage}.convs.{_layer(place, leaf)}"
        case ["encoder", "stages", stage, "blocks", block, "layers", place, leaf]:
            conv = int(place) // LAYERS + 1
            return f"encoder.stages.{stage}.blocks.{block}.conv{conv}.{KINDS[int(place) % LAYERS]}.{leaf}"
        case ["encoder", "stages", stage, "blocks", block, "past", place, leaf]:
            past = f"encoder.stages.{stage}.blocks.{block}.past"
            pools = len(list(net.get_submodule(past).children())) - 2  # a pool comes first where the block has a stride
            return f"{past.removesuffix('past')}skip.{pools}.{KINDS[int(place) - pools]}.{leaf}"
    raise NotCarried(f"nnU-Net has no place for the weight {name}; export a U-Net of plain or residual blocks")


def _layer(place: str, leaf: str) -> str:
    return f"{int(place) // LAYERS}.{KINDS[int(place) % LAYERS]}.{leaf}"


def to_nnunet(net: TwinUNet) -> dict[str, Tensor]:
    """nnU-Net's `network_weights` of a network; levels without a head get one of zeros, which prediction never asks.

    Args:
        net: of blocks that nnU-Net has too.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> weights = to_nnunet(UNet2D([4, 8, 16], [[2, 2], [2, 2]]))  # with one head
        >>> weights["decoder.seg_layers.1.bias"].tolist(), weights["decoder.seg_layers.0.weight"].shape
        ([0.0, 0.0, 0.0], torch.Size([3, 8, 1, 1]))
    """
    own = {name: value.detach().cpu().float().contiguous() for name, value in net.state_dict().items()}
    given = {theirs: own[ours] for ours, names in nnunet_names(net).items() for theirs in names}
    for level in range(len(net.heads), len(net.channels) - 1):
        place = f"decoder.seg_layers.{len(net.channels) - 2 - level}"
        given[f"{place}.weight"] = torch.zeros(net.classes, net.channels[level], *[1] * net.ndim)
        given[f"{place}.bias"] = torch.zeros(net.classes)
    return given


def load_nnunet(net: TwinUNet, weights: Mapping[str, Tensor]) -> None:
    """Loads nnU-Net's `network_weights` into a network that they fit exactly.

    Args:
        net: with a head at every level, as nnU-Net's.
        weights: by nnU-Net's names.

    Raises:
        NotCarried: if a weight is missing, has another shape, is not finite or has no place in our network, or the two
            places of a layer differ.
    """
    found = {WRAPPED.sub("", name): value for name, value in weights.items()}
    own = net.state_dict()
    taken = {}
    for ours, names in nnunet_names(net).items():
        there = [found.pop(name) for name in names if name in found]
        if not there or tuple(there[0].shape) != tuple(own[ours].shape):
            what = f"has {tuple(there[0].shape)}" if there else "is missing"
            raise NotCarried(
                f"plans.json promises {names[0]} of {tuple(own[ours].shape)}; in the checkpoint it {what}. Its trainer "
                "built another network than its plans say, or they are not of one training"
            )
        if not all(torch.isfinite(one).all() for one in there):
            raise NotCarried(f"the checkpoint holds NaN or infinite weights in {names[0]}; train again")
        if any(not torch.equal(one, there[0]) for one in there[1:]):
            raise NotCarried(f"the checkpoint holds {names[0]} twice, and not the same; copy it again")
        taken[ours] = there[0].to(own[ours].dtype)
    if found:
        raise NotCarried(
            f"the checkpoint holds {len(found)} weights that no network of plans.json has, such as "
            f"{sorted(found)[0][:80]}; its trainer built another network than its plans say"
        )
    net.load_state_dict(taken)
