"""The row of one hip while it is measured: it takes no column that the list of quantities lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from avnnet.columns import QUANTITIES, check_columns
from avnnet.flags import NO_FLAGS, Flag


class CheckedRow:
    """Values by column, all empty at first; flags; and why something was not measured.

    Examples:
        >>> row = CheckedRow()
        >>> row.put({"necrosis_cm3": 4.2})
        >>> row.number("necrosis_cm3"), row.number("head_cm3")
        (4.2, nan)
        >>> row.put({"necrosis_cm2": 4.2})
        Traceback (most recent call last):
            ...
        avnnet.errors.UnknownColumn: no quantity is called ['necrosis_cm2']; add it to SECTIONS in avnnet/columns.py...
    """

    def __init__(self) -> None:
        self._values: dict[str, float | str] = {one.name: "" if one.is_text else float("nan") for one in QUANTITIES}
        self._flags = NO_FLAGS
        self._reasons: list[str] = []

    def put(self, values: Mapping[str, float | str]) -> None:
        """Sets columns.

        Args:
            values: by column.

        Raises:
            UnknownColumn: if a column is not in the list of quantities.
        """
        check_columns(values)
        self._values |= values

    def number(self, name: str) -> float:
        """The value of a column of numbers."""
        return float(self._values[name])

    def flag(self, flags: Iterable[str]) -> None:
        """Raises flags.

        Args:
            flags: those to raise.
        """
        self._flags |= flags

    def lacks(self, reason: str) -> None:
        """Says what is not measured, and why.

        Args:
            reason: the columns or their kind, a colon, and why.
        """
        self._reasons.append(reason)

    def has(self, *flags: Flag) -> bool:
        """Whether all of these flags are raised."""
        return set(flags) <= set(self._flags)

    def forget_surface(self) -> None:
        """Empties what stands on the surface: where the field cuts through the head, much of it is no bone surface."""
        self._values |= {one.name: np.nan for one in QUANTITIES if one.on_surface}
        self._flags = self._flags.without(Flag.SEVERAL_ARCS, Flag.BORDERLINE_COLLAPSE)
        self.lacks("surfaces, arcs, collapse, depth: the field of view cuts through the head's surface")

    def table(self) -> pd.DataFrame:
        """One row with all quantities, `not_measured` and `flags`."""
        return pd.DataFrame([self._values]).assign(not_measured="; ".join(self._reasons), flags=str(self._flags))
