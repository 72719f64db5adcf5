"""Objects to plain dicts and back, so that a file can say how a network was built without naming code."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from avnnet.errors import InvalidRecipe

PLAIN = (bool, int, float, str, type(None))


def describe(obj: Any) -> Any:
    """A plain, JSON-able description of an object that keeps its constructor arguments under their names.

    Args:
        obj: an object whose attributes hold its constructor arguments; numbers, text, lists, dicts and
            classes pass through.

    Raises:
        InvalidRecipe: if a constructor argument is not kept as an attribute, or is not describable.

    Examples:
        >>> from avnnet.labels import HIP, LabelScheme
        >>> build(describe(HIP), [LabelScheme]) == HIP
        True
    """
    if isinstance(obj, PLAIN):
        return obj
    if isinstance(obj, type):
        return {"type": obj.__name__}
    if isinstance(obj, Mapping):
        return {"items": [[describe(key), describe(value)] for key, value in obj.items()]}
    if isinstance(obj, list | tuple):
        return [describe(item) for item in obj]
    parameters = list(inspect.signature(type(obj).__init__).parameters.values())[1:]
    missing = [p.name for p in parameters if not hasattr(obj, p.name)]
    if missing:
        raise InvalidRecipe(
            f"{type(obj).__name__} must keep its constructor arguments as attributes of the same name; "
            f"missing {missing}"
        )
    return {"class": type(obj).__name__, "args": {p.name: describe(getattr(obj, p.name)) for p in parameters}}


def build(recipe: Any, classes: Iterable[type]) -> Any:
    """The object that a description stands for; only the classes handed over can be built.

    Args:
        recipe: what `describe` gave, possibly through JSON.
        classes: the classes that the recipe may name. A file never names what to import.

    Raises:
        InvalidRecipe: if the recipe names a class that was not handed over, or its arguments do not fit.
    """
    known = {cls.__name__: cls for cls in classes}

    def look_up(name: str) -> type:
        if name not in known:
            raise InvalidRecipe(
                f"the recipe names the class {name!r}, known are {sorted(known)}; "
                "hand over your own class: load_model(path, classes=[...])"
            )
        return known[name]

    def restore(value: Any) -> Any:
        if isinstance(value, PLAIN):
            return value
        if isinstance(value, list):
            return [restore(item) for item in value]
        if isinstance(value, dict):
            if value.keys() == {"type"}:
                return look_up(value["type"])
            if value.keys() == {"items"}:
                return {restore(key): restore(item) for key, item in value["items"]}
            if value.keys() == {"class", "args"}:
                cls = look_up(value["class"])
                try:
                    return cls(**{name: restore(item) for name, item in value["args"].items()})
                except TypeError as error:
                    raise InvalidRecipe(f"cannot build {value['class']}: {error}") from error
        raise InvalidRecipe(
            f"not a recipe: {str(value)[:80]}; expected what describe() wrote. If a model.json was edited by hand, "
            "copy it again"
        )

    return restore(recipe)
