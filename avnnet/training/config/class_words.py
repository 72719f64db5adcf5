"""What to say of a class in a config that is not there, or does not take what it is given."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from avnnet.training.config.expected import Expected
from avnnet.training.config.offers import in_words, offered, public_path
from avnnet.training.config.words import origin_of

MAX_LENGTH = 80  # of a value that is said again
ALIKE = 0.6  # of two names of which one may be meant for the other
ALIKE_WITH_MODULE = 0.9  # of two import paths: they share most of their characters anyway
# of a slot that may be left empty, what is wrong with leaving it empty comes behind
TYPES = re.compile(r"Expected an? <class '(\w+)'>\. Got value: (.*?)(?:\. Got value| - Expected an? <class|$)")


@dataclass(frozen=True)
class Fault:
    """A class of a config that cannot be used.

    Args:
        place: of the class or of its argument, name by name: `("model", "loss")`.
        expected: what the argument takes that the class stands for.
        found: the import path as written, the class, or another value.
        kind: what is wrong with it.
        more: what belongs to this kind.
    """

    place: tuple[str, ...]
    expected: Expected
    found: Any
    kind: str
    more: Any = None

    def sentence(self, words: Sequence[str]) -> str:
        """The file or word, the key, what was found, and what would work.

        Args:
            words: of the command line, which say where the class stands.
        """
        origin = origin_of(self.place, words)
        said = {"option": self._option, "needs": self._needs, "other": self._other}
        what = said[self.kind]() if self.kind in said else self._name()
        return f"in {origin}, {what}" if origin else what

    def _name(self) -> str:
        module, _, name = self.found.rpartition(".")
        start = f"{'.'.join(self.place)} names {self.found[:MAX_LENGTH]}"
        if self.kind == "short":
            return f"{start} without its module.{self._near_path() or self._there_are()}"
        if self.kind == "spelt":
            return f"{start}, which is no import path such as my_module.MyClass.{self._there_are()}"
        if self.kind == "nowhere":
            top = self.more.partition(".")[0]
            way_out = f" Run the command in the folder of {top}.py, or install its package."
            return f"{start}, and there is no module {self.more}.{self._near_path() or way_out}"
        if self.kind == "broken":
            said = f"{type(self.more).__name__}: {str(self.more)[:200]}"
            return f'{start}, and the module {module} raises {said}. See that python -c "import {module}" runs.'
        if self.kind == "network":
            return (
                f"{start}, which is no network: it has no scales.{self._there_are()} A module of another library is "
                "wrapped in avnnet.models.Foreign."
            )
        if self.kind == "kind":
            what = " or ".join(map(public_path, self.expected.bases)) or "class"
            return f"{start}, which is no {what}.{self._there_are()}"
        near = nearest(name, [one for one in dir(sys.modules[module]) if one[:1].isupper()])
        meant = f" Did you mean '{module}.{near}'?" if near else self._near_path() or self._there_are()
        return f"{start}, and {module} has no {name}.{meant}"

    def _option(self) -> str:
        option, path = self.place[-1], public_path(self.found)
        near = nearest(option, self.more)
        meant = f"Did you mean {near!r}? " if near else ""
        taken = ", ".join(self.more) or "nothing"
        return (
            f"{'.'.join(self.place)}: {option!r} is not accepted. {meant}{path} takes {taken}; an overlay of another "
            "class gives its class_path too."
        )

    def _needs(self) -> str:
        count, key = self.expected.count, ".".join(self.place)
        called = f"{key} is called with {count} arguments, and" if count else f"{key} names a class without arguments:"
        return (
            f"{called} {public_path(self.found)} also needs {', '.join(self.more)}. Give them in init_args, or take "
            f"another class.{self._there_are()}"
        )

    def _other(self) -> str:
        return (
            f"{'.'.join(self.place)} takes a class, by its import path or by class_path and init_args; found "
            f"{str(self.found)[:MAX_LENGTH]}.{self._there_are()}"
        )

    def _near_path(self) -> str:
        """A class of ours that is like the one that was found, in another module or in none."""
        offered = self._offered()
        if "." in self.found:
            near = (difflib.get_close_matches(self.found, offered, n=1, cutoff=ALIKE_WITH_MODULE) or [""])[0]
        else:
            names = {path.rpartition(".")[2]: path for path in offered}
            near = names.get(nearest(self.found, list(names)), "")
        return f" Did you mean {near!r}?" if near else ""

    def _there_are(self) -> str:
        has = in_words(self._offered())
        return f" {has}; one of your own is my_module.MyClass." if has else ""

    def _offered(self) -> list[str]:
        return offered(self.place, self.expected.bases)


def nearest(word: str, names: Sequence[str]) -> str:
    """The name that is most like a word, capitals or not, or nothing if none is.

    Args:
        word: as written.
        names: that there are.

    Examples:
        >>> nearest("Gelu", ["ReLU", "GELU"]), nearest("Gelu", ["Linear"])
        ('GELU', '')
    """
    near = difflib.get_close_matches(word, names, n=1, cutoff=ALIKE)
    same = [name for name in names if name.lower() == word.lower()]
    return (same or near or [""])[0]


def value_fault(message: str, words: Sequence[str]) -> str:
    """What is wrong with a plain value inside a class, in a sentence, or nothing where a message is of something else.

    Args:
        message: of the config parser, in one line.
        words: of the command line.

    Examples:
        >>> said = 'Parser key "model.net": Parser key "width": Expected a <class \\'int\\'>. Got value: big. Got value'
        >>> value_fault(said, ["--model.net.width=big"])
        "model.net.init_args.width takes a value of the type int; found 'big'."
        >>> value_fault(f"{said[:-11]} - Expected a <class 'NoneType'> Given value: NestedArg", [])
        "model.net.init_args.width takes a value of the type int; found 'big'."
    """
    keys, wrong = re.findall(r'Parser key "([\w.]+)"', message), TYPES.search(message)
    if len(keys) < 2 or wrong is None:
        return ""
    place = tuple(".init_args.".join(keys).split("."))
    origin = origin_of(place, words)
    what = f"{'.'.join(place)} takes a value of the type {wrong[1]}; found {wrong[2][:MAX_LENGTH]!r}."
    return f"in {origin}, {what}" if origin else what
