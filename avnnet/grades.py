"""Grades of extent: the classes of published systems, their ties, and how probable each is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from avnnet.errors import InvalidConfig


@dataclass(frozen=True)
class Grading:
    """Ordered classes of a number.

    Args:
        name: of the system, as a column begins.
        classes: from the smallest to the largest.
        bounds: between them.
        is_upper: for each bound, whether a value on it belongs to the class above.
        source: where it was published.

    Examples:
        >>> [STEINBERG.of(value) for value in (14.9, 15.0, 30.0, 30.1)]
        ['A', 'B', 'B', 'C']
    """

    name: str
    classes: tuple[str, ...]
    bounds: tuple[float, ...]
    is_upper: tuple[bool, ...]
    source: str

    @property
    def probability_columns(self) -> list[str]:
        """The columns of the probabilities of its classes."""
        return [f"{self.name}_{one}_probability" for one in self.classes]

    def of(self, value: float) -> str:
        """The class of a value; empty of NaN."""
        if math.isnan(value):
            return ""
        return self.classes[
            sum(value > b or (up and value == b) for b, up in zip(self.bounds, self.is_upper, strict=True))
        ]

    def probabilities(self, value: float, standard_error: float) -> dict[str, float]:
        """The probability of each class when the value has a normal error.

        Args:
            value: as measured.
            standard_error: of it, in its unit, above 0.

        Raises:
            InvalidConfig: if the standard error is not above 0.

        Examples:
            >>> {name: round(p, 2) for name, p in STEINBERG.probabilities(15.0, 2.0).items()}
            {'A': 0.5, 'B': 0.5, 'C': 0.0}
        """
        if not standard_error > 0:
            raise InvalidConfig(f"a standard error is above 0; found {standard_error}")
        from scipy.special import ndtr  # of all that reads a table, only this needs it

        below = [0.0, *(float(ndtr((bound - value) / standard_error)) for bound in self.bounds), 1.0]
        return {name: high - low for name, low, high in zip(self.classes, below[:-1], below[1:], strict=True)}


STEINBERG = Grading(
    "steinberg", ("A", "B", "C"), (15.0, 30.0), (True, False), "Steinberg ME et al. J Bone Joint Surg Br 1995;77:34-41"
)
"""Share of the head that is necrotic, in percent; 15 and 30 belong to B."""
KERBOUL = Grading(
    "kerboul",
    ("small", "medium", "large"),
    (160.0, 200.0),
    (False, True),
    "Kerboul M et al. J Bone Joint Surg Br 1974;56:291-296",
)
"""Combined necrotic angle in degrees: up to 160 is small, 200 and more large."""
MODIFIED_KERBOUL = Grading(
    "modified_kerboul",
    ("1", "2", "3", "4"),
    (200.0, 250.0, 300.0),
    (True, True, True),
    "Ha YC et al. J Bone Joint Surg Am 2006;88 Suppl 3:35-40",
)
"""Modified Kerboul angle in degrees: 1 below 200, 2 below 250, 3 below 300, 4 from there."""
HA_RISK = Grading("ha_risk", ("low", "moderate", "high"), (190.0, 240.0), (False, True), MODIFIED_KERBOUL.source)
"""Risk of collapse by the modified Kerboul angle: low up to 190, high from 240 degrees."""
EXTENT = Grading(
    "necrotic_extent",
    ("small", "medium", "large"),
    (33.0, 66.0),
    (False, False),
    "Koo KH, Kim R. J Bone Joint Surg Br 1995;77:875-880",
)
"""Index of necrotic extent: up to 33 is small, up to 66 medium."""
DEPRESSION = Grading(
    "collapse", ("up_to_2mm", "over_2mm"), (2.0,), (False,), "Yoon BH et al. J Arthroplasty 2020;35:933-940 (ARCO 2019)"
)
"""Depth of the collapse in mm: 2.0 still counts as up to 2, as ARCO IIIA does."""
