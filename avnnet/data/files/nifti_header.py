"""The headers of NIfTI-1 and NIfTI-2 files. Source: nifti1.h, nifti2.h."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from avnnet.data.files.nifti_place import NiftiGeometry
from avnnet.data.files.streams import Stream
from avnnet.data.limits import check_dimensions, check_size
from avnnet.errors import MissingGeometry, NotAnImage, UndecodablePixels, UnreadableFile, UnsupportedPixelType

GZIP = b"\x1f\x8b"
MIN_EXTENSION_BYTES, MAX_EXTENSION_BYTES = 16, 16 << 20  # a copied DICOM header has some kB
PIXEL_TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8",
}  # fmt: skip
# by the size of the header: struct format and first byte of what is read
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
# where the mark stands; the one of header and voxels in one file, and the one of a pair of files
MAGIC = {348: (344, (b"n+1\0", b"ni1\0")), 540: (4, (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n"))}


@dataclass(frozen=True)
class Header:
    """What a NIfTI header promises, all of it possible.

    Args:
        sizes: voxels per axis, `(x, y, z)`.
        pixel_type: how a voxel is stored, with its byte order.
        scaling: slope and intercept of the stored values, or None.
        placement: where the voxels lie.
        order: of bytes, "<" or ">".
        header_bytes: 348 or 540.
        offset: first byte of the voxels in their file.
    """

    sizes: tuple[int, int, int]
    pixel_type: np.dtype[Any]
    scaling: tuple[float, float] | None
    placement: NiftiGeometry
    order: str
    header_bytes: int
    offset: int

    @property
    def voxel_bytes(self) -> int:
        """What all voxels take in the file."""
        return math.prod(self.sizes) * self.pixel_type.itemsize


def header_in(stream: Stream, name: str, *, is_pair: bool = False) -> Header:
    """The header at the beginning of a stream, which then stands behind it.

    Args:
        stream: the decompressed content of the file.
        name: the file, for messages.
        is_pair: whether the voxels must be in a second file; else in the same one.

    Raises:
        UnreadableFile, NotAnImage: if it is damaged, or none of its kind.
        MissingGeometry: if it is that of an Analyze 7.5 pair.
        AvnnetError: for other reasons to refuse it, as `read_nifti`.
    """
    content = stream.read(4)
    if not content:
        raise UnreadableFile(f"{name} is empty; copy or export it again")
    order = "<" if content in (struct.pack("<i", size) for size in FIELDS) else ">"
    size = struct.unpack(order + "i", content.ljust(4, b"\0"))[0]
    if size not in FIELDS:
        raise NotAnImage(
            f"{name} is no NIfTI file, whatever its name says; give the image (a NIfTI header begins with "
            f"348 or 540, this file with {size})"
        )
    content += stream.read(size - 4)
    if len(content) < size:
        raise UnreadableFile(f"{name} is truncated: its header has {len(content)} of {size} bytes; copy it again")
    _check_mark(content, size, name, is_pair)
    said = {field: struct.unpack_from(order + kind, content, at) for field, (kind, at) in FIELDS[size].items()}
    return _checked(said, size, order, name, is_pair)


def _check_mark(content: bytes, size: int, name: str, is_pair: bool) -> None:
    at, marks = MAGIC[size]
    if content.startswith(marks[is_pair], at):
        return
    if content.startswith(marks[not is_pair], at):
        raise NotAnImage(
            f"{name} is no NIfTI file of its name: it is {'' if is_pair else 'not '}marked as header and voxels in "
            f"one. {'Call it .nii' if is_pair else 'Call it .hdr, beside its .img'}"
        )
    if is_pair and size == 348:
        raise MissingGeometry(
            f"{name} is the header of an Analyze 7.5 image, not marked as NIfTI: it does not say where left and right "
            "are. Export the images again as DICOM or .nii.gz"
        )
    raise NotAnImage(f"{name} is no NIfTI file: it has none of the marks of NIfTI. Give an image")


def _checked(said: dict[str, tuple[Any, ...]], size: int, order: str, name: str, is_pair: bool) -> Header:
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
    offset, first = said["vox_offset"][0], 0 if is_pair else size + 4
    if not first <= offset <= first + MAX_EXTENSION_BYTES or offset != int(offset):
        raise UnreadableFile(
            f"{name} is damaged: voxels begin at a whole number of bytes, at least {first}; its header has vox_offset "
            f"{offset:g}. Export it again"
        )
    return Header(sizes[:3], pixel_type, scaling, placement, order, size, int(offset))


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


def check_extensions(content: bytes, order: str, name: str) -> None:
    """Refuse a header behind which other programs have put what cannot be.

    Args:
        content: all that stands between the header and the voxels, or the end of the file of the header.
        order: of bytes, "<" or ">".
        name: the file, for the message.

    Raises:
        UnreadableFile: if an extension has an impossible length.
    """
    at = 4
    while content[:1] not in (b"", b"\0") and at < len(content):
        length = struct.unpack_from(order + "i", content.ljust(at + 4, b"\0"), at)[0]
        if not MIN_EXTENSION_BYTES <= length <= len(content) - at:
            raise UnreadableFile(
                f"{name} is damaged: an extension of its header has {MIN_EXTENSION_BYTES} bytes or more, before the "
                f"voxels; one claims {length} bytes where {len(content) - at} are left. Export it again"
            )
        at += length
