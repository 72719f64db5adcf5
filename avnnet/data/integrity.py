"""Whether a file is whole, and whether two files or images are the same."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from avnnet.errors import UnreadableFile
from avnnet.image import Image


def check_whole(path: Path) -> None:
    """Nothing, if a NIfTI file is as long as its header promises and its compression is sound.

    Args:
        path: an image file; other formats than NIfTI are left to their readers, which do notice.

    Raises:
        UnreadableFile: if the file is truncated or damaged.
    """
    # ITK fills the missing end of a truncated NIfTI file with zeros and says nothing
    if not path.name.lower().endswith((".nii", ".nii.gz")):
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


def image_hash(image: Image) -> str:
    """The SHA-256 of voxels and geometry: the same image in another format or file has the same hash.

    Args:
        image: intensities on their grid; spacing, origin and direction count to a hundredth.
    """
    geometry = [image.grid.shape, *(np.round(v, 2) + 0.0 for v in (image.grid.spacing, image.grid.origin))]
    geometry.append(np.round(image.grid.direction, 2) + 0.0)
    digest = hashlib.sha256(json.dumps([np.asarray(part).tolist() for part in geometry]).encode())
    digest.update(np.ascontiguousarray(image.array, dtype=np.float32).tobytes())
    return digest.hexdigest()


def files_of(folder: Path) -> list[Path]:
    """The files of a DICOM series' folder, sorted by name, without hidden ones and the index file DICOMDIR."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and path.name.upper() != "DICOMDIR"
    )


def content_hash(*paths: str | Path) -> str:
    """The SHA-256 of the bytes of files, in the order given, as 64 hex digits.

    A folder of a DICOM series counts as one file: its files' hashes, sorted, because their names mean nothing.
    """
    digest = hashlib.sha256()
    for path in map(Path, paths):
        if path.is_dir():
            digest.update(hashlib.sha256(b"".join(sorted(map(_file_hash, files_of(path))))).digest())
        else:
            digest.update(_file_hash(path))
    return digest.hexdigest()


def _file_hash(path: Path) -> bytes:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
