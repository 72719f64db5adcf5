"""Keys of a config checked from sources alone, so that a slip is answered before torch and Lightning are imported."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from avnnet.errors import InvalidConfig, MissingFile
from avnnet.training.config.signatures import argument_names, plain_class_of
from avnnet.training.config.words import merged, read_config, split_words

ROOTS = {
    "model": "avnnet.training.task.SegmentationTask",
    "data": "avnnet.training.datamodule.CohortDataModule",
    "trainer": "pytorch_lightning.trainer.trainer.Trainer",
}
SHORT = {"trainer.logger": "pytorch_lightning.loggers.", "trainer.callbacks": "pytorch_lightning.callbacks."}
# of the parser itself
OTHERS = frozenset({"seed_everything", "config", "print_config", "help"})
OF_OTHER_COMMANDS = {"out": "trainer.default_root_dir", "nets": "config", "epochs": "trainer.max_epochs"}
OF_A_CLASS = frozenset({"class_path", "init_args", "dict_kwargs", "help"})

NO_CKPT_PATH = (
    "--ckpt_path is not taken: a training goes on after the last whole epoch in its folder by itself, give the same "
    "--trainer.default_root_dir; to start from the weights of a trained model give --from MODEL"
)


def check_keys(words: Sequence[str]) -> None:
    """Refuse a key that no class takes, in config files and in words, as far as the sources say for certain.

    What is left open here, and every value, is checked by the config parser.

    Args:
        words: of Lightning's command line: `-c FILE --data.fold=2`.

    Raises:
        MissingFile: if a config does not exist.
        InvalidConfig: if a key is unknown; the nearest one is named.
    """
    configs, keys = split_words(words)
    if any(key == "ckpt_path" for key, _ in keys):
        raise InvalidConfig(NO_CKPT_PATH)
    for path in configs:
        if not path.is_file() and "\n" not in str(path) and path.suffix in (".yaml", ".yml", ".json"):
            raise MissingFile(f"no config {path}; ready ones are in experiments/")
    for path in configs:
        for key, known in _unknown_in(read_config(path), "", None):
            raise InvalidConfig(_words_of(key, known, f"in {Path(path).name}"))
    whole = merged(words)
    for key, _ in keys:
        for wrong, known in _unknown_of(key.split("."), whole):
            raise InvalidConfig(_words_of(wrong, known, f"in --{key}"))


def _unknown_in(content: Any, place: str, known: frozenset[str] | None) -> Iterator[tuple[str, frozenset[str]]]:
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if "." in str(name):  # a dotted key is left to the config parser
            continue
        key = f"{place}.{name}" if place else str(name)
        if not place:
            if name not in ROOTS and name not in OTHERS:
                yield key, frozenset(ROOTS) | OTHERS
            elif name in ROOTS:
                yield from _unknown_in(value, key, argument_names(ROOTS[name]))
        elif known is not None and name not in known:
            yield key, known
        else:
            yield from _unknown_below(value, key)


def _unknown_below(value: Any, key: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The same of the value of an argument: a class with its arguments, or several."""
    if isinstance(value, list):
        for one in value:
            if isinstance(one, dict) and "class_path" in one:
                yield from _unknown_below(one, key)
    elif isinstance(value, dict) and "class_path" in value:
        of_class = _of_class(value["class_path"], key)
        init_args = value.get("init_args")
        if isinstance(init_args, dict):
            yield from _unknown_in(init_args, f"{key}.init_args", of_class)
    elif isinstance(value, dict) and key.count(".") == 1:
        root, argument = key.split(".")
        plain = plain_class_of(ROOTS[root], argument) if root in ROOTS else None
        known = None if plain is None else argument_names(plain)
        if known is not None:
            yield from ((f"{key}.{name}", known) for name in value if name not in known)


def _unknown_of(parts: Sequence[str], whole: dict[str, Any]) -> Iterator[tuple[str, frozenset[str]]]:
    """The same of a word's key; the classes that it goes through are those of the whole config."""
    root, *rest = parts
    if root not in ROOTS:
        if root not in OTHERS:
            yield root, frozenset(ROOTS) | OTHERS
        return
    known = argument_names(ROOTS[root])
    if not rest or rest[0] == "help" or not rest[0].isidentifier() or known is None:
        return
    if rest[0] not in known:
        yield f"{root}.{rest[0]}", known
        return
    held = (whole.get(root) or {}).get(rest[0]) if isinstance(whole.get(root), dict) else None
    inner = [name for name in rest[1:] if name not in OF_A_CLASS]
    if inner and isinstance(held, dict) and "class_path" in held:
        of_class = _of_class(held["class_path"], f"{root}.{rest[0]}")
        if of_class is not None and inner[0] not in of_class:
            yield f"{root}.{rest[0]}.{inner[0]}", of_class
    elif inner and isinstance(held, dict):
        yield from _unknown_below({inner[0]: None}, f"{root}.{rest[0]}")


def _of_class(class_path: Any, key: str) -> frozenset[str] | None:
    """The arguments of a class; loggers and callbacks of Lightning's may be given by name alone."""
    home = SHORT.get(key, "") if "." not in str(class_path) else ""
    return argument_names(f"{home}{class_path}")


def _words_of(key: str, known: frozenset[str], place: str) -> str:
    word = key.rpartition(".")[2]
    homes = {name: f"{root}.{name}" for root, owner in ROOTS.items() for name in argument_names(owner) or ()}
    near = [one for names in (known, {*homes, *ROOTS}) for one in difflib.get_close_matches(word, names, n=1)]
    meant = OF_OTHER_COMMANDS.get(word) or homes.get(word) or next(iter(near), None)
    hint = f" Did you mean {meant!r}?" if meant else ""
    return f"the config cannot be used: unknown key {key!r} {place}.{hint} See avnnet fit --help for all keys"
