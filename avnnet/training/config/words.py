"""Config files and words as nested values, read without torch or Lightning; later ones go over earlier ones."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

CONFIG = ("-c", "--config")
NOTHING = object()  # where a key is not there; one that is may be empty


def split_words(words: Sequence[str]) -> tuple[list[Path], list[tuple[str, Any]]]:
    """The config files of a command line, and its keys with their values, each in their order.

    Args:
        words: of Lightning's command line: `-c FILE --data.fold=2 --trainer.max_epochs 5`.

    Examples:
        >>> split_words(["-c", "unet3d.yaml", "--data.fold=2", "--trainer.logger", "CSVLogger"])
        ([PosixPath('unet3d.yaml')], [('data.fold', 2), ('trainer.logger', 'CSVLogger')])
    """
    configs, keys = [], []
    for word, value in _pairs(words):
        if word in CONFIG:
            configs.append(Path(value))
        elif word.startswith("--"):
            keys.append((word[2:].removesuffix("+"), _plain(value)))
    return configs, keys


def read_config(path: str | Path) -> dict[str, Any] | None:
    """The content of a config file, or None if it is no YAML of keys; the config parser says why.

    Args:
        path: of the file.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return None
    return content if isinstance(content, dict) and all(isinstance(key, str) for key in content) else None


def merged(words: Sequence[str]) -> dict[str, Any]:
    """All config files and keys in one nested dict, as far as they can be read; classes keep their `init_args`.

    Args:
        words: of Lightning's command line.

    Examples:
        >>> merged(["--trainer.logger=CSVLogger", "--trainer.logger.name=hips"])["trainer"]["logger"]
        {'class_path': 'CSVLogger', 'init_args': {'name': 'hips'}}
    """
    whole: dict[str, Any] = {}
    for _, laid in _layers(words):
        whole = laid
    return whole


def origin_of(place: Sequence[str], words: Sequence[str]) -> str:
    """The config file or the word that gives a key the value that counts, or nothing if none does.

    Args:
        place: of the key, name by name.
        words: of Lightning's command line.

    Examples:
        >>> origin_of(["data", "fold"], ["--data.fold=2", "--data.seed=1"])
        '--data.fold'
    """
    held, origin = "", ""
    for name, whole in _layers(words):
        value: Any = {"": whole}
        for key in ("", *place):
            value = value[key] if isinstance(value, dict) and key in value else NOTHING
        # a class and its class_path are one
        found = json.dumps(value.get("class_path", value) if isinstance(value, dict) else value, default=str)
        if value is not NOTHING and found != held:
            held, origin = found, name
    return origin


def _layers(words: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each config file and key, and all up to it in one nested dict, which the next one changes."""
    configs, keys = split_words(words)
    whole: dict[str, Any] = {}
    for path in configs:
        _merge(whole, read_config(path) or {})
        yield path.name, whole
    for key, value in keys:
        _put(whole, key.split("."), value)
        yield f"--{key}", whole


def without(key: str, words: Sequence[str]) -> list[str]:
    """The words without a key and all below it.

    Args:
        key: "trainer.logger".
        words: of Lightning's command line.

    Examples:
        >>> without("trainer.logger", ["--data.fold=2", "--trainer.logger", "CSVLogger", "--trainer.logger.name=a"])
        ['--data.fold=2']
    """
    rest: list[str] = []
    number = 0
    for name, _, count in _grouped(words):
        word = name.removeprefix("--").removesuffix("+")
        if word != key and not word.startswith(f"{key}."):
            rest += words[number : number + count]
        number += count
    return rest


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name, value, _ in _grouped(words):
        yield name, value


def _grouped(words: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Each word with its value, and of how many words both are."""
    number = 0
    while number < len(words):
        begin = number
        name, equals, value = words[number].partition("=")
        number += 1
        follows = words[number] if number < len(words) else "--"
        if not equals and name.startswith("-") and not follows.startswith("--") and follows not in CONFIG:
            value = words[number]
            number += 1
        yield name, value, number - begin


def _plain(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return text


def _merge(whole: dict[str, Any], part: dict[str, Any]) -> None:
    for key, value in part.items():
        held = whole.get(key)
        is_same_class = isinstance(held, dict) and (
            not isinstance(value, dict) or value.get("class_path") in (None, held.get("class_path"))
        )
        if isinstance(held, dict) and isinstance(value, dict) and is_same_class:
            _merge(held, value)
        else:
            whole[key] = value


def _put(whole: dict[str, Any], parts: Sequence[str], value: Any) -> None:
    for name in parts[:-1]:
        held = whole.get(name)
        if isinstance(held, str):
            held = {"class_path": held, "init_args": {}}
        if not isinstance(held, dict):
            held = {}
        whole[name] = held
        is_of_class = "class_path" in held and not {"init_args", "class_path", "dict_kwargs"} & set(parts)
        whole = held.setdefault("init_args", {}) if is_of_class else held
    _merge(whole, {parts[-1]: value})
