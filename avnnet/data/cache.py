"""Prepared cases on disk, keyed by what went into them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from avnnet.atomic import whole_file
from avnnet.data.cohort import Case
from avnnet.data.files import read_image
from avnnet.data.ignored import read_training_labels, with_ignored_ids
from avnnet.data.integrity import image_files_hash, image_hash
from avnnet.data.normalised import source_sha256
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidDataStep
from avnnet.labels import LabelScheme
from avnnet.recipe import describe

# raise it when a change of the code changes prepared voxels
VERSION = 4
SOURCE_HASH = "image_sha256"


class Cache:
    """A folder of prepared cases; an entry is whole or absent, whoever is killed when.

    Args:
        folder: where the entries are; made when needed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    def key(self, case: Case, preprocess: Preprocess, scheme: LabelScheme, *, has_ignored: bool = False) -> str:
        """The name of an entry: a hash of file contents, parameters, side, centre and the code's version.

        The code's version is avnnet's and, of a normalisation of a user's own, the module that it stands in.
        """
        parts = {
            "version": VERSION,
            "files": image_files_hash(*case.image, case.label),
            "preprocess": describe(preprocess),
            "scheme": describe(scheme),
            "side": case.side,
            "centre_mm": case.centre_mm,
        }
        if has_ignored:
            parts["has_ignored"] = True
        own = source_sha256(preprocess.normalise)
        if own is not None:
            parts["normalise"] = own
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]

    def add(self, case: Case, preprocess: Preprocess, scheme: LabelScheme, *, has_ignored: bool = False) -> Path:
        """The entry's path, prepared and written if it is not there yet.

        Raises:
            AvnnetError: if the case cannot be read or prepared.
        """
        path = self.folder / f"{self.key(case, preprocess, scheme, has_ignored=has_ignored)}.safetensors"
        if path.exists() and _is_whole(path):
            return path
        image = read_image(case.image)
        labels = read_training_labels(case.label, scheme, has_ignored=has_ignored)
        try:
            prepared = preprocess.prepare(image, labels, side=case.side, centre_mm=case.centre_mm)
        except InvalidDataStep as error:
            raise InvalidDataStep(str(error), case_id=case.case_id) from error
        if prepared.label is None:  # prepare gives a label wherever it was given one
            raise TypeError("a training case needs a label")
        with whole_file(path) as partial:
            label = with_ignored_ids(prepared.label, scheme) if has_ignored else prepared.label
            tensors = {"image": prepared.image.contiguous(), "label": label.contiguous()}
            save_file(tensors, partial, metadata={SOURCE_HASH: image_hash(image)})
        return path


# what an entry was made from is in its name, so that no record has to say it; only whether the file is whole is asked
def _is_whole(path: Path) -> bool:
    try:
        load_file(path)
    except (SafetensorError, OSError):
        return False
    return True


def source_hash(path: Path) -> str:
    """The hash of the image that a cache entry was prepared from; see `image_hash`."""
    with safe_open(path, "pt") as entry:
        return str(entry.metadata()[SOURCE_HASH])


def load_entry(path: Path) -> tuple[Tensor, Tensor]:
    """Image `(1, *S)` float32 and label `(1, *S)` uint8 of a cache entry."""
    tensors = load_file(path)
    return tensors["image"], tensors["label"].to(torch.uint8)
