"""One axis order for every file: the slice axis first, fixed patient directions for the other two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal

import numpy as np

from avnnet.grid import Grid

FirstAxis = Literal["superior", "posterior", "left"]

# rows of a world direction (LPS) that the canonical array axes follow: left 0, posterior 1, superior 2
ORDERS: dict[str, tuple[int, int, int]] = {
    "superior": (2, 1, 0),
    "posterior": (1, 2, 0),
    "left": (0, 2, 1),
}


@dataclass(frozen=True)
class Orientation:
    """How a file's array becomes canonical: a permutation of its axes, then flips.

    Args:
        axes: the file's axis that becomes canonical axis 0, 1, 2.
        flips: which canonical axes run backwards in the file (or are mirrored for a left hip).
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    def apply(self, array: np.ndarray) -> np.ndarray:
        """A view of `(..., *S)` in canonical order; leading axes stay.

        Examples:
            >>> array = np.arange(6).reshape(1, 2, 3)
            >>> Orientation((0, 2, 1), (False, True, False)).apply(array).tolist()
            [[[2, 5], [1, 4], [0, 3]]]
        """
        lead = array.ndim - 3
        turned = array.transpose(*range(lead), *(lead + axis for axis in self.axes))
        return turned[self._steps()]

    def invert(self, array: np.ndarray) -> np.ndarray:
        """A view of a canonical `(..., *S)` in the file's own order.

        Examples:
            >>> array, turn = np.arange(24).reshape(2, 3, 4), Orientation((2, 0, 1), (True, False, True))
            >>> bool((turn.invert(turn.apply(array)) == array).all())
            True
        """
        lead = array.ndim - 3
        unflipped = array[self._steps()]
        return unflipped.transpose(*range(lead), *(lead + int(axis) for axis in np.argsort(self.axes)))

    def _steps(self) -> tuple[Any, ...]:
        return (..., *(slice(None, None, -1 if flip else 1) for flip in self.flips))

    def invert_box(
        self, start: Sequence[int], size: Sequence[int], shape: tuple[int, int, int]
    ) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        """Start `(3,)` and size `(3,)` in the file's order of a box given in canonical order.

        Args:
            start: first voxel of the box, canonical order.
            size: voxels of the box, canonical order.
            shape: shape of the whole array in the file's order.

        Examples:
            >>> Orientation((0, 1, 2), (False, False, True)).invert_box((0, 0, 0), (1, 1, 2), (4, 5, 6))
            ((0, 0, 4), (1, 1, 2))
        """
        own_start, own_size = [0, 0, 0], [0, 0, 0]
        for canonical, axis in enumerate(self.axes):
            begin = start[canonical]
            if self.flips[canonical]:
                begin = shape[axis] - begin - size[canonical]
            own_start[axis], own_size[axis] = begin, size[canonical]
        return (own_start[0], own_start[1], own_start[2]), (own_size[0], own_size[1], own_size[2])

    def index(self, own: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """The canonical index `(3,)` of an index `(3,)` in the file's order.

        Examples:
            >>> Orientation((0, 1, 2), (False, False, True)).index(np.array([1, 2, 0]), (4, 5, 6)).tolist()
            [1.0, 2.0, 5.0]
        """
        turned = np.asarray(own, float)[list(self.axes)]
        last = np.asarray(shape, float)[list(self.axes)] - 1
        return np.where(self.flips, last - turned, turned)


def orientation_of(
    grid: Grid, *, first_axis: FirstAxis = "superior", mirror: bool = False, reversed_axes: Sequence[int] = ()
) -> Orientation:
    """The permutation and flips that bring a grid closest to the fixed patient directions.

    Args:
        grid: the file's grid, at any angle.
        first_axis: the patient direction of canonical axis 0: "superior" for axial and axial-oblique slices,
            "posterior" for coronal, "left" for sagittal ones. The other two follow in the order
            superior, posterior, left.
        mirror: also mirror left and right, which brings a left hip to the right-hip frame.
        reversed_axes: canonical axes that are to run the other way round.

    Examples:
        >>> orientation_of(Grid((2, 3, 4)), reversed_axes=[1])
        Orientation(axes=(0, 1, 2), flips=(False, True, False))
    """
    direction = np.asarray(grid.direction)
    rows = ORDERS[first_axis]
    # of equally good matches the first is taken, so that an angle of 45 degrees has one answer
    axes = max(
        permutations(range(3)), key=lambda p: round(sum(abs(direction[r, a]) for r, a in zip(rows, p, strict=False)), 6)
    )
    flips = [bool(direction[row, axis] < 0) for row, axis in zip(rows, axes, strict=True)]
    if mirror:
        left = rows.index(0)
        flips[left] = not flips[left]
    flips = [flip != (axis in reversed_axes) for axis, flip in enumerate(flips)]
    return Orientation((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]))
