"""Who made a mask: the names in the column `reader` of every table, and what a name tells."""

from __future__ import annotations

import math
from collections.abc import Iterable

MANUAL = "manual"
"""The reference reader."""
SECOND = "manual_2"
"""A second human reader: measured and compared as if it were a network."""
AUTOMATIC = "automatic"
"""Masks of an unknown program, where only two folders are compared."""
MASK = "mask"
"""Masks of which nobody says who made them."""
ENSEMBLE = "ensemble"
"""The mean of all networks."""
LOCATED = "ensemble_located"
"""The ensemble around centres that its locator found: the same networks, never the best of them."""
RESERVED = frozenset({MANUAL, SECOND, ENSEMBLE, LOCATED})
"""Names that no network of a study may have."""


def is_human(reader: str) -> bool:
    """Whether a reader is a person: the name begins with "manual".

    Examples:
        >>> is_human("manual_2"), is_human("unet3d")
        (True, False)
    """
    return reader.startswith(MANUAL)


def humans(readers: Iterable[str]) -> list[str]:
    """The people among readers, each once, the reference first.

    Args:
        readers: names, such as a table's column `reader`.

    Examples:
        >>> humans(["unet3d", "manual_3", "manual_2", "manual"])
        ['manual', 'manual_2', 'manual_3']
    """
    return sorted({str(name) for name in readers if is_human(str(name))}, key=lambda name: (name != MANUAL, name))


def n_networks(reader: str) -> float:
    """How many networks a reader is made of: an ensemble of all others, that is infinitely many; `a+b` of two.

    Examples:
        >>> n_networks("unet3d"), n_networks("unet2d+unet3d"), n_networks("ensemble")
        (1, 2, inf)
    """
    return math.inf if reader == ENSEMBLE else reader.count("+") + 1
