"""Class probabilities of an image, kept only where a network looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avnnet.errors import GeometryMismatch
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import LabelScheme


@dataclass(frozen=True, eq=False)
class Softmax:
    """Probabilities `(K, *box)` inside a box of a grid; outside the box all is background.

    A crop around the head is a twentieth of a scan, so keeping the box saves that factor in memory.

    Args:
        values: `(K, z, y, x)` float32, sum 1 over K.
        start: the first voxel `(z, y, x)` of the box.
        grid: the grid of the whole image.

    Raises:
        GeometryMismatch: if the box does not lie inside the grid.
    """

    values: np.ndarray
    start: tuple[int, int, int]
    grid: Grid

    def __post_init__(self) -> None:
        stop = [a + n for a, n in zip(self.start, self.values.shape[1:], strict=True)]
        if min(self.start) < 0 or any(b > n for b, n in zip(stop, self.grid.shape, strict=True)):
            raise GeometryMismatch(f"a box from {self.start} to {stop} is not inside shape {self.grid.shape}")

    @property
    def box(self) -> tuple[slice, ...]:
        """The box as slices of the whole array."""
        return tuple(slice(a, a + n) for a, n in zip(self.start, self.values.shape[1:], strict=True))

    def full(self) -> np.ndarray:
        """Probabilities `(K, z, y, x)` on the whole grid.

        Examples:
            >>> softmax = Softmax(np.full((2, 1, 1, 2), 0.5, np.float32), (0, 0, 1), Grid((1, 1, 4)))
            >>> softmax.full()[:, 0, 0].tolist()
            [[1.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 0.0]]
        """
        out = np.zeros((len(self.values), *self.grid.shape), np.float32)
        out[0] = 1
        out[(slice(None), *self.box)] = self.values
        return out

    def labels(self, scheme: LabelScheme) -> LabelMap:
        """The most probable label of every voxel of the grid; the lower id wins a tie.

        Raises:
            InvalidLabelValues: if there are more classes than the scheme names.

        Examples:
            >>> from avnnet.labels import HIP
            >>> values = np.array([0.1, 0.2, 0.7], np.float32).reshape(3, 1, 1, 1)
            >>> Softmax(values, (0, 0, 2), Grid((1, 1, 4))).labels(HIP).array.tolist()
            [[[0, 0, 2, 0]]]
        """
        out = np.zeros(self.grid.shape, np.uint8)
        out[self.box] = self.values.argmax(axis=0)
        return LabelMap(out, self.grid, scheme)


def interpolated(values: Tensor, places: Sequence[np.ndarray]) -> Tensor:
    """Values `(K, *places)` at fractional voxels, linear axis by axis; beyond the outermost voxels these go on.

    Of axes that run along those of the image it gives what MONAI's `SpatialResample` gives, which works out a position
    for every voxel and takes many times as long.

    Args:
        values: `(K, z, y, x)` float.
        places: for each of the three axes where to look, in voxels.

    Examples:
        >>> values = torch.tensor([[[[0.0, 1.0, 3.0]]]])
        >>> interpolated(values, [np.zeros(1), np.zeros(1), np.array([-1.0, 0.5, 1.25, 2.0])]).tolist()
        [[[[0.0, 0.5, 1.5, 3.0]]]]
    """
    order = sorted(range(3), key=lambda axis: len(places[axis]) / values.shape[axis + 1])  # those that shrink first
    for axis in order:
        last = values.shape[axis + 1] - 1
        at = torch.from_numpy(np.clip(places[axis], 0, last))
        low = at.floor().long().clamp(max=max(last - 1, 0))
        share = (at - low).to(values.dtype).reshape([-1 if axis == one else 1 for one in range(3)])
        high = (low + 1).clamp(max=last)
        values = torch.lerp(values.index_select(axis + 1, low), values.index_select(axis + 1, high), share)
    return values
