"""Whether a config builds what the config of an older training built."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from avnnet.errors import CheckpointMismatch
from avnnet.training.config.experiment import Experiment

IRRELEVANT_TO_RESUME = frozenset(
    {"data.cohort", "data.cache", "data.splits", "data.workers", "trainer.default_root_dir", "trainer.logger"}
)
"""Where data lie, how they are loaded and who is told, which does not change what is trained."""
OF_ANY_FOLD = IRRELEVANT_TO_RESUME | {"data.fold"}
"""The same where the folds of a study are compared."""
ABSENT = "not there"
CHARACTERS = 60


def check_same_config(
    before: str,
    experiment: Experiment,
    *,
    holds: str,
    way_out: str,
    irrelevant: Collection[str] = IRRELEVANT_TO_RESUME,
) -> None:
    """Refuse an experiment that builds something else than a written config did.

    Args:
        before: the written config, YAML.
        experiment: what is asked for now.
        holds: what has the written config, "fold0/unet3d holds a training".
        way_out: what the user can do.
        irrelevant: keys that may differ.

    Raises:
        CheckpointMismatch: if it builds something else; each changed key is named, with both values.
    """
    try:
        old = yaml.safe_load(before)
    except (yaml.YAMLError, RecursionError) as error:
        raise CheckpointMismatch(
            f"{holds} with a config that is not YAML ({type(error).__name__}); {way_out}"
        ) from error
    if not isinstance(old, dict):
        raise CheckpointMismatch(f"{holds} with a config of no keys; {way_out}")
    changed = [
        f"{key} was {was}, is {now}" for key, was, now in changes(old, experiment) if not _is_of(key, irrelevant)
    ]
    if changed:
        raise CheckpointMismatch(f"{holds} with another config: {'; '.join(changed)}; {way_out}")


def changes(before: Mapping[str, Any], experiment: Experiment) -> Iterator[tuple[str, str, str]]:
    """Each key whose value is another one than before, with the old and the new value in words.

    A key that the written config lacks is that of an argument that was added since: it is no change where its value is
    the default. A key that is unknown now is that of an argument that is gone: it is no change where it was off, null,
    false or empty. The written config is compared as text and nothing in it is built or imported: a file in a folder
    of results must not say what to run.

    Args:
        before: the written config, plain.
        experiment: what is asked for now.
    """
    now = experiment.as_plain()
    before = _with_class_paths(before, now)
    older = _known_before(now, before)
    filled = now if older == now else experiment.filled(older)
    return _changes(before, now, filled, "")


def _is_of(key: str, keys: Collection[str]) -> bool:
    """Whether a key is one of these, or below one: `trainer.logger.init_args.name` below `trainer.logger`."""
    return any(key == one or key.startswith((f"{one}.", f"{one}[")) for one in keys)


def _with_class_paths(before: Any, now: Any) -> Any:
    """A written config in which a class is a `class_path`, where it was a bare path before it could have arguments."""
    if isinstance(now, dict) and "class_path" in now and isinstance(before, str):
        return {"class_path": before}
    if isinstance(now, dict) and isinstance(before, dict):
        return {key: _with_class_paths(value, now.get(key)) for key, value in before.items()}
    return before


def _known_before(now: Any, before: Any) -> Any:
    """A config without the keys that an older one lacks."""
    if _are_alike(now, before):
        return {key: _known_before(value, before[key]) for key, value in now.items() if key in before}
    if _are_lists(now, before):
        return [_known_before(*pair) for pair in zip(now, before, strict=True)]
    return now


def _changes(before: Any, now: Any, filled: Any, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(now, dict) and isinstance(before, dict):
        if not _are_alike(now, before):  # the arguments of another class are other ones: its name says enough
            yield _under(key, "class_path"), _shown(before["class_path"]), _shown(now["class_path"])
            return
        for name in sorted(now.keys() | before.keys(), key=str):
            place, defaults = _under(key, name), filled if isinstance(filled, dict) else {}
            if name not in now:
                if not _is_off(before[name]):
                    yield place, _shown(before[name]), ABSENT
            elif name in before:
                yield from _changes(before[name], now[name], defaults.get(name), place)
            elif name not in defaults or defaults[name] != now[name]:
                yield place, ABSENT, _shown(now[name])
    elif _are_lists(now, before):
        fillings = filled if isinstance(filled, list) and len(filled) == len(now) else [None] * len(now)
        for number, items in enumerate(zip(before, now, fillings, strict=True)):
            yield from _changes(*items, f"{key}[{number}]")
    elif before != now:
        yield key, _shown(before), _shown(now)


def _are_alike(now: Any, before: Any) -> bool:
    are_dicts = isinstance(now, dict) and isinstance(before, dict)
    return are_dicts and ("class_path" not in now or now["class_path"] == before.get("class_path", now["class_path"]))


def _are_lists(now: Any, before: Any) -> bool:
    return isinstance(now, list) and isinstance(before, list) and len(now) == len(before)


def _is_off(value: Any) -> bool:
    return value is None or value is False or value in ([], {}, "")


def _under(key: str, name: Any) -> str:
    return f"{key}.{name}" if key else str(name)


def _shown(value: Any) -> str:
    text = "".join(one for one in json.dumps(value, default=str) if one.isprintable())
    return text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…"
