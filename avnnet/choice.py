"""Words to choose from, such as a body side or a sequence, that name the choices when another is given."""

from __future__ import annotations

from enum import StrEnum
from typing import NoReturn

from avnnet.errors import InvalidConfig


class Choice(StrEnum):
    """Base of enumerations whose members are also plain words, for configs, tables and notebooks.

    Raises:
        InvalidConfig: when made from a word that is none of them.

    Examples:
        >>> class Fruit(Choice):
        ...     APPLE = "apple"
        >>> Fruit("apple") == "apple"
        True
    """

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise InvalidConfig(f"{cls.__name__} is one of {[str(one) for one in cls]}; found {value!r}")
