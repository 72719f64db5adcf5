"""Where in a large image a head can be, so that not every network slides over all of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import max_pool3d

from avnnet.data.preprocess import Placement, Prepared
from avnnet.inference.engines import Engine
from avnnet.inference.member import Member
from avnnet.inference.tiling import Tiling
from avnnet.inference.windows import window_starts

MANY_TILES = 64
"""Of fewer, all networks see all."""
LEAST_PROBABILITY = 0.02
"""Of anything but background by the scout: below it, and with nothing above it near by, nobody else looks."""
NEAR_MM = 12.0
EDGE_VOXELS = 2
"""Around what was found, so that the way back interpolates its edge."""


def scout_of(members: Sequence[Member]) -> Member:
    """The network that looks first: the first one of three axes, which needs the fewest tiles.

    Args:
        members: of an ensemble.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.models import UNet2D, UNet3D
        >>> nets = [UNet2D([2, 4], [[2, 2]]), UNet3D([2, 4], [[2, 2, 2]])]
        >>> scout_of([Member(net, Preprocess([1, 1, 1]), Tiling([4, 4, 4]), f"{net.ndim}d") for net in nets]).name
        '3d'
    """
    return next((member for member in members if member.net.ndim == 3), members[0])


def tiles_over(shape: Sequence[int], tiling: Tiling) -> int:
    """How many tiles lie over an image.

    Args:
        shape: voxels per axis `(z, y, x)`.
        tiling: tile size and overlap.

    Examples:
        >>> tiles_over((80, 160, 160), Tiling([80, 160, 160])), tiles_over((80, 160, 160), Tiling([40, 80, 80]))
        (1, 27)
    """
    return math.prod(
        len(window_starts(max(n, tile), tile, tiling.overlap)) for n, tile in zip(shape, tiling.patch, strict=True)
    )


def where_to_look(members: Sequence[Member], prepared: Mapping[str, Prepared], engine: Engine) -> dict[str, Tensor]:
    """The prepared voxels `(z, y, x)`, bool, near which something can be, by preparation; none for images not large.

    The scout's tiles lie beside each other, and it sees no mirror image: an eighth of the work of a network.

    Args:
        members: of an ensemble.
        prepared: the image by the name of its preparation.
        engine: what computes.
    """
    scout = scout_of(members)
    here = prepared[scout.preparation]
    shape = here.image.shape[1:]
    if len(members) == 1 or here.is_cropped or tiles_over(shape, scout.tiling) < MANY_TILES:
        return {}
    found = 1 - engine.probabilities(scout.net, here.image, scout.tiling.at_a_glance())[0] > LEAST_PROBABILITY
    near = found.float()[None, None]
    for axis, step in enumerate(here.placement.spacing_mm):  # a box reaches as far along each axis
        size = [1, 1, 1]
        size[axis] = 2 * math.ceil(NEAR_MM / step) + 1
        near = max_pool3d(near, size, stride=1, padding=[n // 2 for n in size])
    chosen = {scout.preparation: near[0, 0] > 0}
    if len(prepared) > 1:
        whole = scout.preprocess.restore(torch.cat([1 - near[0], near[0]]), here.placement)
        mask = whole.full()[1] > 0
        for name, other in prepared.items():
            if name != scout.preparation:
                chosen[name] = torch.from_numpy(other.placement.onto(mask, other.image.shape[1:]))
    return chosen


def cut_out(probabilities: Tensor, placement: Placement) -> tuple[Tensor, Placement]:
    """The box that holds all that can be something, and where it lies: only this goes the way back to a large image.

    Args:
        probabilities: `(K, z, y, x)` of prepared voxels.
        placement: where they lie.

    Examples:
        >>> from avnnet.data.orientation import Orientation
        >>> from avnnet.grid import Grid
        >>> straight = Orientation((0, 1, 2), (False, False, False))
        >>> place = Placement(Grid((1, 1, 60)), straight, (0.0, 0.0, 0.0), (1.0, 1.0, 2.0))
        >>> one = torch.zeros(2, 1, 1, 30)
        >>> one[0], one[:, :, :, 12] = 1, 0.5
        >>> box, where = cut_out(one, place)
        >>> box.shape, where.start_mm
        (torch.Size([2, 1, 1, 5]), (0.0, 0.0, 20.0))
    """
    found = (probabilities[0] < 1 - LEAST_PROBABILITY).nonzero()
    if not len(found):
        found = found.new_zeros((1, 3))
    first = (found.amin(dim=0) - EDGE_VOXELS).clamp_min(0)
    stop = torch.minimum(found.amax(dim=0) + EDGE_VOXELS + 1, torch.tensor(probabilities.shape[1:]))
    box = tuple(slice(int(a), int(b)) for a, b in zip(first, stop, strict=True))
    start = zip(placement.start_mm, first.tolist(), placement.spacing_mm, strict=True)
    return probabilities[(slice(None), *box)], replace(
        placement, start_mm=tuple(mm + n * step for mm, n, step in start)
    )
