"""Voxels on which tissues are painted one over the other, with partial volume."""

from __future__ import annotations

from collections.abc import Sequence as Values

import numpy as np

from avnnet.phantom.sequences import Sequence
from avnnet.phantom.shapes import Box, Lattice, fraction_inside


class Canvas:
    """The components of a slab of slices.

    Args:
        lattice: of the whole image; fields on it are interpolated to the slab.
        slices: which of the image's slices the slab has.
        width_mm: over which a surface is blurred by partial volume: the size of a voxel.
        sequence: gives tissues their components.
    """

    def __init__(self, lattice: Lattice, slices: slice, width_mm: float, sequence: Sequence) -> None:
        self.lattice, self.slices, self.width_mm, self.sequence = lattice, slices, width_mm, sequence
        shape = (slices.stop - slices.start, *lattice.shape[1:])
        self.parts = np.zeros((sequence.parts, *shape), np.float32)

    def share(self, distance_mm: np.ndarray) -> np.ndarray:
        """The share of each voxel inside a shape of signed distances.

        Examples:
            >>> from avnnet.grid import Grid
            >>> from avnnet.phantom.sequences import RandomContrast
            >>> canvas = Canvas(Lattice(Grid((4, 4, 4)), (0.0, 0.0, 0.0)), slice(0, 2), 1.0, RandomContrast({}))
            >>> canvas.share(np.array([-3.0, 0.0, 3.0])).tolist()
            [1.0, 0.5, 0.0]
        """
        return fraction_inside(distance_mm, self.width_mm)

    def field(self, values: np.ndarray, box: Box | None = None) -> np.ndarray:
        """Lattice values on the voxels of the slab, or of a box of it.

        Examples:
            >>> from avnnet.grid import Grid
            >>> from avnnet.phantom.sequences import RandomContrast
            >>> lattice = Lattice(Grid((9, 9, 9)), (0.0, 0.0, 0.0), step_mm=2.0)
            >>> canvas = Canvas(lattice, slice(3, 5), 1.0, RandomContrast({}))
            >>> x, y, z = lattice.points
            >>> canvas.field(0 * x + 0 * y + z)[:, 0, 0].tolist()  # slices 3 and 4
            [3.0, 4.0]
        """
        first = self.slices.start
        box = box or (slice(0, self.slices.stop - first), slice(None), slice(None))
        return self.lattice.expand(values, (slice(box[0].start + first, box[0].stop + first), *box[1:]))

    def box_of(self, near: np.ndarray) -> Box | None:
        """The box of the slab's voxels around the lattice points where `near` is true; None without any here.

        Examples:
            >>> from avnnet.grid import Grid
            >>> from avnnet.phantom.sequences import RandomContrast
            >>> lattice = Lattice(Grid((9, 9, 9)), (0.0, 0.0, 0.0), step_mm=2.0)
            >>> canvas = Canvas(lattice, slice(3, 5), 1.0, RandomContrast({}))
            >>> canvas.box_of(np.ones((5, 5, 5), bool)), canvas.box_of(np.zeros((5, 5, 5), bool))
            ((slice(0, 2, None), slice(0, 9, None), slice(0, 9, None)), None)
        """
        box = self.lattice.box_of(near)
        if box is None:
            return None
        first, last = max(box[0].start, self.slices.start), min(box[0].stop, self.slices.stop)
        return None if first >= last else (slice(first - self.slices.start, last - self.slices.start), *box[1:])

    def paint(self, tissue: str, share: np.ndarray, box: Box | None = None) -> None:
        """Cover a share of every voxel of the slab, or of a box, with a tissue."""
        self.cover(self.sequence.components(tissue), share, box)

    def cover(self, values: np.ndarray | Values[np.ndarray], share: np.ndarray, box: Box | None = None) -> None:
        """Cover a share of every voxel with components, numbers or arrays of the box's voxels."""
        for canvas, value in zip(self.parts, values, strict=True):
            part = canvas if box is None else canvas[box]
            change = value - part
            change *= share
            part += change

    def mix(self, first: str, second: str, share: np.ndarray) -> list[np.ndarray]:
        """Components of a mixture; `share` is that of the second tissue.

        Examples:
            >>> from avnnet.grid import Grid
            >>> from avnnet.phantom.sequences import RandomContrast
            >>> grey = RandomContrast({"muscle": 0.0, "fat": 1.0})
            >>> canvas = Canvas(Lattice(Grid((4, 4, 4)), (0.0, 0.0, 0.0)), slice(0, 2), 1.0, grey)
            >>> canvas.mix("muscle", "fat", np.array([0.25]))[0].tolist()
            [0.25]
        """
        one, two = self.sequence.components(first), self.sequence.components(second)
        return [a + share * (b - a) for a, b in zip(one, two, strict=True)]
