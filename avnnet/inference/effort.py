"""What a trained network costs where it is used: megabytes, operations and seconds of one hip."""

from __future__ import annotations

import time
from collections.abc import Sequence
from math import prod

import pandas as pd
import torch

from avnnet.inference.engines import Engine
from avnnet.inference.member import Member
from avnnet.inference.windows import window_starts
from avnnet.models.cost import forward_gflop, parameter_count

MEBI = 1 << 20


def shape_seen(member: Member, members: Sequence[Member]) -> list[int]:
    """The voxels `(z, y, x)` that a network sees of one hip: its crop; of whole images, the largest patch of its model.

    Images are of any size, and all networks that see them whole are to be held against each other on one.

    Args:
        member: the network.
        members: those of its model.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> whole = Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "whole")
        >>> cropped = Member(net, Preprocess([1, 1, 1], crop=[8, 16, 16]), Tiling([8, 8, 8]), "cropped")
        >>> shape_seen(whole, [whole, cropped]), shape_seen(cropped, [whole, cropped])
        ([8, 8, 8], [8, 16, 16])
    """
    return member.preprocess.crop or max((one.tiling.patch for one in members), key=prod)


def passes(member: Member, shape: Sequence[int]) -> int:
    """How many tiles a network sees of a prepared image, each mirror image and, of a 2D network, each slice counted.

    Args:
        member: the network.
        shape: voxels `(z, y, x)` of the prepared image.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet2D
        >>> net = UNet2D(channels=[2, 4], strides=[[2, 2]])
        >>> passes(Member(net, Preprocess([1, 1, 1]), Tiling([5, 8, 8], mirror_axes=[2]), "unet2d"), [5, 8, 12])
        20
    """
    tiling, ndim = member.tiling, member.net.ndim
    counts = [
        len(window_starts(max(size, patch), patch, tiling.overlap))
        for size, patch in zip(shape[-ndim:], tiling.patch[-ndim:], strict=True)
    ]
    slices = shape[0] if ndim == 2 else 1
    return prod(counts) * slices * len(tiling.flips(ndim))


def hip_gflop(member: Member, shape: Sequence[int]) -> float:
    """The operations of a network for a prepared image, in thousand millions (`models.cost.forward_gflop`).

    Args:
        member: the network.
        shape: voxels `(z, y, x)` of the prepared image.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> once, mirrored = (Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8], axes), "n") for axes in ([], [0, 2]))
        >>> hip_gflop(mirrored, [8, 8, 8]) / hip_gflop(once, [8, 8, 8])
        4.0
    """
    ndim = member.net.ndim
    tile = forward_gflop(member.net, (1, member.net.in_channels, *member.tiling.patch[-ndim:]))
    return tile * passes(member, shape)


def cost_table(members: Sequence[Member]) -> pd.DataFrame:
    """A row per configuration: how many networks it has, and what one of them costs.

    Args:
        members: of a model.

    Returns:
        network, n_networks, parameters, mebibytes, voxels (those seen of a hip, z x y x x), gflop (of these).

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> member = Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")
        >>> cost_table([member, member])[["network", "n_networks", "voxels"]].to_numpy().tolist()
        [['unet3d', 2, '8 x 8 x 8']]
    """
    rows = []
    for name in dict.fromkeys(member.name for member in members):
        alike = [member for member in members if member.name == name]
        net, shape = alike[0].net, shape_seen(alike[0], members)
        size = sum(value.numel() * value.element_size() for value in net.state_dict().values()) / MEBI
        voxels, gflop = " x ".join(map(str, shape)), round(hip_gflop(alike[0], shape), 3)
        costs = {"parameters": parameter_count(net), "mebibytes": round(size, 2), "voxels": voxels, "gflop": gflop}
        rows.append({"network": name, "n_networks": len(alike), **costs})
    return pd.DataFrame(rows)


def hip_seconds(member: Member, members: Sequence[Member], engine: Engine | None = None) -> float:
    """How long a network takes for one hip on this machine, measured now; without reading, preparing and measuring.

    Args:
        member: the network.
        members: those of its model.
        engine: what computes; torch in float32 by default.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet3D
        >>> member = Member(UNet3D([2, 4], [[2, 2, 2]]), Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")
        >>> 0 < hip_seconds(member, [member]) < 60
        True
    """
    image = torch.zeros(member.net.in_channels, *shape_seen(member, members))
    start = time.perf_counter()
    (engine or Engine()).probabilities(member.net, image, member.tiling)
    return time.perf_counter() - start
