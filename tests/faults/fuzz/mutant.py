"""The mutant of a number, and what comes out of reading it."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import shutil
import struct
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avnnet.cli import main
from avnnet.data.files import read_grid, read_image, read_labels
from avnnet.data.files.structures import read_structures
from avnnet.data.integrity import image_files_hash
from avnnet.errors import AvnnetError
from avnnet.exchange import import_nnunet
from avnnet.inference.model_folder import RECIPE, load_model
from tests.faults.fuzz.mutations import Rng, any_bytes, element, json_text, json_value, words
from tests.faults.fuzz.sound import CANARY, KINDS, sound

LONGEST_S = 10.0
BINARY = {"nifti": 352, "pair": 352, "mgh": 90}  # and how many bytes say something
DICOM = ("classic", "enhanced", "implicit", "deflated")
READ, REFUSED = "read", "refused"


def kind_of(seed: int) -> str:
    """Which kind of files a number changes."""
    return KINDS[seed % len(KINDS)]


def write_mutant(seed: int, folder: Path) -> Path:
    """The folder, with the files of this number's mutant in it alone."""
    kind, rng = kind_of(seed), np.random.default_rng(seed)
    if folder.exists():
        shutil.rmtree(folder)
    for name, content in _changed(kind, rng):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _changed(kind: str, rng: Rng) -> Iterator[tuple[str, bytes]]:
    files = sound(kind)
    if kind in ("model", "weights"):
        yield from _model(files, rng, kind == "weights")
        return
    if kind == "results":
        yield from _results(files, rng)
        return
    names, again = list(files), int(rng.integers(2**32))
    chosen = names if rng.random() < 0.5 else [names[int(rng.integers(len(names)))]]
    for name in names:
        # the same change of all files: a fault of the exporter, not of one copy
        one = _one(kind, files[name], np.random.default_rng(again)) if name in chosen else files[name]
        yield name, one


def _one(kind: str, content: bytes, rng: Rng) -> bytes:
    if kind in ("classic", "enhanced"):
        return element(content, rng) if rng.random() < 0.7 else any_bytes(content, rng, 1400)
    if kind in DICOM:
        return any_bytes(content, rng, 1400)
    if kind in BINARY:
        content = any_bytes(content, rng, BINARY[kind]) if rng.random() < 0.8 else any_bytes(content, rng)
        if rng.random() < 0.3:
            content = gzip.compress(content, 1)
            return any_bytes(content, rng) if rng.random() < 0.5 else content
        return content
    if rng.random() < 0.3:
        return any_bytes(content, rng, 700)
    return words(content, rng, b"ElementDataFile" if kind == "metaimage" else b"\n\n")


def _model(files: dict[str, bytes], rng: Rng, is_weights: bool) -> Iterator[tuple[str, bytes]]:
    """A model folder, most often with weights that agree to what its model.json was made."""
    name = next(one for one in files if one.endswith(".safetensors"))
    weights, content = files[name], json.loads(files["model.json"])
    length = struct.unpack("<Q", weights[:8])[0]
    if is_weights and rng.random() < 0.6:
        weights = _with_header(weights, json_value(json.loads(weights[8 : 8 + length]), rng))
    elif is_weights:
        weights = any_bytes(weights, rng, 8 + length if rng.random() < 0.7 else None)
    elif rng.random() < 0.2:
        yield "model.json", any_bytes(files["model.json"], rng)
        yield name, weights
        return
    else:
        content = json_value(content, rng)
        with contextlib.suppress(Exception):
            entry = content["members"][0]
            recipe = {key: value for key, value in entry.items() if key not in ("weights", "sha256")}
            header = json.loads(weights[8 : 8 + length])
            header["__metadata__"] = {RECIPE: json.dumps({"scheme": content["scheme"], **recipe})}
            weights = _with_header(weights, header)
    if rng.random() < 0.9:
        with contextlib.suppress(Exception):
            if len(content["members"][0]["sha256"]) == 64:
                content["members"][0]["sha256"] = hashlib.sha256(hashlib.sha256(weights).digest()).hexdigest()
    yield "model.json", json_text(content).encode()
    yield name, weights


def _results(files: dict[str, bytes], rng: Rng) -> Iterator[tuple[str, bytes]]:
    """A results folder of nnU-Net, most often with one value changed, of its plans, its labels or its checkpoint."""
    chosen = sorted(files)[int(rng.integers(len(files)))]
    for name, content in files.items():
        if name != chosen:
            yield name, content
        elif rng.random() < 0.2:
            yield name, any_bytes(content, rng)
        elif name.endswith(".json"):
            yield name, json_text(json_value(json.loads(content), rng)).encode()
        else:
            packed, held = io.BytesIO(), torch.load(io.BytesIO(content), weights_only=True)
            weights = held.pop("network_weights")
            changed = json_value(held, rng)
            with contextlib.suppress(TypeError):
                changed = {**changed, "network_weights": weights}
            try:
                torch.save(changed, packed)
            except RecursionError:  # nested deeper than pickle writes
                yield name, any_bytes(content, rng)
                continue
            yield name, packed.getvalue()


def _with_header(weights: bytes, header: Any) -> bytes:
    packed = json_text(header).encode()
    packed += b" " * (-len(packed) % 8)
    return struct.pack("<Q", len(packed)) + packed + weights[8 + struct.unpack("<Q", weights[:8])[0] :]


def outcome(seed: int, folder: Path) -> str:
    """ "read", "refused", or what went wrong with the mutant of this number."""
    kind = kind_of(seed)
    write_mutant(seed, folder)
    start, said = time.perf_counter(), []
    for read in _readers(kind, folder):
        printed = io.StringIO()
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                warnings.simplefilter("error")  # a warning is printed, and shows values
                warnings.simplefilter("ignore", DeprecationWarning)
                read()
            said.append(READ)
        except AvnnetError as error:
            said.append(REFUSED)
            printed.write(str(error))
            if any(isinstance(one, MemoryError) for one in _causes(error)):
                return f"{kind}: memory of 2 GiB was too little"
        except Exception as error:
            return f"{kind}: {type(error).__name__}: {error} at {_place(error)}"
        if CANARY in printed.getvalue() or "19600102" in printed.getvalue():
            return f"{kind}: a message names the patient"
    taken_s = time.perf_counter() - start
    if taken_s > LONGEST_S:
        return f"{kind}: took {taken_s:.0f} s"
    return READ if READ in said else REFUSED


def _readers(kind: str, folder: Path) -> Iterator:
    if kind in ("model", "weights"):
        yield lambda: load_model(folder)
    elif kind == "results":
        yield lambda: import_nnunet([folder / "Dataset501_Hips"])
    elif kind in DICOM:
        place = folder / "e.dcm" if kind == "enhanced" else folder
        yield lambda: read_image(place)
        yield lambda: _scan(folder)
    else:
        for path in sorted(folder.iterdir()):
            if path.suffix == ".raw" or path.name.endswith(".raw.gz"):
                continue
            yield lambda path=path: read_image(path)
            yield lambda path=path: read_grid(path)
            yield lambda path=path: _hash(path)
            if kind == "segmentation":
                yield lambda path=path: read_structures(path)
            elif kind in ("nrrd", "mgh", "nhdr"):
                yield lambda path=path: read_labels(path)


def _hash(path: Path) -> None:
    image_files_hash(path)  # of whatever is there
    raise AvnnetError("what is hashed is not yet read")


def _scan(folder: Path) -> None:
    if main(["scan", str(folder)]) != 0:
        raise AvnnetError("avnnet scan has said why")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _place(error: Exception) -> str:
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "avnnet" in one.filename]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
