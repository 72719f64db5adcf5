"""The ensemble of networks, folds and configurations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avnnet.data.softmax import Softmax
from avnnet.errors import GeometryMismatch

ENSEMBLE = "ensemble"
"""The reader of the ensemble in all tables."""


def mean_softmax(members: Sequence[Softmax]) -> Softmax:
    """The ensemble: the voxel-wise mean of the members' probabilities, in the box that holds all of theirs.

    Args:
        members: probabilities of the same image by different networks, folds or configurations.

    Raises:
        GeometryMismatch: if there is no member, or they lie on different grids.

    Source: Isensee et al., Nat Methods 2021;18:203 (configurations are ensembled by averaging softmax).

    Examples:
        >>> from avnnet.grid import Grid
        >>> grid = Grid((1, 1, 2))
        >>> a = Softmax(np.array([[[[0.9]]], [[[0.1]]]], np.float32), (0, 0, 0), grid)
        >>> b = Softmax(np.array([[[[0.5, 0.2]]], [[[0.5, 0.8]]]], np.float32), (0, 0, 0), grid)
        >>> mean_softmax([a, b]).values[1, 0, 0].tolist() == [np.float32(0.3), np.float32(0.4)]
        True
    """
    if not members:
        raise GeometryMismatch("an ensemble needs at least one member")
    grid = members[0].grid
    if any(not member.grid.is_close(grid) for member in members):
        raise GeometryMismatch("all members of an ensemble must lie on the grid of the same image")
    start = np.min([m.start for m in members], axis=0)
    stop = np.max([np.add(m.start, m.values.shape[1:]) for m in members], axis=0)
    total = np.zeros((len(members[0].values), *(stop - start)), np.float32)
    for member in members:
        inside = tuple(slice(s.start - o, s.stop - o) for s, o in zip(member.box, start, strict=True))
        total[(slice(None), *inside)] += member.values
        outside = np.ones(total.shape[1:], np.float32)
        outside[inside] = 0
        total[0] += outside
    return Softmax(total / len(members), (int(start[0]), int(start[1]), int(start[2])), grid)
