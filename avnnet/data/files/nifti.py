"""NIfTI-1 and NIfTI-2 files: ITK forgives what stands here as an error, and turns scaled values to single precision."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

import numpy as np

from avnnet.data.files.formats import Format, format_by_name
from avnnet.data.files.nifti_header import GZIP, MAX_EXTENSION_BYTES, Header, check_extensions, header_in
from avnnet.data.files.nifti_place import placed
from avnnet.data.files.pair import pair_of
from avnnet.data.files.streams import Stream, filled, opened, rest_of
from avnnet.errors import UnreadableFile
from avnnet.grid import Grid
from avnnet.image import Image, Source


def read_nifti(path: Path, prefer: str | None = None) -> Image:
    """The image in a NIfTI file, or in a pair of them, compressed or not whatever its name says.

    Args:
        path: the file; either one of a pair.
        prefer: as `avnnet.data.files.nifti_place.placed` takes it.

    Raises:
        MissingFile, UnreadableFile: if there is none, or its bytes are damaged.
        NotAnImage: if it is no NIfTI file.
        UnsafePath: if the other of a pair is a link into another folder.
        UndecodablePixels, UnsupportedPixelType, UnsupportedDimensions: if its voxels are no single brightness in 3D.
        ResourceLimitExceeded: if it holds more than a hip scan can, or than its header promises.
        InvalidGeometry: one of its children, as `placed`, and for the header of an Analyze pair.
    """
    with _voxels_of(path) as (header, stream, name):
        grid, preferred = placed(header.placement, header.sizes, prefer, path.name)
        source = Source(preferred_transform=preferred)
        stored = filled(stream, header.voxel_bytes, name)
    array = stored.view(header.pixel_type).reshape(grid.shape)
    if header.scaling is None:
        return Image(array.astype(header.pixel_type.newbyteorder("="), copy=False), grid, source=source)
    slope, intercept = header.scaling
    with np.errstate(over="ignore", invalid="ignore"):  # voxels that are not finite are named where they are used
        scaled = array * np.float64(slope) + intercept
    return Image(scaled, grid, source=source)


def nifti_grid(path: Path, prefer: str | None = None) -> Grid:
    """The grid of a NIfTI file; its voxels are not looked at.

    Raises:
        AvnnetError: as `read_nifti`, for everything that its header shows.
    """
    with _voxels_of(path) as (header, _, _):
        return placed(header.placement, header.sizes, prefer, path.name)[0]


@contextmanager
def _voxels_of(path: Path) -> Iterator[tuple[Header, Stream, str]]:
    """The header of an image, the stream of its content at the first voxel, and the name of the file that has it."""
    if format_by_name(path) is Format.NIFTI_PAIR:
        header_file, voxel_file = pair_of(path)
        header = _header_of_pair(header_file, path.name if header_file == path else f"the .hdr of {path.name}")
        name = path.name if voxel_file == path else f"the .img of {path.name}"
        with opened(voxel_file, name) as file:
            stream: Stream = gzip.GzipFile(fileobj=file) if _is_packed(file, voxel_file, header) else file
            _read_to(header.offset, stream, name)
            yield header, stream, name
        return
    with opened(path) as file:
        stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
        header = header_in(stream, path.name)
        between = _read_to(header.offset - header.header_bytes, stream, path.name)
        check_extensions(between, header.order, path.name)
        yield header, stream, path.name


def _header_of_pair(path: Path, name: str) -> Header:
    """The header in a file of its own, which is read to its last byte."""
    with opened(path, name) as file:
        stream: Stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
        header = header_in(stream, name, is_pair=True)
        check_extensions(rest_of(stream, MAX_EXTENSION_BYTES, name), header.order, name)
    return header


def _is_packed(file: BufferedReader, path: Path, header: Header) -> bool:
    """Whether voxels are compressed; the first of plain ones may look so, and then their number tells."""
    is_marked = file.peek(2)[:2] == GZIP
    is_plain_in_size = path.stat().st_size == header.offset + header.voxel_bytes
    return is_marked and (path.name.lower().endswith(".gz") or not is_plain_in_size)


def _read_to(size: int, stream: Stream, name: str) -> bytes:
    """The next bytes of a stream, which must have them."""
    content = stream.read(size)
    if len(content) < size:
        raise UnreadableFile(f"{name} is truncated: it ends before its first voxel; copy or export it again")
    return content
