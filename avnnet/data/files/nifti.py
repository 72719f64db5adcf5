"""NIfTI-1 and NIfTI-2 files: ITK forgives what stands here as an error, and turns scaled values to single precision."""

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

from avnnet.data.files.nifti_place import NiftiGeometry, placed
from avnnet.data.files.streams import Stream, filled, opened
from avnnet.data.limits import check_dimensions, check_size
from avnnet.errors import NotAnImage, UndecodablePixels, UnreadableFile, UnsupportedPixelType
from avnnet.grid import Grid
from avnnet.image import Image, Source

GZIP = b"\x1f\x8b"
MIN_EXTENSION_BYTES, MAX_EXTENSION_BYTES = 16, 16 << 20  # a copied DICOM header has some kB
PIXEL_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
# by the size of the header: struct format and first byte of what is read. Source: nifti1.h, nifti2.h
FIELDS = {
    348: {
        "dim": ("8h", 40),
        "pixel_type": ("2h", 70),  # datatype, bitpix
        "pixdim": ("8f", 76),
        "vox_offset": ("f", 108),
        "scaling": ("2f", 112),  # scl_slope, scl_inter
        "units": ("B", 123),
        "codes": ("2h", 252),  # qform, sform
        "quaternion": ("6f", 256),  # b, c, d, offset x, y, z
        "srow": ("12f", 280),
    },
    540: {
        "dim": ("8q", 16),
        "pixel_type": ("2h", 12),
        "pixdim": ("8d", 104),
        "vox_offset": ("q", 168),
        "scaling": ("2d", 176),
        "units": ("i", 500),
        "codes": ("2i", 344),
        "quaternion": ("6d", 352),
        "srow": ("12d", 400),
    },
}
MAGIC = {348: (344, b"n+1\0"), 540: (4, b"n+2\0\r\n\x1a\n")}


@dataclass(frozen=True)
class Header:
    """What a NIfTI header promises, all of it possible.

    Args:
        sizes: voxels per axis, `(x, y, z)`.
        pixel_type: how a voxel is stored, with its byte order.
        scaling: slope and intercept of the stored values, or None.
        placement: where the voxels lie.
    """

    sizes: tuple[int, int, int]
    pixel_type: np.dtype[Any]
    scaling: tuple[float, float] | None
    placement: NiftiGeometry


def is_nifti(path: Path) -> bool:
    """Whether a file is called like a NIfTI file."""
    return path.name.lower().endswith((".nii.gz", ".nii"))


def read_nifti(path: Path, prefer: str | None = None) -> Image:
    """The image in a NIfTI file, compressed or not whatever its name says.

    Args:
        path: the file.
        prefer: as `avnnet.data.files.nifti_place.placed` takes it.

    Raises:
        MissingFile, UnreadableFile: if there is none, or its bytes are damaged.
        NotAnImage: if it is no NIfTI file.
        UndecodablePixels, UnsupportedPixelType, UnsupportedDimensions: if its voxels are no single brightness in 3D.
        ResourceLimitExceeded: if it holds more than a hip scan can, or than its header promises.
        InvalidGeometry: one of its children, as `placed`.
    """
    with _header_of(path) as (header, stream):
        grid, preferred = placed(header.placement, header.sizes, prefer, path.name)
        source = Source(preferred_transform=preferred)
        stored = filled(stream, math.prod(header.sizes) * header.pixel_type.itemsize, path.name)
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
    with _header_of(path) as (header, _):
        return placed(header.placement, header.sizes, prefer, path.name)[0]


@contextmanager
def _header_of(path: Path) -> Iterator[tuple[Header, Stream]]:
    """The header of a file, and the stream of its content at the first voxel."""
    with opened(path) as file:
        stream: Stream = gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == GZIP else file
        content = stream.read(4)
        if not content:
            raise UnreadableFile(f"{path.name} is empty; copy or export it again")
        order = "<" if content in (struct.pack("<i", size) for size in FIELDS) else ">"
        size = struct.unpack(order + "i", content.ljust(4, b"\0"))[0]
        if size not in FIELDS:
            raise NotAnImage(
                f"{path.name} is no NIfTI file, whatever its name says; give the image (a NIfTI header begins with "
                f"348 or 540, this file with {size})"
            )
        content += stream.read(size - 4)
        if len(content) < size:
            raise UnreadableFile(
                f"{path.name} is truncated: its header has {len(content)} of {size} bytes; copy it again"
            )
        said = {field: struct.unpack_from(order + kind, content, at) for field, (kind, at) in FIELDS[size].items()}
        at, magic = MAGIC[size]
        if not content.startswith(magic, at):
            raise NotAnImage(
                f"{path.name} is no NIfTI file: it is not marked as header and voxels in one. Give an image"
            )
        header = _checked(said, order, path.name)
        _skip_extensions(stream, size, said["vox_offset"][0], order, path.name)
        yield header, stream


def _checked(said: dict[str, tuple[Any, ...]], order: str, name: str) -> Header:
    """What a header says of its voxels, if it can be."""
    count = said["dim"][0]
    if not 1 <= count <= 7:
        raise NotAnImage(f"{name} is no NIfTI file: an image has 1 to 7 axes; its header promises {count}")
    code, bits = said["pixel_type"]
    if code not in PIXEL_TYPES:
        raise UnsupportedPixelType(
            f"{name}: a voxel must be one whole or floating-point number of at most 64 bits; its header has datatype "
            f"{code}. Convert colour or complex images to the brightness first"
        )
    pixel_type = np.dtype(order + PIXEL_TYPES[code])
    if bits != 8 * pixel_type.itemsize:
        raise NotAnImage(
            f"{name}: datatype and bitpix must say the same; {code} has {8 * pixel_type.itemsize} bits, and bitpix is "
            f"{bits}. Export it again"
        )
    sizes = said["dim"][1 : count + 1]
    check_dimensions(sizes, name)
    scaling = _scaling(said["scaling"], name)
    check_size(sizes, pixel_type.itemsize if scaling is None else 8, name)
    qform_code, sform_code = said["codes"]
    placement = NiftiGeometry(
        said["units"][0], said["pixdim"], qform_code, sform_code, said["quaternion"], said["srow"]
    )
    return Header(sizes[:3], pixel_type, scaling, placement)


def _scaling(said: tuple[float, float], name: str) -> tuple[float, float] | None:
    """Slope and intercept; None where values stand as they are, which 0 and NaN also mean."""
    slope, intercept = said
    if slope == 0 or math.isnan(slope) or said == (1, 0):
        return None
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise UndecodablePixels(
            f"{name}: the scaling of voxels must be finite; it is {slope:g} and {intercept:g}. Export it again"
        )
    return slope, intercept


def _skip_extensions(stream: Stream, size: int, offset: float, order: str, name: str) -> None:
    """Moves the stream from the end of the header to the first voxel, over what other programs have put between."""
    first = size + 4
    if not first <= offset <= first + MAX_EXTENSION_BYTES or offset != int(offset):
        raise UnreadableFile(
            f"{name} is damaged: voxels begin at a whole number of bytes, at least {first}; its header has vox_offset "
            f"{offset:g}. Export it again"
        )
    content = stream.read(int(offset) - size)
    if len(content) < int(offset) - size:
        raise UnreadableFile(f"{name} is truncated: it ends before its first voxel; copy or export it again")
    at = 4
    while content[0] and at < len(content):
        length = struct.unpack_from(order + "i", content.ljust(at + 4, b"\0"), at)[0]
        if not MIN_EXTENSION_BYTES <= length <= len(content) - at:
            raise UnreadableFile(
                f"{name} is damaged: an extension of its header has {MIN_EXTENSION_BYTES} bytes or more, before the "
                f"voxels; one claims {length} bytes where {len(content) - at} are left. Export it again"
            )
        at += length
