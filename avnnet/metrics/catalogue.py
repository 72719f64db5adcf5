"""Every metric of agreement, with all that a table, a report or a page needs to know of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from avnnet.errors import UnknownColumn
from avnnet.metrics.overlap import dice
from avnnet.metrics.surface import SurfaceDistances, surface_distances

TOLERANCE_MM = 1.0
"""Of the surface Dice: a voxel, and about the distance between two readers."""


@dataclass(frozen=True, eq=False)
class Compared:
    """Two masks of one structure; what several metrics need is computed once.

    Args:
        manual: `(z, y, x)` booleans.
        automatic: booleans of the same shape.
        spacing_mm: voxel spacing per array axis, `(z, y, x)`.
        is_cut: whether ignored voxels, which are in neither mask, touch one: its surface is not known there.

    Examples:
        >>> one = np.ones((1, 2, 2), bool)
        >>> same = Compared(one, one, (1.0, 1.0, 1.0))
        >>> METRICS[0].of(same), same.surfaces.hd_mm
        (1.0, 0.0)
    """

    manual: np.ndarray
    automatic: np.ndarray
    spacing_mm: tuple[float, float, float]
    is_cut: bool = False

    @cached_property
    def surfaces(self) -> SurfaceDistances:
        """The distances between both surfaces; none where both masks have the structure and one is cut.

        A cut would be taken for surface: both masks have it in the same place, so that every distance would be too
        small. Whoever misses a structure has an infinite distance whether or not it is cut.
        """
        if self.is_cut and self.manual.any() and self.automatic.any():
            return SurfaceDistances(np.empty(0), np.empty(0))
        return surface_distances(self.manual, self.automatic, self.spacing_mm)


@dataclass(frozen=True)
class Metric:
    """A column of `agreement.csv`. A further one is a further entry of `METRICS`, and nothing else.

    Args:
        name: of the column, with its unit.
        printed: its name in a report, with its unit.
        unit: empty of a share.
        meaning: for the page of the columns.
        definition: a sentence for the methods of a paper.
        is_higher_better: whether a larger value is a better one.
        is_distance: whether it is infinite where only one mask has the structure.
        is_summarised: whether `dice.csv` and its table in the report have it.
        decimals: of a printed value.
        of: computes it.
    """

    name: str
    printed: str
    unit: str
    meaning: str
    definition: str
    is_higher_better: bool
    is_distance: bool
    is_summarised: bool
    decimals: int
    of: Callable[[Compared], float]


METRICS = (
    Metric(
        name="dice",
        printed="Dice",
        unit="",
        meaning="overlap, 0 to 1",
        definition="Dice is 2 |A ∩ B| / (|A| + |B|) on the grid of the manual mask; a structure that only one of both "
        "masks has counts 0, one that neither has is undefined and left out.",
        is_higher_better=True,
        is_distance=False,
        is_summarised=True,
        decimals=3,
        of=lambda two: dice(two.manual, two.automatic),
    ),
    Metric(
        name="hd95_mm",
        printed="HD95 (mm)",
        unit="mm",
        meaning="distance between the surfaces in mm: the larger of the two directed 95th percentiles",
        definition="HD95 is the larger of the two directed 95th percentiles of the distances between surface voxels, "
        "in mm.",
        is_higher_better=False,
        is_distance=True,
        is_summarised=True,
        decimals=2,
        of=lambda two: two.surfaces.hd95_mm,
    ),
    Metric(
        name="assd_mm",
        printed="ASSD (mm)",
        unit="mm",
        meaning="distance between the surfaces in mm: the mean over the surface voxels of both",
        definition="ASSD is the mean of all of these distances, in mm.",
        is_higher_better=False,
        is_distance=True,
        is_summarised=True,
        decimals=2,
        of=lambda two: two.surfaces.assd_mm,
    ),
    Metric(
        name="surface_dice_1mm",
        printed="surface Dice (1 mm)",
        unit="",
        meaning="share of both surfaces' voxels that lie within 1 mm of the other surface, 0 to 1; 0 where one mask is "
        "empty",
        definition="Surface Dice is the share of surface voxels within 1 mm of the other surface.",
        is_higher_better=True,
        is_distance=False,
        is_summarised=False,
        decimals=3,
        of=lambda two: two.surfaces.surface_dice(TOLERANCE_MM),
    ),
)
"""In the order of the columns of `agreement.csv`."""
SUMMARISED = tuple(one for one in METRICS if one.is_summarised)
RANKED = tuple(sorted(METRICS, key=lambda one: one.is_distance))
"""Overlaps first, then distances: the order of a report."""


def metric(name: str) -> Metric:
    """The metric of a column.

    Args:
        name: of the column.

    Raises:
        UnknownColumn: if no metric has it.

    Examples:
        >>> metric("hd95_mm").printed, metric("hd95_mm").is_higher_better
        ('HD95 (mm)', False)
    """
    found = {one.name: one for one in METRICS}
    if name not in found:
        raise UnknownColumn(f"no metric is called {name!r}; there are {list(found)}")
    return found[name]
