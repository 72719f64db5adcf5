"""FreeSurfer's MGH files. Source: surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat."""

from __future__ import annotations

import gzip
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from avnnet.data.files.axes import grid_of_directions
from avnnet.data.files.nifti_header import GZIP
from avnnet.data.files.streams import Stream, filled, opened
from avnnet.data.limits import check_dimensions, check_size, check_spacing
from avnnet.errors import MissingGeometry, NotAnImage, UnreadableFile, UnsupportedPixelType
from avnnet.grid import Grid
from avnnet.image import Image

HEADER_BYTES = 284  # what is said ends at 90, the rest is kept free
# version; width, height, depth, frames, type, degrees of freedom; whether a place is said; spacing; the directions of
# three axes; the centre: all big-endian
FIELDS = struct.Struct(">i6ih3f9f3f")
VERSION = 1
PIXEL_TYPES = {0: ">u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Header:
    """What the header of an MGH file promises, all of it possible.

    Args:
        grid: where the voxels lie.
        pixel_type: how a voxel is stored.
    """

    grid: Grid
    pixel_type: np.dtype[Any]


def read_mgh(path: Path) -> Image:
    """The image in an MGH file, compressed or not whatever its name says.

    What stands behind the voxels, such as the repetition time and the commands that made the file, is not read.

    Raises:
        MissingFile, UnreadableFile: if there is none, or its bytes are damaged.
        NotAnImage: if it is no MGH file.
        UnsupportedPixelType, UnsupportedDimensions: if its voxels are no single brightness in 3D.
        ResourceLimitExceeded: if it holds more than a hip scan can, or than its header promises.
        MissingGeometry, InvalidGeometry, NonOrthogonalDirection: if it does not say where its voxels lie, or what
            cannot be.
    """
    with _header_of(path) as (header, stream):
        stored = filled(stream, math.prod(header.grid.shape) * header.pixel_type.itemsize, path.name)
    array = stored.view(header.pixel_type).reshape(header.grid.shape)
    return Image(array.astype(header.pixel_type.newbyteorder("=")), header.grid)


def mgh_grid(path: Path) -> Grid:
    """The grid of an MGH file; its voxels are not looked at.

    Raises:
        AvnnetError: as `read_mgh`, for everything that its header shows.
    """
    with _header_of(path) as (header, _):
        return header.grid


@contextmanager
def _header_of(path: Path) -> Iterator[tuple[Header, Stream]]:
    """The header of a file, and the stream of its content at the first voxel."""
    with opened(path) as file:
        stream: Stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
        content = stream.read(HEADER_BYTES)
        if not content:
            raise UnreadableFile(f"{path.name} is empty; copy or export it again")
        if content[:4] != struct.pack(">i", VERSION):
            raise NotAnImage(
                f"{path.name} is no MGH file, whatever its name says: it does not begin with version {VERSION}. Give "
                "the image"
            )
        if len(content) < HEADER_BYTES:
            raise UnreadableFile(
                f"{path.name} is truncated: its header has {len(content)} of {HEADER_BYTES} bytes; copy it again"
            )
        yield _checked(FIELDS.unpack_from(content), path.name), stream


def _checked(said: tuple[Any, ...], name: str) -> Header:
    """What a header says of its voxels, if it can be."""
    (_, *sizes, kind, _), is_placed, numbers = said[:7], said[7], said[8:]
    check_dimensions(sizes, name)
    if kind not in PIXEL_TYPES:
        raise UnsupportedPixelType(
            f"{name}: the voxels of an MGH file have type 0, 1, 3, 4 or 10, whole or floating-point numbers; its "
            f"header has type {kind}. Convert it first: mri_convert"
        )
    pixel_type = np.dtype(PIXEL_TYPES[kind])
    check_size(sizes, pixel_type.itemsize, name)
    if is_placed != 1:
        raise MissingGeometry(
            f"{name} does not say where its voxels lie in the patient: its goodRASFlag is {is_placed} and must be 1. "
            "FreeSurfer then assumes coronal slices; avnnet assumes nothing. Export it again with its geometry"
        )
    spacing_mm, centre = numbers[:3], np.asarray(numbers[12:]) * RAS_TO_LPS
    check_spacing(spacing_mm, sizes[:3], name)
    with np.errstate(over="ignore", invalid="ignore"):  # of numbers that no place has, which are named in the end
        directions = np.reshape(numbers[3:12], (3, 3)).T * RAS_TO_LPS[:, None]
        # the centre is that of the voxel with half of each size as index, not of the volume
        origin = centre - directions @ (np.asarray(spacing_mm) * sizes[:3] / 2)
    return Header(grid_of_directions(sizes[:3], spacing_mm, directions, origin.tolist(), name), pixel_type)
