"""Which class of a config is not there, is of another kind, or does not take what it is given; found without a parser.

The config parser says it too, with every other way that it tried to read the value. This is asked after it has refused.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from avnnet.training.config.class_words import Fault
from avnnet.training.config.expected import Expected, expected_by
from avnnet.training.config.words import merged

ROOTS = {
    "model": "avnnet.training.task.SegmentationTask",
    "data": "avnnet.training.datamodule.CohortDataModule",
    "trainer": "pytorch_lightning.Trainer",
}
NEEDED = "arguments are required"  # of the config parser


def class_fault(message: str, words: Sequence[str]) -> str:
    """What is wrong with a class that a config names, in a sentence or two, or nothing where no class is at fault.

    Args:
        message: of the config parser, which refused the words; it says of which of several names it speaks.
        words: of Lightning's command line.

    Examples:
        >>> class_fault("", ["--model.loss=avnnet.losses.Focl"])
        "in --model.loss, model.loss names avnnet.losses.Focl, and avnnet.losses has no Focl. Did you mean \
'avnnet.losses.Focal'?"
    """
    whole = merged(words)
    for root, path in ROOTS.items():
        owner = getattr(import_module(path.rpartition(".")[0]), path.rpartition(".")[2])
        for fault in _Search(message).below(whole.get(root), (root,), expected_by(owner)):
            return fault.sentence(words)
    return ""


@dataclass
class _Search:
    message: str

    def below(self, held: Any, place: tuple[str, ...], known: dict[str, Expected]) -> Iterator[Fault]:
        """The faults of the arguments that a class is given."""
        if isinstance(held, dict):
            for name, value in held.items():
                yield from self.at(value, (*place, str(name)), known.get(str(name), Expected()))

    def at(self, value: Any, place: tuple[str, ...], expected: Expected) -> Iterator[Fault]:
        """The faults of a value, which may be a class with its arguments, or several."""
        if isinstance(value, list) and not expected.is_slot:
            for one in value:
                yield from self.at(one, place, expected)
        elif isinstance(value, dict) and isinstance(value.get("class_path"), str):
            yield from self.of_class(value["class_path"], value.get("init_args"), place, expected)
        elif isinstance(value, dict) and "init_args" in value and isinstance(expected.default, type):
            yield from self.of_arguments(expected.default, value["init_args"], place, expected)
        elif isinstance(value, str) and expected.is_class:
            yield from self.of_class(value, None, place, expected)
        elif isinstance(value, dict):
            yield from self.below(value, place, {})
        elif expected.is_slot and (value is not None or not expected.is_optional):
            yield Fault(place, expected, value, "other")

    def of_class(self, path: str, given: Any, place: tuple[str, ...], expected: Expected) -> Iterator[Fault]:
        module, _, name = path.rpartition(".")
        if not module:
            if f"'{path}'" in self.message or f" {path} " in self.message:  # some names need no module
                yield Fault(place, expected, path, "short")
            return
        if not all(part.isidentifier() for part in path.split(".")):
            yield Fault(place, expected, path, "spelt")
            return
        try:
            found = getattr(import_module(module), name, None)
        except (Exception, SystemExit) as error:  # whatever a module does when it is imported
            is_missing = isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}.")
            absent = error.name if isinstance(error, ModuleNotFoundError) else None
            yield Fault(place, expected, path, "nowhere" if is_missing else "broken", absent if is_missing else error)
            return
        if found is None:
            yield Fault(place, expected, path, "absent")
        elif not isinstance(found, type) or not expected.takes(found):
            if not callable(found) or isinstance(found, type) or path in self.message:
                yield Fault(place, expected, path, "kind")
        elif place == ("model", "net") and not hasattr(found, "scales"):
            yield Fault(place, expected, path, "network")
        else:
            yield from self.of_arguments(found, given, place, expected)

    def of_arguments(self, found: type, given: Any, place: tuple[str, ...], expected: Expected) -> Iterator[Fault]:
        given = given if isinstance(given, dict) else {}
        parameters = inspect.signature(found).parameters.values()
        names = [one.name for one in parameters if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)]
        is_open = any(one.kind is one.VAR_KEYWORD for one in parameters)
        for name in given:
            if name not in names and (not is_open or f"'{name}' is not accepted" in self.message):
                yield Fault((*place, "init_args", str(name)), expected, found, "option", names[expected.count :])
        yield from self.below(given, (*place, "init_args"), expected_by(found))
        needed = [one.name for one in parameters if one.name in names and one.default is one.empty]
        needed = [name for name in needed if name not in names[: expected.count] and name not in given]
        if needed and NEEDED in self.message:
            yield Fault(place, expected, found, "needs", needed)
