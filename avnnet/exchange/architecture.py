"""The `architecture` of nnU-Net's plans: written of our U-Nets, and read back as one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from avnnet.errors import InvalidResults, NotCarried
from avnnet.exchange.names import TwinUNet
from avnnet.models import NetworkLike, ResEncUNet2D, ResEncUNet3D, UNet2D, UNet3D
from avnnet.models.pieces.blocks import ConvBlock
from avnnet.models.pieces.residual import ResEncBlock
from avnnet.models.pieces.skips import Concat
from avnnet.models.pieces.ups import TransposedConv
from avnnet.models.resenc import NUMBERS, ResEncUNet
from avnnet.models.unet import UNet

PACKAGE = "dynamic_network_architectures.architectures"
PLAIN, RESIDUAL = "PlainConvUNet", "ResidualEncoderUNet"
OURS: dict[tuple[str, int], type[UNet2D | UNet3D | ResEncUNet2D | ResEncUNet3D]] = {
    (PLAIN, 2): UNet2D, (PLAIN, 3): UNet3D, (RESIDUAL, 2): ResEncUNet2D, (RESIDUAL, 3): ResEncUNet3D,
}  # fmt: skip
BLOCKS = {PLAIN: "n_conv_per_stage", RESIDUAL: "n_blocks_per_stage"}
SHAPES = ("n_stages", "features_per_stage", "kernel_sizes", "strides", "n_conv_per_stage_decoder")
# what our blocks are made of; anything else in plans gives other logits
FIXED: dict[str, tuple[Any, ...]] = {
    "conv_bias": (True,),
    "norm_op_kwargs": ({"eps": 1e-05, "affine": True},),
    "dropout_op": (None,),
    "dropout_op_kwargs": (None, {}),
    "nonlin": ("torch.nn.LeakyReLU", "torch.nn.modules.activation.LeakyReLU"),
    "nonlin_kwargs": ({"inplace": True}, {}, None),
}
FREE = ("deep_supervision", "nonlin_first")  # the one changes no weight, the other is asked below


def twin(net: NetworkLike, name: str) -> TwinUNet:
    """The network itself, if nnU-Net has the same.

    Args:
        net: of a model.
        name: of the model's member, for the message.

    Raises:
        NotCarried: if it is another, or its slots are filled with other classes.

    Examples:
        >>> net = UNet3D([4, 8], [[2, 2, 2]])
        >>> twin(net, "unet3d") is net
        True
    """
    odd: list[object] = []
    if isinstance(net, UNet):
        odd = [
            one
            for one, usual in ((net.block, ConvBlock), (net.skip, Concat), (net.up, TransposedConv))
            if one is not usual
        ]
    elif isinstance(net, ResEncUNet):
        odd = [] if net.block is ResEncBlock else [net.block]
    if type(net) not in OURS.values() or odd:
        what = f"{type(net).__name__} with {odd[0]}" if odd else f"a {type(net).__name__}"
        raise NotCarried(
            f"nnU-Net has avnnet's UNet2D, UNet3D, ResEncUNet2D and ResEncUNet3D with the blocks that they have by "
            f"default; {name} is {what[:200]}"
        )
    return net  # type: ignore[return-value]  # one of the four


def architecture_of(net: TwinUNet) -> dict[str, Any]:
    """The `architecture` of a configuration in `plans.json`.

    Args:
        net: with the blocks that it has by default.

    Examples:
        >>> made = architecture_of(UNet3D([4, 8], [[1, 2, 2]]))
        >>> made["arch_kwargs"]["strides"], made["arch_kwargs"]["n_conv_per_stage"]
        ([[1, 1, 1], [1, 2, 2]], [2, 2])
    """
    stages, ndim = len(net.channels), net.ndim
    kind = PLAIN if isinstance(net, UNet) else RESIDUAL
    if isinstance(net, UNet):
        encoding = [net.convs] * stages if isinstance(net.convs, int) else list(net.convs)
        decoding = encoding[-2::-1]  # theirs begin with the coarsest
    else:
        encoding = list(net.blocks or [*NUMBERS, *[NUMBERS[-1]] * stages][:stages])
        decoding = [net.convs] * (stages - 1)
    return {
        "network_class_name": f"{PACKAGE}.unet.{kind}",
        "arch_kwargs": {
            "n_stages": stages,
            "features_per_stage": list(net.channels),
            "conv_op": f"torch.nn.modules.conv.Conv{ndim}d",
            "kernel_sizes": [list(kernel) for kernel in net.sizes(net.kernels)],
            "strides": [[1] * ndim, *map(list, net.strides)],
            BLOCKS[kind]: encoding,
            "n_conv_per_stage_decoder": decoding,
            "conv_bias": True,
            "norm_op": f"torch.nn.modules.instancenorm.InstanceNorm{ndim}d",
            "norm_op_kwargs": {"eps": 1e-05, "affine": True},
            "dropout_op": None,
            "dropout_op_kwargs": None,
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    }


def network_of(architecture: Any, *, channels: int, classes: int) -> TwinUNet:
    """Our network of an `architecture`, with a head at every level; its weights are drawn.

    Args:
        architecture: of a configuration in `plans.json`.
        channels: of an image.
        classes: background included.

    Raises:
        NotCarried: if the network is none of ours.
        InvalidResults: if keys are missing.
        InvalidConfig: if a number is out of the limits of `avnnet.models.limits`.

    Examples:
        >>> net = UNet2D([4, 8], [[2, 2]], convs=[1, 2])
        >>> network_of(architecture_of(net), channels=1, classes=3).convs
        [1, 2]
    """
    if not isinstance(architecture, Mapping) or not isinstance(architecture.get("arch_kwargs"), Mapping):
        raise InvalidResults(
            "plans.json lacks the architecture of its network; nnU-Net writes it since version 2.4. Open the results "
            "with a newer nnU-Net and plan again"
        )
    path, kwargs = str(architecture.get("network_class_name")), architecture["arch_kwargs"]
    kind = path.rpartition(".")[2]
    if kind not in BLOCKS or not path.startswith(f"{PACKAGE}."):
        raise NotCarried(f"avnnet has {PLAIN} and {RESIDUAL} of nnU-Net; plans.json names {path[:200]}")
    lacking = [key for key in (*SHAPES, BLOCKS[kind], "conv_op") if key not in kwargs]
    if lacking:
        raise InvalidResults(f"the architecture in plans.json lacks {', '.join(lacking)}; copy it again")
    ndim = {"Conv2d": 2, "Conv3d": 3}.get(str(kwargs["conv_op"]).rpartition(".")[2], 0)
    if not ndim:
        raise NotCarried(f"avnnet has convolutions of 2 and 3 axes; plans.json names {str(kwargs['conv_op'])[:80]}")
    _check_fixed(kwargs, kind, ndim)
    stages = kwargs["n_stages"]
    lists = {key: kwargs[key] for key in (*SHAPES[1:], BLOCKS[kind])}
    odd = next((key for key, value in lists.items() if not _is_per_stage(key, value)), None)
    if odd or len(lists["features_per_stage"]) != stages or lists["strides"][:1] != [[1] * ndim]:
        raise NotCarried(
            "avnnet's networks have a list per stage, and full size in the first; plans.json has "
            f"{str(lists[odd] if odd else lists['strides'][:1])[:80]}"
        )
    shared: dict[str, Any] = {
        "in_channels": channels,
        "classes": classes,
        "deep_supervision": max(len(lists["strides"]) - 1, 1),
    }
    shape: dict[str, Any] = {
        "channels": lists["features_per_stage"],
        "strides": lists["strides"][1:],
        "kernels": lists["kernel_sizes"],
    }
    encoding, decoding = lists[BLOCKS[kind]], lists["n_conv_per_stage_decoder"]
    if kind == PLAIN:
        if decoding != encoding[-2::-1]:
            raise NotCarried(
                f"avnnet's decoder has as many convolutions as its encoder; plans.json has {encoding} and {decoding}"
            )
        return OURS[kind, ndim](**shape, **shared, convs=encoding)
    if len(set(map(str, decoding))) != 1:
        raise NotCarried(f"avnnet's residual U-Net decodes every level alike; plans.json has {decoding}")
    return OURS[kind, ndim](**shape, **shared, blocks=encoding, convs=decoding[0])  # type: ignore[call-arg]


def _is_per_stage(key: str, value: Any) -> bool:
    has_axes = key in ("kernel_sizes", "strides")
    return isinstance(value, list) and (not has_axes or all(isinstance(entry, list) for entry in value))


def _check_fixed(kwargs: Mapping[str, Any], kind: str, ndim: int) -> None:
    norms = (f"torch.nn.modules.instancenorm.InstanceNorm{ndim}d", f"torch.nn.InstanceNorm{ndim}d")
    for key, usual in {**FIXED, "norm_op": norms}.items():
        if kwargs.get(key) not in usual:
            raise NotCarried(
                f"avnnet's blocks have {key} {usual[0]}; plans.json has {str(kwargs.get(key))[:80]}. Such weights give "
                "other logits in avnnet"
            )
    known = {*FIXED, *SHAPES, *FREE, BLOCKS[kind], "conv_op", "norm_op"}
    other = sorted(key for key in kwargs if key not in known and kwargs[key] is not None)
    if kwargs.get("nonlin_first"):
        other.insert(0, "nonlin_first")
    if other:
        raise NotCarried(
            f"avnnet's networks have no {other[0][:80]}; plans.json sets it to {str(kwargs[other[0]])[:80]}"
        )
