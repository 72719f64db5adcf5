"""Distances between the surfaces of two masks in mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from avnnet.errors import InvalidGeometry
from avnnet.metrics.overlap import check_masks

BOX_MARGIN_VOXELS = 2


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """All directed distances between two surfaces: computed once, read as often as needed.

    Where one mask is empty, the distances of the other one's surface are infinite; where both are, there are
    none.

    Args:
        manual_to_automatic_mm: `(n,)` distance in mm of each manual surface voxel to the nearest automatic
            one.
        automatic_to_manual_mm: `(m,)` the other direction.

    Source:
        Nikolov S et al. Deep learning to achieve clinically applicable segmentation of head and neck anatomy.
        J Med Internet Res 2021;23:e26151 (the directed definitions; here every surface voxel has weight one).

    Examples:
        >>> SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 3.0])).assd_mm
        1.0
    """

    manual_to_automatic_mm: np.ndarray
    automatic_to_manual_mm: np.ndarray

    def _undefined(self) -> float | None:
        """NaN or infinity where a mask is empty, None where both surfaces exist."""
        sizes = (len(self.manual_to_automatic_mm), len(self.automatic_to_manual_mm))
        if sizes == (0, 0):
            return float("nan")
        return float("inf") if 0 in sizes else None

    @property
    def hd_mm(self) -> float:
        """The Hausdorff distance in mm: the largest of all directed distances.

        Examples:
            >>> two = SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 3.0]))
            >>> two.hd_mm
            3.0
        """
        undefined = self._undefined()
        if undefined is not None:
            return undefined
        return float(max(self.manual_to_automatic_mm.max(), self.automatic_to_manual_mm.max()))

    @property
    def hd95_mm(self) -> float:
        """The LARGER of the two directed 95th percentiles in mm, not the percentile of all distances.

        Examples:
            >>> two = SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 3.0]))
            >>> round(two.hd95_mm, 2)
            2.85
        """
        undefined = self._undefined()
        if undefined is not None:
            return undefined
        directed = (self.manual_to_automatic_mm, self.automatic_to_manual_mm)
        return float(max(np.percentile(distances, 95) for distances in directed))

    @property
    def assd_mm(self) -> float:
        """The average symmetric surface distance in mm: all directed distances over all surface voxels.

        Examples:
            >>> two = SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 3.0]))
            >>> two.assd_mm
            1.0
        """
        undefined = self._undefined()
        if undefined is not None:
            return undefined
        total = self.manual_to_automatic_mm.sum() + self.automatic_to_manual_mm.sum()
        return float(total / (len(self.manual_to_automatic_mm) + len(self.automatic_to_manual_mm)))

    def surface_dice(self, tolerance_mm: float) -> float:
        """The share of both surfaces that lies within a tolerance of the other, 0 to 1; 0 where one mask is empty.

        Args:
            tolerance_mm: what is near enough, such as the distance of two readers.

        Source:
            Nikolov S et al. J Med Internet Res 2021;23:e26151 (there by area; here every surface voxel counts alike).

        Examples:
            >>> SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 3.0])).surface_dice(1.0)
            0.75
        """
        total = len(self.manual_to_automatic_mm) + len(self.automatic_to_manual_mm)
        if total == 0:
            return float("nan")
        near = sum(
            int((one <= tolerance_mm).sum()) for one in (self.manual_to_automatic_mm, self.automatic_to_manual_mm)
        )
        return near / total


def _box(mask: np.ndarray) -> tuple[slice, ...]:
    """The box of a non-empty mask and a margin, cut at the array's border."""
    box = []
    for axis in range(mask.ndim):
        filled = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        box.append(slice(max(int(filled[0]) - BOX_MARGIN_VOXELS, 0), int(filled[-1]) + BOX_MARGIN_VOXELS + 1))
    return tuple(box)


def _surface(mask: np.ndarray) -> np.ndarray:
    """The mask's voxels that touch, across a face, the background or the outside of the array."""
    return mask & ~ndimage.binary_erosion(mask, border_value=0)


def surface_distances(manual: np.ndarray, automatic: np.ndarray, spacing_mm: Sequence[float]) -> SurfaceDistances:
    """The directed distances between the surfaces of two masks, from which HD, HD95 and ASSD are read.

    A surface voxel is one that a 6-connected erosion removes; outside the array counts as background.
    Distances run between voxel centres. The exact distance transform runs in the box of both masks only:
    every surface voxel lies in it, so the numbers are those of the whole array.

    Args:
        manual: `(z, y, x)` booleans (any number of axes).
        automatic: booleans of the same shape.
        spacing_mm: voxel spacing in mm per array axis, `(z, y, x)`.

    Raises:
        InvalidLabelValues: if an array is not of booleans.
        GeometryMismatch: if the shapes differ.
        InvalidGeometry: if there is not one positive spacing per axis.

    Source:
        Maurer CR, Qi R, Raghavan V. A linear time algorithm for computing exact Euclidean distance transforms
        of binary images in arbitrary dimensions. IEEE TPAMI 2003;25:265-270.

    Examples:
        >>> manual, automatic = np.zeros((2, 1, 5), dtype=bool)
        >>> manual[0, 1] = automatic[0, 3] = True
        >>> surface_distances(manual, automatic, (3.0, 0.5)).hd_mm
        1.0
    """
    check_masks(manual, automatic)
    spacing = tuple(float(s) for s in spacing_mm)
    if len(spacing) != manual.ndim or not all(0 < s < np.inf for s in spacing):
        raise InvalidGeometry(
            f"a mask of {manual.ndim} axes needs {manual.ndim} positive spacings in mm; found {spacing}"
        )
    either = manual | automatic
    if not either.any():
        return SurfaceDistances(np.empty(0), np.empty(0))
    box = _box(either)
    surfaces = [_surface(manual[box]), _surface(automatic[box])]
    directed = []
    for here, there in (surfaces, surfaces[::-1]):
        if there.any():
            directed.append(ndimage.distance_transform_edt(~there, sampling=spacing)[here])
        else:
            directed.append(np.full(int(here.sum()), np.inf))
    return SurfaceDistances(*directed)
