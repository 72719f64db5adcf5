"""The argument names of a class, read from its source: a config is checked before torch and Lightning are imported."""

from __future__ import annotations

import ast
import importlib.util
from functools import cache
from pathlib import Path

MAX_STEPS = 12  # imports and bases between a name and its `__init__`


class _Unknown(Exception):
    """The source does not say for certain what a class takes."""


def argument_names(class_path: str) -> frozenset[str] | None:
    """The names that a class takes, or None where its source leaves it open, for example by `**kwargs`.

    Nothing is imported or run.

    Args:
        class_path: module and class, "torch.optim.AdamW".

    Examples:
        >>> sorted(argument_names("avnnet.training.schedule.PolynomialDecay"))
        ['power', 'warmup']
        >>> sorted(argument_names("avnnet.labels.LabelScheme"))
        ['names', 'part', 'whole']
        >>> argument_names("no_such_module.Thing") is None
        True
    """
    module, _, name = class_path.rpartition(".")
    try:
        return frozenset(_arguments(*_found(module, name, 0), 0))
    except (_Unknown, OSError, SyntaxError, ValueError):
        return None


def plain_class_of(class_path: str, argument: str) -> str | None:
    """The class path of an argument's annotation where this is the name of a class of avnnet, or None.

    Args:
        class_path: module and class whose argument it is.
        argument: its name.

    Examples:
        >>> plain_class_of("avnnet.training.datamodule.CohortDataModule", "augment")
        'avnnet.data.augment.Augment'
    """
    module, _, name = class_path.rpartition(".")
    try:
        found, home = _found(module, name, 0)
        init = _init_of(found)
        every = [] if init is None else [*init.args.args, *init.args.kwonlyargs]
        notes = [one.annotation for one in every if one.arg == argument]
        note = notes[0] if notes else None
        while isinstance(note, ast.BinOp):  # of a class or others, it is the first whose arguments stand alone
            note = note.left
        if not isinstance(note, ast.Name):
            return None
        owner, place = _found(home, note.id, 0)
    except (_Unknown, OSError, SyntaxError, ValueError):
        return None
    return f"{place}.{owner.name}" if place.startswith("avnnet.") else None


def _arguments(found: ast.ClassDef, module: str, steps: int) -> list[str]:
    if found.keywords or any(isinstance(one, ast.FunctionDef) and one.name == "__new__" for one in found.body):
        raise _Unknown
    init = _init_of(found)
    if init is not None:
        if init.args.kwarg or init.args.vararg:
            raise _Unknown
        return [one.arg for one in (*init.args.posonlyargs, *init.args.args, *init.args.kwonlyargs)][1:]
    if found.decorator_list:
        inherited = [] if not found.bases else _inherited(found, module, steps)
        if inherited or not all("dataclass" in ast.unparse(one) for one in found.decorator_list):
            raise _Unknown
        fields = [one for one in found.body if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)]
        return [ast.unparse(one.target) for one in fields if "ClassVar" not in ast.unparse(one.annotation)]
    return _inherited(found, module, steps)


def _inherited(found: ast.ClassDef, module: str, steps: int) -> list[str]:
    if not found.bases:
        return []
    if len(found.bases) != 1 or not isinstance(found.bases[0], ast.Name):
        raise _Unknown
    return _arguments(*_found(module, found.bases[0].id, steps + 1), steps + 1)


def _init_of(found: ast.ClassDef) -> ast.FunctionDef | None:
    functions = [one for one in found.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    return functions[0] if functions else None


def _found(module: str, name: str, steps: int) -> tuple[ast.ClassDef, str]:
    """The definition of a class, and the module that it stands in; imports are followed."""
    if steps > MAX_STEPS:
        raise _Unknown
    path, tree = _source(module)
    for one in tree.body:
        if isinstance(one, ast.ClassDef) and one.name == name:
            return one, module
        if isinstance(one, ast.ImportFrom):
            for alias in one.names:
                if (alias.asname or alias.name) == name:
                    return _found(_absolute(module, path, one), alias.name, steps + 1)
    raise _Unknown


def _absolute(module: str, path: Path, one: ast.ImportFrom) -> str:
    if not one.level:
        return one.module or ""
    parts = module.split(".") + ([""] if path.name == "__init__.py" else [])
    return ".".join([*parts[: -one.level], *([one.module] if one.module else [])])


@cache
def _source(module: str) -> tuple[Path, ast.Module]:
    top, *rest = module.split(".")
    spec = importlib.util.find_spec(top) if top else None  # of a top-level name nothing is imported
    if spec is None or spec.origin is None:
        raise _Unknown
    path = Path(spec.origin)
    for part in rest:
        folder = path.parent / part
        path = folder / "__init__.py" if (folder / "__init__.py").is_file() else path.parent / f"{part}.py"
    if path.suffix != ".py":
        raise _Unknown
    return path, ast.parse(path.read_text(encoding="utf-8"))
