"""The names of the label ids, which structure is the part and which the whole, and the body side."""

from __future__ import annotations

from dataclasses import dataclass

from avnnet.choice import Choice
from avnnet.errors import InvalidScheme

IGNORED = 255
"""The id of voxels that count nowhere, in masks whose config says `data.has_ignored: true`."""


class Side(Choice):
    """The side of the body. Left structures are mirrored to the right-hip frame before the network.

    Attributes:
        RIGHT: "right".
        LEFT: "left".
    """

    RIGHT = "right"
    LEFT = "left"


@dataclass(frozen=True)
class LabelScheme:
    """The meaning of label ids: `names[id]`, and one part whose share of the whole is reported.

    The whole is the union of all named labels (femoral head = vital bone and necrosis), so that hips,
    hippocampi and other two-level structures run through the same code.

    Args:
        names: label id to name; ids are 1, 2, 3, ... without gaps, 0 is background.
        part: the name whose volume is also given as a percentage of the whole.
        whole: the name of the union of all labels.

    Raises:
        InvalidScheme: if ids have gaps, a name is used twice, or `part` is not a name.

    Examples:
        >>> HIP.volume_columns
        ['vital_cm3', 'necrosis_cm3', 'head_cm3', 'necrosis_percent']
    """

    names: dict[int, str]
    part: str
    whole: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", {int(i): str(n) for i, n in sorted(self.names.items())})
        if sorted(self.names) != list(range(1, len(self.names) + 1)):
            raise InvalidScheme(
                f"label ids must be 1, 2, 3, ... without gaps (0 is background); found {sorted(self.names)}"
            )
        everything = [*self.names.values(), self.whole]
        if len(set(everything)) != len(everything) or not all(n.isidentifier() for n in everything):
            raise InvalidScheme(f"label names and the whole must be distinct words; found {everything}")
        if self.part not in self.names.values():
            raise InvalidScheme(f"the part must be one of {list(self.names.values())}; found {self.part!r}")

    @property
    def classes(self) -> int:
        """The number of classes of a network: all labels and the background."""
        return len(self.names) + 1

    @property
    def structures(self) -> list[str]:
        """All names that can be measured: each label, then the whole."""
        return [*self.names.values(), self.whole]

    @property
    def volume_columns(self) -> list[str]:
        """The volume columns of a measurement table, the part's percentage last."""
        return [*(f"{name}_cm3" for name in self.structures), f"{self.part}_percent"]

    def ids(self, name: str) -> list[int]:
        """The label ids that make up a structure: one for a label, all for the whole.

        Raises:
            InvalidScheme: if the scheme has no such structure.

        Examples:
            >>> HIP.ids("necrosis"), HIP.ids("head")
            ([2], [1, 2])
        """
        if name == self.whole:
            return list(self.names)
        found = [index for index, known in self.names.items() if known == name]
        if not found:
            raise InvalidScheme(f"no structure {name!r} in this scheme; it has {self.structures}")
        return found

    def __hash__(self) -> int:
        return hash((tuple(self.names.items()), self.part, self.whole))


HIP = LabelScheme({1: "vital", 2: "necrosis"}, part="necrosis", whole="head")
"""Vital bone of the femoral head, its necrosis, and the head as their union."""
