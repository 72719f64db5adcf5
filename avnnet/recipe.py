"""Objects to plain dicts and back, so that a file can say how a network was built without naming code."""

from __future__ import annotations

import functools
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any, NoReturn

from avnnet.errors import AvnnetError, InvalidRecipe
from avnnet.parts import part

PLAIN = (bool, int, float, str, type(None))
DEEPEST = 32  # of lists and objects in each other; a U-Net in a model needs 7
# a recipe may name what these packages export, and no other module: importing them runs nobody's code but theirs
LIBRARIES = (
    "torch.nn",
    "monai.networks.nets",
    "dynamic_network_architectures.architectures.unet",
    "dynamic_network_architectures.building_blocks.residual",
)


def describe(obj: Any) -> Any:
    """A plain, JSON-able description of an object that keeps its constructor arguments under their names.

    An argument that a class got later is named in its `left_out_at_default` and described only where it is not the
    default, so that older versions, folders and caches know the rest as before. One that it has lost is named in its
    `no_longer`: `build` leaves it away.

    Args:
        obj: an object whose attributes hold its constructor arguments; numbers, text, lists, dicts, classes and
            `functools.partial` of classes pass through.

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
        return {"type": _name(obj)}
    if isinstance(obj, functools.partial):
        filled = part(obj)
        if isinstance(filled, type):
            return describe(filled)
        cls: Any = filled.func
        return {"part": _name(cls), "args": {name: describe(value) for name, value in filled.keywords.items()}}
    if isinstance(obj, Mapping):
        return {"items": [[describe(key), describe(value)] for key, value in obj.items()]}
    if isinstance(obj, list | tuple):
        return [describe(item) for item in obj]
    has_none = type(obj).__init__ is object.__init__  # whose signature says that it takes anything
    parameters = [] if has_none else list(inspect.signature(type(obj).__init__).parameters.values())[1:]
    missing = [p.name for p in parameters if not hasattr(obj, p.name)]
    if missing:
        raise InvalidRecipe(
            f"{type(obj).__name__} must keep its constructor arguments as attributes of the same name; "
            f"missing {missing}"
        )
    late = getattr(type(obj), "left_out_at_default", ())  # added since: so recipes of before stay the same
    kept = [p.name for p in parameters if p.name not in late or getattr(obj, p.name) is not p.default]
    return {"class": type(obj).__name__, "args": {name: describe(getattr(obj, name)) for name in kept}}


def named_classes(obj: Any) -> list[type]:
    """The classes that `describe` names of an object and that `build` has to be handed: all but those of libraries.

    Args:
        obj: as for `describe`.

    Examples:
        >>> from avnnet.labels import HIP
        >>> named_classes([HIP, {1: dict}])
        [<class 'avnnet.labels.LabelScheme'>, <class 'dict'>]
    """
    if isinstance(obj, PLAIN):
        return []
    if isinstance(obj, type):
        return [] if "." in _name(obj) else [obj]
    if isinstance(obj, functools.partial):
        inner = [obj.func, *obj.keywords.values()]
    elif isinstance(obj, Mapping):
        inner = [*obj.keys(), *obj.values()]
    elif isinstance(obj, list | tuple):
        inner = list(obj)
    else:
        names = list(inspect.signature(type(obj).__init__).parameters)[1:]
        inner = [type(obj), *(getattr(obj, name, None) for name in names)]
    return list(dict.fromkeys(cls for one in inner for cls in named_classes(one)))


def build(recipe: Any, classes: Iterable[type]) -> Any:
    """The object that a description stands for; only the classes handed over can be built.

    Args:
        recipe: what `describe` gave, possibly through JSON.
        classes: the classes that the recipe may name. A file never names what to import.

    Raises:
        InvalidRecipe: if the recipe names a class that was not handed over, or its arguments do not fit, or if two
            classes have one name.
        AvnnetError: as a class refuses its arguments.
    """
    known = _by_name(classes)

    def look_up(name: Any, *, is_made: bool = False) -> type:
        # a library's class only fills slots: whoever makes it there looks at its arguments first
        if isinstance(name, str) and name not in known and not is_made:
            found = _of_a_library(name)
            if found is not None:
                return found
        if not isinstance(name, str) or name not in known:
            raise InvalidRecipe(
                f"the recipe names the class {str(name)[:80]!r}, known are {sorted(known)}; "
                "hand over your own class: --classes MODULE.CLASS, or in Python load_model(path, classes=[...])"
            )
        return known[name]

    def restore(value: Any) -> Any:
        if isinstance(value, PLAIN):
            return value
        if isinstance(value, list):
            return [restore(item) for item in value]
        if isinstance(value, dict):
            if value.keys() == {"type"}:
                return part(look_up(value["type"]))
            if value.keys() == {"items"}:
                return _made("a dict", lambda: {restore(key): restore(item) for key, item in value["items"]})
            if value.keys() == {"part", "args"}:
                filled = {str(name): restore(item) for name, item in value["args"].items()}
                return part(functools.partial(look_up(value["part"]), **filled))
            if value.keys() == {"class", "args"}:
                cls = look_up(value["class"], is_made=True)
                gone, args = getattr(cls, "no_longer", ()), value["args"]
                return _made(
                    cls.__name__,
                    lambda: cls(**{name: restore(item) for name, item in args.items() if name not in gone}),
                )
        raise InvalidRecipe(
            f"not a recipe: {str(value)[:80]}; expected what describe() wrote. If a model.json was edited by hand, "
            "copy it again"
        )

    return restore(recipe)


def _name(cls: type) -> str:
    for library in LIBRARIES:
        if getattr(sys.modules.get(library), cls.__name__, None) is cls:
            return f"{library}.{cls.__name__}"
    return cls.__name__


def _of_a_library(name: str) -> type | None:
    library, _, attribute = name.rpartition(".")
    if library not in LIBRARIES:
        return None
    try:
        found = getattr(import_module(library), attribute, None)
    except ImportError as error:
        raise InvalidRecipe(
            f"the recipe names {name}, and {library.partition('.')[0]} is not installed here ({error}); install it"
        ) from error
    return found if isinstance(found, type) else None


def _by_name(classes: Iterable[type]) -> dict[str, type]:
    known: dict[str, type] = {}
    for cls in classes:
        if known.setdefault(cls.__name__, cls) is not cls:
            raise InvalidRecipe(
                f"two classes are called {cls.__name__}, in {known[cls.__name__].__module__} and {cls.__module__}, and "
                "a recipe knows a class by its name; give the one that the model was trained with, or rename yours"
            )
    return known


def _made(name: str, make: Callable[[], Any]) -> Any:
    try:
        return make()
    except AvnnetError:
        raise
    except Exception as error:  # whatever a constructor meets first in arguments that are not its own
        raise InvalidRecipe(f"cannot build {name}: {str(error)[:200] or type(error).__name__}") from error


def parse(text: str) -> Any:
    """The plain values in the JSON text of a recipe.

    Args:
        text: as `json.dumps` wrote it.

    Raises:
        InvalidRecipe: if it is no JSON, nested too deep, or holds a number that is not finite.

    Examples:
        >>> parse('{"planned": 10}')
        {'planned': 10}
        >>> parse('{"planned": 1e999}')
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidRecipe: a recipe holds finite numbers; found 1e999. Export the model again
    """
    try:
        content = json.loads(text, parse_float=_finite, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        what = "nested too deep" if isinstance(error, RecursionError) else f"broken, {str(error)[:200]}"
        raise InvalidRecipe(f"not a recipe: its JSON is {what}. Export the model again") from error
    level = [content]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return content
    raise InvalidRecipe(
        f"the JSON of a recipe has at most {DEEPEST} levels; found more, nested too deep. Export the model again"
    )


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(text: str) -> NoReturn:
    raise InvalidRecipe(f"a recipe holds finite numbers; found {text[:20]}. Export the model again")
