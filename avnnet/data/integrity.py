"""Whether two files or two images are the same, by their hashes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from avnnet.data.dicom.find import files_below
from avnnet.data.files import files_of
from avnnet.data.orientation import orientation_of
from avnnet.image import Image

ROUNDING_SHIFT_MM = 0.0012


def image_hash(image: Image) -> str:
    """The SHA-256 of voxels and geometry: the same image in another format, file or order of axes has the same hash.

    Args:
        image: intensities on their grid; the places of its corner voxels count to a hundredth of a mm.

    Examples:
        >>> from avnnet.grid import Grid
        >>> array = np.arange(24.0).reshape(2, 3, 4)
        >>> backwards = ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))  # stored from left to right
        >>> stored = Image(array[..., ::-1], Grid((2, 3, 4), origin=(3.0, 0.0, 0.0), direction=backwards))
        >>> image_hash(stored) == image_hash(Image(array, Grid((2, 3, 4))))
        True
    """
    orientation = orientation_of(image.grid)
    turned = orientation.apply(image.channels)
    ends = np.vstack([np.zeros(3, int), np.diag(np.asarray(turned.shape[1:]) - 1)])
    corners = np.asarray([orientation.invert_box(end.tolist(), (1, 1, 1), image.grid.shape)[0] for end in ends])
    # shifted, because places are often multiples of 0.005, which rounding errors would send up or down
    places = np.round(image.grid.to_lps(corners) + ROUNDING_SHIFT_MM, 2) + 0.0
    digest = hashlib.sha256(json.dumps([turned.shape, places.tolist()]).encode())
    digest.update(np.ascontiguousarray(turned, dtype=np.float32).tobytes())
    return digest.hexdigest()


def content_hash(*files: str | Path) -> str:
    """The SHA-256 of the bytes of files, in the order given, as 64 hex digits.

    Args:
        files: plain files, such as weights and tables; `image_files_hash` knows what belongs to an image.
    """
    digest = hashlib.sha256()
    for file in files:
        digest.update(_file_hash(Path(file)))
    return digest.hexdigest()


def image_files_hash(*paths: str | Path) -> str:
    """The SHA-256 of the bytes of images' files, in the order given, as 64 hex digits.

    Voxels in a second file, as beside a `.mhd`, `.nhdr` or `.hdr`, count with their header.
    A DICOM export counts as one file: the hashes of all files below it, sorted, because their names mean nothing.

    Args:
        paths: image files, and folders of DICOM exports.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        if path.is_dir():
            digest.update(hashlib.sha256(b"".join(sorted(map(_file_hash, files_below(path))))).digest())
        else:
            for file in files_of(path):
                digest.update(_file_hash(file))
    return digest.hexdigest()


def _file_hash(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
