"""Plain content of a JSON file to the dataclass that it stands for, every value of the type that its field says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from avnnet.errors import InvalidRecord

PLAIN: dict[type, str] = {str: "text", bool: "true or false", int: "a whole number", float: "a finite number"}


def typed(content: Any, kind: Any, key: str = "") -> Any:
    """An object of a type, made of plain content.

    Args:
        content: as `json` reads it.
        kind: text, truth, numbers, `tuple[X, ...]`, `Mapping[str, X]`, `X | None`, `Any`, or a dataclass of such
            fields. One that is null counts as not given.
        key: where the content stands, for the message.

    Raises:
        InvalidRecord: if a value is of another type, or a key of a dataclass is unknown or missing.

    Examples:
        >>> typed([1, 2], tuple[int, ...])
        (1, 2)
        >>> typed({"a": "x"}, dict[str, float])
        Traceback (most recent call last):
        avnnet.errors.InvalidRecord: a must be a finite number; found 'x'
    """
    if kind is Any:
        return content
    if isinstance(kind, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
        return None if content is None else typed(content, kind, key)
    if kind in PLAIN:
        return _plain(content, kind, key)
    if get_origin(kind) is tuple:
        _check(isinstance(content, list), "a list", content, key)
        return tuple(typed(one, get_args(kind)[0], f"{key}[{n}]") for n, one in enumerate(content))
    _check(isinstance(content, dict), "an object", content, key)
    if is_dataclass(kind):
        return _built(content, kind, key)
    name, value = get_args(kind)
    return {_name(one, name, key): typed(item, value, _under(key, one)) for one, item in content.items()}


def _plain(content: Any, kind: type, key: str) -> Any:
    is_number = isinstance(content, int | float) and not isinstance(content, bool)
    if kind is float:
        _check(is_number and abs(content) < 1e308 and math.isfinite(content), PLAIN[kind], content, key)
        return float(content)
    _check(type(content) is kind, PLAIN[kind], content, key)
    return content


def _built(content: Mapping[str, Any], kind: Any, key: str) -> Any:
    hints, known = get_type_hints(kind), {one.name: one for one in fields(kind) if one.init}
    unknown = [name for name in content if name not in known]
    if unknown:
        raise InvalidRecord(
            f"{_shown(_under(key, unknown[0]))} is no key that avnnet knows; it knows {', '.join(known)}"
        )
    given = {name: typed(v, hints[name], _under(key, name)) for name, v in content.items() if v is not None}
    for name, one in known.items():
        if name not in given and one.default is MISSING and one.default_factory is MISSING:
            raise InvalidRecord(f"{_shown(_under(key, name))} is missing")
    return kind(**given)


def _name(name: str, kind: type, key: str) -> Any:
    if kind is str:
        return name
    _check(name.isascii() and name.isdecimal(), "an object whose keys are whole numbers", name, key)
    return int(name)


def _under(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _check(is_fit: bool, rule: str, content: Any, key: str) -> None:
    if not is_fit:
        raise InvalidRecord(f"{_shown(key) or 'the file'} must be {rule}; found {repr(content)[:40]}")


def _shown(key: str) -> str:
    return "".join(one for one in key if one.isprintable())[:60]
