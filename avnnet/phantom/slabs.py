"""A scene cut into slabs of slices, each painted and scanned on its own: less memory, and all processors."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from avnnet.grid import Grid
from avnnet.phantom.body import Body
from avnnet.phantom.canvas import Canvas
from avnnet.phantom.layers import (
    Distances,
    Hip,
    paint_femurs,
    paint_joint,
    paint_pelvis,
    paint_soft_tissue,
)
from avnnet.phantom.lesion import Lesion
from avnnet.phantom.reader import TRUTH, Reader
from avnnet.phantom.scanner import Scanner
from avnnet.phantom.sequences import Fields, Sequence
from avnnet.phantom.shapes import Box, Lattice, Points, Vector, points_of

SLAB_VOXELS = 1_200_000  # a few of these per processor stay in its cache
THICK_MM = 1.5  # a slice that is thicker is painted as several and averaged: partial volume across it
AROUND_MM = 18.0  # of detail around a head


class Scene:
    """All that is needed to paint any slice of a scan.

    Args:
        grid: of the image.
        centre_mm: of the index hip's head, LPS mm.
        body: soft tissue.
        hips: the index hip first.
        sequence, scanner: of the scan.
        second: per hip a second reader, who draws it again.

    Examples:
        >>> from avnnet.phantom.anatomy import draw_anatomy
        >>> from avnnet.phantom.body import draw_body
        >>> from avnnet.phantom.head import Head
        >>> from avnnet.phantom.modes import SignalMode
        >>> from avnnet.phantom.scanner import draw_scanner
        >>> from avnnet.phantom.sequences import TurboSpinEcho
        >>> one = np.random.default_rng(1)
        >>> hip, scanner = Hip(Head(draw_anatomy(one, sex="male"), None, 0.0)), draw_scanner(one, SignalMode.PD_TSE)
        >>> grid, sequence = Grid((16, 16, 16), (4.0, 4.0, 4.0)), TurboSpinEcho()
        >>> scene = Scene(grid, (30.0, 30.0, 30.0), draw_body(one), (hip,), sequence, scanner, (TRUTH,))
        >>> scene.slabs
        [slice(0, 16, None)]
        >>> image, (labels,) = scene.slab(slice(4, 12), seed=1)
        >>> image.shape, labels[0, 4, 7, 7].item()  # vital bone in the middle of the head
        ((1, 8, 16, 16), 1)
    """

    def __init__(
        self,
        grid: Grid,
        centre_mm: Vector,
        body: Body,
        hips: tuple[Hip, ...],
        sequence: Sequence,
        scanner: Scanner,
        second: tuple[Reader, ...],
    ) -> None:
        self.grid, self.centre_mm, self.body, self.hips = grid, centre_mm, body, hips
        self.sequence, self.scanner, self.second = sequence, scanner, second
        self.thin = max(1, int(np.ceil(grid.spacing[0] / THICK_MM)))
        self.fine = _thinner(grid, self.thin)
        self.width_mm = float(np.prod(self.fine.spacing)) ** (1 / 3)
        self.lattice = Lattice(self.fine, centre_mm)
        self.distances = Distances(self.lattice, body.folded(self.lattice.points), body, hips)

    @cached_property
    def slabs(self) -> list[slice]:
        """The ranges of slices; they depend on the image's size alone."""
        slices, rows, columns = self.grid.shape
        step = max(1, SLAB_VOXELS // (rows * columns * self.thin))
        return [slice(first, min(first + step, slices)) for first in range(0, slices, step)]

    @cached_property
    def _fields(self) -> tuple[Fields, np.ndarray]:
        # the coil lies around the hip, or around the body with both
        x, y, z = self.lattice.points
        aside = self.body.midline_mm if len(self.hips) > 1 else 0.0
        return self.scanner.fields((x - np.float32(aside), y, z))

    def slab(self, slices: slice, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
        """`(C, n, y, x)` intensities of a range of slices, and per hip `(2, n, y, x)` label ids: true, and redrawn."""
        fine = slice(slices.start * self.thin, slices.stop * self.thin)
        canvas = Canvas(self.lattice, fine, self.width_mm, self.sequence)
        paint_soft_tissue(canvas, self.distances)
        near = []
        for hip in self.hips:
            box = self._box(self.fine, hip, fine)
            if box is None:
                continue
            points = self._points(self.fine, box, fine, hip)
            near.append((hip, points, box, self._boundary_mm(hip, box, fine)))
            paint_joint(canvas, hip.anatomy, points, box)
        paint_pelvis(canvas, self.distances)
        paint_femurs(canvas, self.distances, self.body, near)
        count = slices.stop - slices.start
        parts = canvas.parts.reshape(len(canvas.parts), count, self.thin, *self.grid.shape[1:])
        parts = parts[:, :, 0] if self.thin == 1 else parts.mean(axis=2)
        middle = slice(slices.start * self.thin + self.thin // 2, None, self.thin)
        fields, sensitivity = self._fields
        b1, kept, gain = (self._slow(value, middle, count) for value in (fields.b1, fields.fat_kept, sensitivity))
        generator = np.random.default_rng(seed)
        images = self.scanner.stored(parts, Fields(b1, kept), gain, self.sequence, self.grid.spacing[1:], generator)
        return images, [self._labels(hip, reader, slices) for hip, reader in zip(self.hips, self.second, strict=True)]

    def _slow(self, values: np.ndarray, middle: slice, count: int) -> np.ndarray:
        """A smooth field, or one number for all voxels, on the middle of every slice."""
        if values.ndim == 0:
            return values
        box = (slice(middle.start, middle.start + count * self.thin), slice(None), slice(None))
        return self.lattice.expand(values, box)[:: self.thin][:count]

    def _box(self, grid: Grid, hip: Hip, slices: slice) -> Box | None:
        """The box around a hip's head, of a range of slices; its indices count from the first of them."""
        x, y, z = self.centre_mm
        middle = grid.to_index((x + 2 * self.body.midline_mm, y, z) if hip.beyond_midline else (x, y, z))
        reach = (hip.anatomy.radius_mm + AROUND_MM) / np.asarray(grid.spacing)
        low = np.maximum(np.floor(middle - reach), 0).astype(int).tolist()
        high = np.minimum(np.ceil(middle + reach) + 1, grid.shape).astype(int).tolist()
        first, last = max(low[0], slices.start), min(high[0], slices.stop)
        if first >= last or low[1] >= high[1] or low[2] >= high[2]:
            return None
        return slice(first - slices.start, last - slices.start), slice(low[1], high[1]), slice(low[2], high[2])

    def _points(self, grid: Grid, box: Box, slices: slice, hip: Hip, *, halo: int = 0) -> Points:
        """The voxel centres of a box in the frame of a hip, with a halo of slices beyond both ends."""
        start = box[0].start + slices.start - halo
        outer = (range(start, box[0].stop + slices.start + halo), box[1], box[2])
        x, y, z = points_of(grid, self.centre_mm, outer)
        return (np.float32(2 * self.body.midline_mm) - x, y, z) if hip.beyond_midline else (x, y, z)

    def _boundary_mm(self, hip: Hip, box: Box, slices: slice) -> np.ndarray | None:
        """Signed distance to the lesion's outer boundary on the voxels of a box."""
        if hip.head.lesion is None:
            return None
        reach, slope = self._reach_mm(self.fine, hip, hip.head.lesion, box, slices)
        boundary: np.ndarray = (reach - np.float32(hip.head.extent_mm)) / slope
        return boundary

    def _reach_mm(self, grid: Grid, hip: Hip, lesion: Lesion, box: Box, slices: slice) -> tuple[np.ndarray, np.ndarray]:
        """The reach of the hip's lesion on the voxels of a box, and its slope."""
        points = self._points(grid, box, slices, hip, halo=1)
        reach = lesion.reach_mm(points)
        slope = np.sqrt(sum(g * g for g in np.gradient(reach, *grid.spacing)))[1:-1]
        return reach[1:-1], np.clip(slope, 0.4, 2.5)

    def _labels(self, hip: Hip, reader: Reader, slices: slice) -> np.ndarray:
        labels = np.zeros((2, slices.stop - slices.start, *self.grid.shape[1:]), np.uint8)
        box = self._box(self.grid, hip, slices)
        if box is not None:
            points = self._points(self.grid, box, slices, hip)
            found = self._reach_mm(self.grid, hip, hip.head.lesion, box, slices) if hip.head.lesion else None
            for drawn, one in zip(labels, (TRUTH, reader), strict=True):
                drawn[box] = one.label_ids(hip, points, found)
        return labels


def _thinner(grid: Grid, times: int) -> Grid:
    """The grid with every slice cut into several; they fill the same space."""
    spacing = (grid.spacing[0] / times, *grid.spacing[1:])
    origin = np.asarray(grid.origin) - np.asarray(grid.direction)[:, 0] * spacing[0] * (times - 1) / 2
    x, y, z = origin.tolist()
    return Grid((grid.shape[0] * times, *grid.shape[1:]), spacing, (x, y, z), grid.direction)
