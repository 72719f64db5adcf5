"""NRRD and MetaImage files: the voxels that their headers promise."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np

from avnnet.data.files.formats import Format, format_of
from avnnet.data.files.metaimage import metaimage_stored
from avnnet.data.files.nrrd import nrrd_stored
from avnnet.data.files.streams import Inflated, Stream, filled, opened
from avnnet.data.files.text_header import Stored
from avnnet.data.limits import check_dimensions
from avnnet.grid import Grid
from avnnet.image import Image


def read_stored(path: Path) -> Image:
    """The image in an NRRD or MetaImage file; its voxels may stand in a second file of the same folder.

    Raises:
        UnsupportedDimensions: if it is not 3D with one value per voxel.
        UnreadableFile: if its voxels are truncated or damaged.
        ResourceLimitExceeded: if it holds more than a hip scan can, or than its header promises.
        AvnnetError: for other reasons to refuse its header, as `nrrd_stored` and `metaimage_stored`.
    """
    stored = _single(path)
    return Image(_numbers(stored, path).reshape(stored.grid.shape), stored.grid)


def stored_grid(path: Path) -> Grid:
    """The grid of an NRRD or MetaImage file; its voxels are not looked at.

    Raises:
        AvnnetError: as `read_stored`, for everything that its header shows.
    """
    return _single(path).grid


def check_stored(path: Path) -> None:
    """Refuse a damaged file, or one that holds other than its header promises; voxels may have several values.

    Raises:
        AvnnetError: as `read_stored`.
    """
    _numbers(_header(path), path)


def voxels_of(path: Path) -> Path:
    """The file with the voxels of an NRRD or MetaImage file: itself, or one beside it.

    Raises:
        AvnnetError: as `read_stored`, for everything that its header shows.
    """
    return _header(path).path


def _header(path: Path) -> Stored:
    with opened(path) as file:
        return (nrrd_stored if format_of(path) is Format.NRRD else metaimage_stored)(path, file)


def _single(path: Path) -> Stored:
    stored = _header(path)
    check_dimensions((*stored.grid.shape[::-1], *stored.further_sizes), path.name)
    return stored


def _numbers(stored: Stored, path: Path) -> np.ndarray:
    """All numbers in the order of the file, undamaged as far as their checksum tells."""
    name = path.name if stored.path == path else f"the file of voxels of {path.name}"
    count = math.prod(stored.grid.shape) * math.prod(stored.further_sizes)
    with opened(stored.path, name) as file:
        file.seek(stored.offset)
        stream: Stream = file
        if stored.packing == "gzip":
            stream = gzip.GzipFile(fileobj=file)
        elif stored.packing == "zlib":
            stream = Inflated(file, stored.packed_bytes)
        content = filled(stream, count * stored.pixel_type.itemsize, name)
    return content.view(stored.pixel_type).astype(stored.pixel_type.newbyteorder("="), copy=False)
