"""What fills a slot: a class, or a class with some of its arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from avnnet.errors import InvalidConfig

Part = type | functools.partial


def part(factory: Callable[..., Any]) -> Part:
    """The class that fills a slot, or `functools.partial` of it with the arguments that differ from its defaults.

    A config fills a slot by an import path, or by `class_path` and `init_args`; jsonargparse makes a function of its
    own of the latter, which cannot be written down. What comes out here can: `avnnet.recipe.describe` takes it.

    Args:
        factory: a class, or a `functools.partial` of one with keyword arguments.

    Raises:
        InvalidConfig: if it is another function, has positional arguments, or would download weights.

    Examples:
        >>> from functools import partial
        >>> part(partial(dict, b=1))
        functools.partial(<class 'dict'>, b=1)
        >>> part(partial(int)) is int
        True
        >>> part(lambda: 1)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: a slot takes a class, or functools.partial(CLASS, name=value); found a function
    """
    if isinstance(factory, type):
        _refuse_downloads(factory, {})
        return factory
    if not isinstance(factory, functools.partial):
        kind = type(factory).__name__
        raise InvalidConfig(f"a slot takes a class, or functools.partial(CLASS, name=value); found a {kind}")
    # jsonargparse has a function that makes the object, and what it needs for it, before the class
    *before, cls = (factory.func, *factory.args)
    if not isinstance(cls, type) or not all(map(callable, before)) or any(isinstance(one, type) for one in before):
        raise InvalidConfig(
            "a slot takes functools.partial(CLASS, name=value): arguments by name, the class first; found "
            f"{str(factory)[:200]}"
        )
    defaults = _defaults(cls)
    _refuse_downloads(cls, factory.keywords)
    kept = {name: _plainer(value) for name, value in factory.keywords.items()}
    kept = {name: value for name, value in kept.items() if name not in defaults or not _same(value, defaults[name])}
    return functools.partial(cls, **kept) if kept else cls


def fill(slot: str, factory: Callable[..., Any], *args: Any) -> Any:
    """What the class in a slot makes of the arguments that the slot gives it.

    Args:
        slot: its name.
        factory: what fills it.
        args: what the slot calls it with.

    Raises:
        InvalidConfig: if the class does not take them.

    Examples:
        >>> fill("number", int, "7")
        7
        >>> fill("up", bool, 3, 1)
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidConfig: bool does not fit into the slot up: bool expected at most 1 argument, got 2. Take \
a class that is called as the slot's default
    """
    try:
        return factory(*args)
    except TypeError as error:
        name = getattr(getattr(factory, "func", factory), "__name__", type(factory).__name__)
        raise InvalidConfig(
            f"{name} does not fit into the slot {slot}: {str(error)[:200]}. Take a class that is called as the slot's "
            "default"
        ) from error


def _refuse_downloads(cls: type, given: Mapping[str, Any]) -> None:
    """A slot is also filled by a model folder, which may come from anybody: to load it must not go to the network."""
    for name, value in {**_defaults(cls), **given}.items():
        is_file = isinstance(value, str) and any(word in name for word in ("checkpoint", "url", "path"))
        if value and ("pretrained" in name or is_file):
            raise InvalidConfig(
                f"a slot is filled without a download; {cls.__name__} has {name}: {str(value)[:80]}. Set {name}: null "
                "or false; --from MODEL starts from the weights of a model folder"
            )


def _plainer(value: Any) -> Any:
    return part(value) if isinstance(value, functools.partial) else value


def _defaults(cls: type) -> dict[str, Any]:
    try:
        parameters = inspect.signature(cls).parameters.values()
    except ValueError:  # of a class that is written in C
        return {}
    return {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def _same(value: Any, default: Any) -> bool:
    try:
        return type(value) is type(default) and bool(value == default)
    except (ValueError, TypeError, RuntimeError):  # of arrays and tensors, which compare element by element
        return False
