"""Image files: NIfTI, NRRD and MetaImage in, and out again without half-written files."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from avnnet.atomic import whole_file
from avnnet.data.sitk import from_sitk, grid_of, to_sitk
from avnnet.errors import (
    InvalidLabelValues,
    MissingFile,
    OutputNotWritable,
    UnreadableFile,
    UnsupportedFormat,
)
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, LabelScheme

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def suffix_of(path: str | Path) -> str:
    """The image suffix of a path, `.nii.gz` as one.

    Raises:
        UnsupportedFormat: if it is none that avnnet reads and writes.
    """
    name = Path(path).name.lower()
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return suffix
    raise UnsupportedFormat(f"{Path(path).name}: image files end in one of {', '.join(SUFFIXES)}; convert it first")


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no file {path}; image paths in a cohort are relative to the cohort's CSV")
    suffix_of(path)
    return path


def _decoded(reader: sitk.ImageFileReader, path: Path, *, header_only: bool) -> sitk.Image:
    reader.SetFileName(str(path))
    try:
        if header_only:
            reader.ReadImageInformation()
            return sitk.Image(1, 1, sitk.sitkUInt8)
        return reader.Execute()
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UnreadableFile(f"{path.name} cannot be read as an image ({reason}); export it again") from error


def _check_whole(path: Path) -> None:
    # ITK fills the missing end of a truncated NIfTI file with zeros and says nothing
    if suffix_of(path) not in (".nii", ".nii.gz"):
        return
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else open(path, "rb") as stream:
            header = stream.read(544)
            length = len(header)
            while block := stream.read(1 << 22):
                length += len(block)
        expected = _nifti_bytes(header)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise UnreadableFile(f"{path.name} is truncated or damaged ({error}); copy or export it again") from error
    if length < expected:
        raise UnreadableFile(
            f"{path.name} is truncated: its header promises {expected} bytes, it has {length}; copy or export it again"
        )


def _nifti_bytes(header: bytes) -> int:
    """The length that a NIfTI header promises. Source: nifti1.h and nifti2.h, fields dim, bitpix and vox_offset."""
    order = "<" if header[:4] in (struct.pack("<i", 348), struct.pack("<i", 540)) else ">"
    if struct.unpack_from(order + "i", header)[0] == 540:
        dim = struct.unpack_from(order + "8q", header, 16)
        bits, offset = (
            struct.unpack_from(order + "h", header, 14)[0],
            struct.unpack_from(order + "q", header, 168)[0],
        )
    else:
        dim = struct.unpack_from(order + "8h", header, 40)
        bits, offset = (
            struct.unpack_from(order + "h", header, 72)[0],
            struct.unpack_from(order + "f", header, 108)[0],
        )
    return int(offset) + math.prod(dim[1 : dim[0] + 1]) * bits // 8


def read_image(path: str | Path) -> Image:
    """The image in a NIfTI, NRRD or MetaImage file, in the file's own axis order.

    Args:
        path: a `.nii.gz`, `.nii`, `.nrrd` or `.mha` file.

    Raises:
        MissingFile: if there is no such file.
        UnsupportedFormat: if the suffix is another.
        UnreadableFile: if the content is broken.
        UnsupportedDimensions: if it is not 3D with one value per voxel.
    """
    path = _existing(path)
    _check_whole(path)
    return from_sitk(_decoded(sitk.ImageFileReader(), path, header_only=False))


def read_grid(path: str | Path) -> Grid:
    """The grid of an image file, read from its header alone.

    Raises:
        MissingFile, UnsupportedFormat, UnreadableFile, UnsupportedDimensions: as `read_image`.
    """
    reader = sitk.ImageFileReader()
    path = _existing(path)
    _decoded(reader, path, header_only=True)
    if reader.GetDimension() != 3 or reader.GetNumberOfComponents() != 1:
        return grid_of(_decoded(reader, path, header_only=False))  # raises the error with its reason
    itk = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    itk.SetSpacing(reader.GetSpacing())
    itk.SetOrigin(reader.GetOrigin())
    itk.SetDirection(reader.GetDirection())
    one = grid_of(itk)
    return Grid(reader.GetSize()[::-1], one.spacing, one.origin, one.direction)


def read_labels(path: str | Path, scheme: LabelScheme = HIP) -> LabelMap:
    """The label map in an image file; whole numbers stored as floats are taken as ids.

    Args:
        path: a `.nii.gz`, `.nii`, `.nrrd` or `.mha` file.
        scheme: names of the ids.

    Raises:
        InvalidLabelValues: if a value is not whole, or not in the scheme.
        MissingFile, UnsupportedFormat, UnreadableFile, UnsupportedDimensions: as `read_image`.
    """
    image = read_image(path)
    array = image.array
    if array.dtype.kind not in "iu":
        whole = np.rint(array)
        if not np.array_equal(whole, array):
            odd = np.unique(array[whole != array])[:6].tolist()
            raise InvalidLabelValues(f"{Path(path).name}: label values must be whole numbers; found {odd}")
        array = whole.astype(np.int64)
    checked = LabelMap(array, image.grid, scheme)
    return LabelMap(checked.array.astype(np.uint8), checked.grid, scheme)


def write_image(image: Image, path: str | Path) -> Path:
    """The path written: an image or label map as NIfTI, NRRD or MetaImage, whole or not at all.

    Raises:
        UnsupportedFormat: if the suffix is none of these.
        OutputNotWritable: if the folder cannot be written to.
    """
    suffix_of(path)
    with whole_file(path) as partial:
        try:
            sitk.WriteImage(to_sitk(image), str(partial), useCompression=Path(path).suffix != ".nii")
        except RuntimeError as error:
            raise OutputNotWritable(f"cannot write {path}: {str(error).strip().splitlines()[-1]}") from error
    return Path(path)


def content_hash(*paths: str | Path) -> str:
    """The SHA-256 of the bytes of files, in the order given, as 64 hex digits."""
    digest = hashlib.sha256()
    for path in paths:
        with open(_existing(path), "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
