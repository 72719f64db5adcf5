"""What a plan needs to know of a cohort: its target spacing and its median image there. No torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avnnet.errors import InvalidCohort, InvalidGeometry, UnsupportedDimensions
from avnnet.models.limits import MAX_CHANNELS, MAX_CLASSES, check_whole

MIN_CASES = 2  # one to learn from and one to be tested on
MAX_CASES = 10**9
ANISOTROPIC = 3.0
"""Slices are thick where they lie this many times further apart than pixels, and are as many times fewer."""


@dataclass(frozen=True)
class Fingerprint:
    """A cohort as a planner sees it.

    Args:
        spacing_mm: target spacing per axis, slice axis first.
        shape: the median image at this spacing, voxels per axis; halves occur.
        cases: of the cohort.
        channels: of an image.
        classes: of the masks, background included.

    Raises:
        InvalidCohort: if there are fewer than two cases.
        UnsupportedDimensions: if the image is not 3D.
        InvalidGeometry: if a spacing or a size is not positive.
        InvalidConfig: if a number of channels or classes is out of its limits.

    Examples:
        >>> Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34).voxels
        2048000.0
    """

    spacing_mm: tuple[float, ...]
    shape: tuple[float, ...]
    cases: int
    channels: int = 1
    classes: int = 3

    def __post_init__(self) -> None:
        if isinstance(self.cases, int) and not isinstance(self.cases, bool) and self.cases < MIN_CASES:
            raise InvalidCohort(
                f"a plan is made from {MIN_CASES} cases or more, because one is held out to be tested on; found "
                f"{self.cases}. Add cases to the cohort, or take a config of experiments/ as it is"
            )
        check_whole("the number of cases", self.cases, MIN_CASES, MAX_CASES)
        check_whole("the number of channels", self.channels, 1, MAX_CHANNELS)
        check_whole("the number of classes", self.classes, 2, MAX_CLASSES)
        if len(self.shape) != 3 or len(self.spacing_mm) != 3:
            raise UnsupportedDimensions(
                f"a plan is made from 3D images, also for a 2D network (ndim=2), which sees their slices; found shape "
                f"{tuple(self.shape)}, spacing {tuple(self.spacing_mm)} mm. Give three numbers each, slice axis first"
            )
        if min(self.shape) < 1 or not all(math.isfinite(size) for size in self.shape):
            raise InvalidGeometry(f"every axis of an image has a voxel; found shape {tuple(self.shape)}")
        if not all(0 < spacing < math.inf for spacing in self.spacing_mm):
            raise InvalidGeometry(
                f"a spacing is a number of mm above 0; found {tuple(self.spacing_mm)}. Correct the header of the image "
                "that says so"
            )

    @property
    def voxels(self) -> float:
        """Of the median image."""
        return math.prod(float(size) for size in self.shape)


def fingerprint_of(
    spacings_mm: Sequence[Sequence[float]],
    shapes: Sequence[Sequence[float]],
    *,
    cases: int | None = None,
    channels: int = 1,
    classes: int = 3,
) -> Fingerprint:
    """The fingerprint of images: their target spacing, and the median of their shapes once resampled to it.

    Args:
        spacings_mm: of each image, slice axis first.
        shapes: of each image, in the same order; those of a crop in mm may be fractions.
        cases: of the cohort; as many as there are images by default.
        channels: of an image.
        classes: of the masks, background included.

    Raises:
        AvnnetError: as `Fingerprint`, of any image.

    Source: Isensee et al., Nat Methods 2021;18:203 (median spacing; the 10th percentile of a slice distance that is
    three times the pixels').

    Examples:
        >>> fingerprint_of([(1, 0.5, 0.5), (1, 0.4, 0.4)], [(80, 200, 200), (90, 240, 240)]).shape
        (85.0, 217.5, 217.5)
    """
    count = len(shapes) if cases is None else cases
    for spacing, shape in zip(spacings_mm, shapes, strict=True):
        Fingerprint(tuple(spacing), tuple(shape), max(MIN_CASES, count), channels, classes)
    if not shapes:
        raise InvalidCohort(f"a plan is made from {MIN_CASES} cases or more; found none")
    target = target_spacing_mm(spacings_mm, shapes)
    resampled = [
        [round(own / new * size) for own, new, size in zip(spacing, target, shape, strict=True)]
        for spacing, shape in zip(spacings_mm, shapes, strict=True)
    ]
    median = np.median(resampled, axis=0)
    return Fingerprint(target, tuple(float(size) for size in median), count, channels, classes)


def target_spacing_mm(spacings_mm: Sequence[Sequence[float]], shapes: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The median spacing per axis; of far coarser slices the 10th percentile, which invents fewer voxels between them.

    Args:
        spacings_mm: of each image.
        shapes: of each image, voxels.

    Examples:
        >>> target_spacing_mm([(8, 1, 1), (10, 1, 1), (10, 1, 1)], [(12, 200, 200)] * 3)
        (8.4, 1.0, 1.0)
        >>> target_spacing_mm([(2, 1, 1), (3, 1, 1), (3, 1, 1)], [(90, 200, 200)] * 3)
        (3.0, 1.0, 1.0)
    """
    spacings = np.asarray(spacings_mm, float)
    target, size = np.percentile(spacings, 50, axis=0), np.percentile(np.asarray(shapes, float), 50, axis=0)
    axis = int(np.argmax(target))
    others = [other for other in range(len(target)) if other != axis]
    widest = max(target[others])
    if target[axis] > ANISOTROPIC * widest and ANISOTROPIC * size[axis] < min(size[others]):
        low = np.percentile(spacings[:, axis], 10)
        # slices never lie closer than pixels do
        target[axis] = low if low >= widest else widest + 1e-5
    return tuple(float(value) for value in target)
