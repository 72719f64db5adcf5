"""Headers of text, one field a line, as NRRD and MetaImage files have them.

ITK is not asked: it follows a header to any file of the disk, takes missing geometry for the scanner's axes, gives
noise for a damaged `.mha`, and writes over its own memory where one says `NDims = 99`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from avnnet.errors import (
    InvalidGeometry,
    MissingFile,
    NotAnImage,
    UnreadableFile,
    UnsafePath,
    UnsupportedFormat,
    UnsupportedPixelType,
)
from avnnet.grid import Grid

MAX_HEADER_BYTES = 4 << 20  # 3D Slicer writes some kB per segment
MM = {"mm", "millimeter", "millimeters", "?", ""}
Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class Stored:
    """What a header says of the voxels, and of the bytes that hold them.

    Args:
        grid: where the voxels lie.
        further_sizes: of the axes that are not in space: time, channels, layers.
        pixel_type: of one number, with its byte order.
        path: the file with the voxels: the image file itself, or one beside it.
        offset: their first byte there.
        packing: "raw", "gzip" or "zlib".
        packed_bytes: how many bytes are compressed; None for all that follow.
    """

    grid: Grid
    further_sizes: tuple[int, ...]
    pixel_type: np.dtype[Any]
    path: Path
    offset: int
    packing: str
    packed_bytes: int | None = None


class Fields(dict[str, str]):
    """The fields of a header by name, in the words of the file.

    Args:
        path: the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def add(self, field: str, value: str) -> None:
        """Keeps a field.

        Raises:
            UnreadableFile: if it stands twice: which of the two holds, programs decide differently.
        """
        if field in self:
            raise UnreadableFile(f"{self.path.name} is damaged: its header has a field twice; export it again")
        self[field] = value.strip()

    def numbers(self, field: str, kind: type[Number], count: int) -> list[Number]:
        """The numbers of a field, with or without brackets and commas around them.

        Raises:
            UnreadableFile: if they are not of the kind, or more or fewer.
        """
        words = self.get(field, "").translate(str.maketrans("(),", "   ")).split()
        try:
            found = [kind(word) for word in words]
        except ValueError:
            found = []
        if len(found) != count:
            raise UnreadableFile(
                f"{self.path.name} is damaged: its header must have {count} numbers under {field!r}, it has "
                f"{len(words)} words; export it again"
            )
        return found

    def check_mm(self, units: Collection[str]) -> None:
        """Refuse lengths that the header says are not in mm.

        Raises:
            InvalidGeometry: if they are not.
        """
        if not {unit.strip().lower() for unit in units} <= MM:
            raise InvalidGeometry(
                f"{self.path.name}: lengths must be in mm; its header has another unit. Export it again in mm"
            )

    def unsupported_pixels(self) -> UnsupportedPixelType:
        """The error of a header whose voxels are no plain numbers."""
        return UnsupportedPixelType(
            f"{self.path.name}: a voxel must be one whole or floating-point number of at most 64 bits; its header has "
            "another type. Convert it first"
        )

    def unsupported(self, rule: str) -> UnsupportedFormat:
        """The error of a header that says what avnnet does not read."""
        return UnsupportedFormat(f"{self.path.name}: avnnet reads headers with {rule}. Save it as .nii.gz, or so")


def lines_of(path: Path, file: BufferedReader) -> Iterator[str]:
    """The lines of a header, without their ends.

    Raises:
        UnreadableFile: if the file is empty.
        NotAnImage: if it has no end of a header.
    """
    while line := file.readline(MAX_HEADER_BYTES):
        if file.tell() > MAX_HEADER_BYTES:
            raise NotAnImage(f"{path.name} has no header in its first {MAX_HEADER_BYTES} bytes. Give an image")
        yield line.decode("utf-8", "replace").rstrip("\r\n")
    if not file.tell():
        raise UnreadableFile(f"{path.name} is empty; copy or export it again")


def beside(path: Path, name: str) -> Path:
    """The file of the voxels that a header names, if it is a single one in the folder of the header.

    Raises:
        UnsafePath: if it is the header, elsewhere, a link to elsewhere, or several.
        MissingFile: if it is not there.
    """
    name = name.removeprefix("./")  # as teem writes it
    data = path.parent / name
    if name in ("", path.name) or name != data.name or {*"/\\%"} & {*name} or name.startswith("LIST"):
        raise UnsafePath(
            f"{path.name} must name one file of voxels in its own folder; it names itself, another folder, or several "
            "files. Put both files into one folder and correct the header, or save it as .nii.gz"
        )
    check_beside(path, data)
    return data


def check_beside(path: Path, data: Path) -> None:
    """Refuse a second file of an image that is not in the folder of the first.

    Args:
        path: the first file, for messages and its folder.
        data: the second.

    Raises:
        MissingFile: if it is not there.
        UnsafePath: if it is a link into another folder.
    """
    if not data.exists():
        raise MissingFile(f"{path.name}: the file of voxels that it names is not beside it; copy both")
    if data.resolve().parent != path.parent.resolve():
        raise UnsafePath(
            f"{path.name}: the file that belongs to it is a link into another folder, which is not followed. Copy the "
            "file to its place"
        )
