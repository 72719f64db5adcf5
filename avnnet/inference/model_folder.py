"""The folder that an ensemble is kept in: `model.json` and the weights of each member."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from avnnet.atomic import whole_file, write_text_atomically
from avnnet.data.contrast import Contrast
from avnnet.data.integrity import content_hash
from avnnet.data.normalised import known as known_normalisations
from avnnet.data.preprocess import Preprocess
from avnnet.data.scope import Scope
from avnnet.errors import (
    CheckpointCorrupt,
    InvalidConfig,
    InvalidNetwork,
    InvalidRecipe,
    InvalidRecord,
    MissingFile,
    ModelMismatch,
)
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.engines import Engine
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.fast import FastSet
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.inference.weights import check_header, load_weights, tensors_of
from avnnet.labels import LabelScheme
from avnnet.models import NetworkLike, keeps_contract
from avnnet.models import known as known_networks
from avnnet.recipe import build, describe, parse
from avnnet.typed import typed

KNOWN: tuple[type, ...] = (*known_networks(), *known_normalisations(), Preprocess, Contrast, Scope, Tiling, LabelScheme)
SCHEMA = 3
T = TypeVar("T")
MAX_JSON_BYTES = 64 << 20  # the hashes of a million training images
MAX_NETWORKS = 10_000
RECIPE = "recipe"
LOCATOR = "locator"
COMPILED = "compiled"
"""Folder of networks that an engine has compiled for this machine; it can be deleted at any time."""


def save_model(model: Segmenter, folder: str | Path) -> Path:
    """The folder written: `model.json` and the weights of each member as safetensors; a locator in a folder of its own.

    The weights carry their own recipe, so that a `model.json` edited by hand or taken from another folder is noticed.

    Args:
        model: the ensemble.
        folder: made when needed; `model.json` is written last.
    """
    folder = Path(folder)
    if model.locator is not None:
        _save(model.locator.ensemble, {}, folder / LOCATOR)
    known: dict[str, Any] = {"planned": model.planned}
    if model.cleaning is not None:  # a model without a study has decided nothing
        known["cleaning"] = list(model.cleaning.steps)
    if model.fast is not None:
        known["fast"] = asdict(model.fast)
    return _save(model.ensemble, known, folder)


def _save(model: Ensemble, known: Mapping[str, Any], folder: Path) -> Path:
    scheme = describe(model.scheme)
    entries = []
    for number, member in enumerate(model.members):
        weights = folder / f"{number:02d}-{member.name}.safetensors"
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors_of(member.net).items()}
        recipe = member.recipe()
        with whole_file(weights) as partial:
            save_file(tensors, partial, metadata={RECIPE: json.dumps({"scheme": scheme, **recipe}, sort_keys=True)})
        entries.append({"weights": weights.name, "sha256": content_hash(weights), **recipe})
    content = {"schema": SCHEMA, "scheme": scheme, "planned": len(entries), "members": entries, **known}
    write_text_atomically(folder / "model.json", json.dumps(content, indent=1))
    return folder


def load_model(
    folder: str | Path, *, classes: Iterable[type] = (), device: str = "cpu", engine: Engine | None = None
) -> Segmenter:
    """The ensemble in a model folder.

    Args:
        folder: what `save_model` or a study wrote.
        classes: your own blocks, networks and intensity normalisations, if the model was trained with any; a file
            never names what to import.
        device: "cpu", "cuda", "cuda:1", ...; "auto" takes CUDA where there is one.
        engine: what computes the networks, as `chosen_engine` gives it; torch in float32 by default.

    Raises:
        MissingFile: if there is no `model.json` or a weight file is gone.
        InvalidConfig: if there is no such device.
        InvalidRecipe: if `model.json` is not a model, or names an unknown class.
        CheckpointCorrupt: if a weight file is damaged.
        ModelMismatch: if weights do not fit their network or their recipe, are not finite or stand twice, or if the
            members were trained on different cohorts.
    """
    folder = Path(folder)
    known = [*KNOWN, *classes]
    ensemble, content = _load(folder, known, engine)
    finder = folder / LOCATOR
    locator = Locator(_load(finder, known, engine)[0]) if (finder / "model.json").is_file() else None
    model = Segmenter(
        ensemble.members,
        ensemble.scheme,
        engine=engine,
        planned=content["planned"],
        locator=locator,
        sha256=model_hash(folder),
        cleaning=content.get("cleaning"),
        fast=content.get("fast"),
    )
    return model.to(device)


def model_hash(folder: str | Path) -> str:
    """Names a model: the hash of its `model.json`, which holds those of its weights, and of its locator's.

    Args:
        folder: what `save_model` wrote.
    """
    parts = [Path(folder) / "model.json", Path(folder) / LOCATOR / "model.json"]
    return content_hash(*(path for path in parts if path.is_file()))


def _load(folder: Path, known: list[type], engine: Engine | None) -> tuple[Ensemble, dict[str, Any]]:
    """The ensemble of a folder, and what its `model.json` says besides: planned, cleaning and fast."""
    path = folder / "model.json"
    if not path.is_file():
        raise MissingFile(f"no model in {folder}; give OUT/model of a study, or RUN/model of avnnet fit")
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise InvalidRecipe(
                f"{path} takes more than {MAX_JSON_BYTES >> 20} MiB, which no model does; copy it again"
            )
        content = parse(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise InvalidRecipe(
                f"{folder} has a model of schema {content['schema']}, this version reads {SCHEMA}; train again, or use "
                "the version of avnnet that wrote it"
            )
        scheme = _built(content["scheme"], known, LabelScheme)
        members = [_member(folder, content["scheme"], entry, known) for entry in content["members"]]
        planned = content["planned"]
        if not isinstance(planned, int) or not 0 <= planned <= MAX_NETWORKS:
            raise InvalidRecipe(
                f"planned is the number of networks of a finished study, at most {MAX_NETWORKS}; found "
                f"{str(planned)[:40]}. Copy the model again"
            )
        _check_unlike(content["members"])
        said: dict[str, Any] = {"planned": planned}
        if "cleaning" in content:
            said["cleaning"] = _cleaning(content["cleaning"])
        if "fast" in content:
            said["fast"] = _fast(content["fast"], {member.name for member in members})
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise InvalidRecipe(f"{path} is not a model of avnnet ({repr(error)[:200]}); export it again") from error
    return Ensemble(members, scheme, engine=engine), said


def _check_unlike(entries: list[dict[str, Any]]) -> None:
    weights_of: dict[str, str] = {}
    for entry in entries:
        name = str(entry["weights"])
        if entry["sha256"] in weights_of:
            raise ModelMismatch(
                f"{weights_of[entry['sha256']]} and {name} are the same network twice; copy the folds of a study as "
                "they were trained"
            )
        weights_of[entry["sha256"]] = name
        if entry["dataset"] != entries[0]["dataset"]:
            raise ModelMismatch(
                f"{entries[0]['weights']} and {name} were trained on different cohorts; take the folds of one study"
            )


def _member(folder: Path, scheme: Any, entry: dict[str, Any], known: list[type]) -> Member:
    name = Path(str(entry["weights"])).name  # a path in the file must not lead out of the folder
    if not (folder / name).is_file():
        raise MissingFile(f"the weights {name} are missing in {folder}; copy the whole folder")
    if content_hash(folder / name) != entry["sha256"]:
        raise CheckpointCorrupt(f"{name} is not the file that was written (its checksum differs); copy it again")
    recipe = {key: value for key, value in entry.items() if key not in ("weights", "sha256")}
    _check_recipe(folder / name, {"scheme": scheme, **recipe})
    net = _network(entry["net"], known)
    load_weights(net, folder / name)
    preprocess, tiling = _built(entry["preprocess"], known, Preprocess), _built(entry["tiling"], known, Tiling)
    contrast = None if entry["contrast"] is None else _built(entry["contrast"], known, Contrast)
    scope = None if entry["scope"] is None else _built(entry["scope"], known, Scope)
    past = entry["trained_on"], str(entry["dataset"])
    return Member(net, preprocess, tiling, str(entry["name"]), *past, contrast, scope)


def _cleaning(steps: Any) -> Cleaning:
    try:
        return Cleaning(tuple(steps))
    except InvalidConfig as error:
        raise InvalidRecipe(f"{str(error)[:300]}. Copy the model again") from error


def _fast(content: Any, names: Collection[str]) -> FastSet:
    try:
        fast: FastSet = typed(content, FastSet)
    except InvalidRecord as error:
        raise InvalidRecipe(f"fast: {str(error)[:300]}. Copy the model again") from error
    if not fast.networks or not set(fast.networks) <= set(names):
        raise InvalidRecipe(
            f"fast names some of the model's networks, {', '.join(sorted(names))[:200]}; found "
            f"{', '.join(fast.networks)[:200] or 'none'}. Copy the model again"
        )
    return fast


def _network(recipe: Any, known: list[type]) -> NetworkLike:
    made = build(recipe, known)
    try:
        return keeps_contract(made)
    except InvalidNetwork as error:
        raise InvalidRecipe(f"not a recipe of a network: {error}. Copy the model again") from error


def _built(recipe: Any, known: list[type], kind: type[T]) -> T:
    made = build(recipe, known)
    if not isinstance(made, kind):
        raise InvalidRecipe(
            f"not a recipe of a {kind.__name__}: it makes a {type(made).__name__}. Copy the model again"
        )
    return made


def _check_recipe(path: Path, said: dict[str, Any]) -> None:
    check_header(path)
    try:
        with safe_open(path, "pt") as file:
            kept = parse((file.metadata() or {})[RECIPE])
    except (SafetensorError, OSError) as error:
        raise CheckpointCorrupt(f"{path.name} cannot be read ({error}); copy it again") from error
    except (KeyError, InvalidRecipe) as error:
        raise ModelMismatch(f"{path.name} does not say what it was trained with; export the model again") from error
    field = _first_difference(said, kept)
    if field:
        raise ModelMismatch(
            f"model.json does not belong to {path.name}: {field}. Copy the whole folder again, and edit neither"
        )


def _first_difference(said: Any, kept: Any, where: str = "") -> str:
    if isinstance(said, Mapping) and isinstance(kept, Mapping):
        for key in sorted(said.keys() | kept.keys()):
            inner = where if key in ("class", "args", "items") else f"{where}.{key}".lstrip(".")
            found = _first_difference(said.get(key), kept.get(key), inner)
            if found:
                return found
        return ""
    return "" if said == kept else f"{where} is {str(said)[:60]}, the weights were trained with {str(kept)[:60]}"
