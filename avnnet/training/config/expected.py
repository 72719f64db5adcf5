"""What a constructor says of the classes that fill its arguments, read from its annotations."""

from __future__ import annotations

import collections.abc
import inspect
import types
import typing
from dataclasses import dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

PLAIN = (str, int, float, bool, dict, list, tuple, Enum, PurePath)


@dataclass(frozen=True)
class Expected:
    """What an argument takes.

    Args:
        bases: a class that it names is a child of one of them; empty where the annotation names none.
        is_slot: whether it is called, as `norm(ndim, channels)`.
        count: with how many arguments it is called.
        default: what it is where nothing is given.
        is_open: whether it takes text or a number as well.
    """

    bases: tuple[type, ...] = ()
    is_slot: bool = False
    count: int = 0
    default: Any = inspect.Parameter.empty
    is_open: bool = False

    @property
    def is_class(self) -> bool:
        """Whether a text that stands there is the name of a class."""
        return (self.is_slot or bool(self.bases)) and not self.is_open

    @property
    def is_optional(self) -> bool:
        """Whether it may be left empty."""
        return self.default is None

    def takes(self, found: type) -> bool:
        """Whether a class is of the kind that is asked for.

        Args:
            found: the class.

        Examples:
            >>> Expected((dict,)).takes(collections.OrderedDict), Expected((dict,)).takes(list), Expected().takes(int)
            (True, False, True)
        """
        try:
            return not self.bases or issubclass(found, self.bases)
        except TypeError:  # a protocol with data members
            return True


def expected_by(owner: type) -> dict[str, Expected]:
    """What each argument of a class takes, by its name; empty where its annotations cannot be read.

    Args:
        owner: the class.

    Examples:
        >>> from avnnet.models import ConvBlock
        >>> expected_by(ConvBlock)["norm"].count, expected_by(ConvBlock)["norm"].default.__name__
        (2, 'InstanceNorm')
    """
    try:
        hints = typing.get_type_hints(owner.__init__)  # type: ignore[misc]
        parameters = inspect.signature(owner).parameters
    except Exception:  # names that are imported for type checkers alone, or a class that is written in C
        return {}
    return {name: _expected(hints[name], one.default) for name, one in parameters.items() if name in hints}


def _expected(hint: Any, default: Any) -> Expected:
    bases: list[type] = []
    is_slot, is_open, count = False, False, 0
    for one in _alternatives(hint):
        if typing.get_origin(one) is collections.abc.Callable:
            taken, given = typing.get_args(one) or ((), None)
            is_slot, count = True, len(taken) if isinstance(taken, list) else 0
            bases += [given] if isinstance(given, type) else []
        elif isinstance(one, type) and not issubclass(one, (*PLAIN, type(None))):
            bases.append(one)
        elif one is not type(None):
            is_open = True
    return Expected(tuple(bases), is_slot, count, default, is_open)


def _alternatives(hint: Any) -> list[Any]:
    """The types that a hint leaves open, those inside lists with them."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType, list):
        return [inner for one in typing.get_args(hint) for inner in _alternatives(one)]
    return [hint]
