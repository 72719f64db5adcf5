"""The headers of NRRD files. Source: teem.sourceforge.net/nrrd/format.html."""

from __future__ import annotations

import re
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from avnnet.data.files.axes import grid_of_steps
from avnnet.data.files.text_header import Fields, Stored, beside, lines_of
from avnnet.data.limits import check_dimensions, check_size
from avnnet.errors import MissingGeometry, NotAnImage, UnreadableFile

LPS, RAS, LAS = (1, 1, 1), (-1, -1, 1), (1, -1, 1)
SIGNS = {
    "left-posterior-superior": LPS, "right-anterior-superior": RAS, "left-anterior-superior": LAS,
    "lps": LPS, "ras": RAS, "las": LAS,
}  # fmt: skip
PACKING = {"raw": "raw", "gzip": "gzip", "gz": "gzip"}
BYTE_ORDER = {"little": "<", "big": ">"}
PIXEL_TYPES = {
    "i1": "signed char|char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
PIXEL_TYPE_OF = {name: kind for kind, names in PIXEL_TYPES.items() for name in names.split("|")}


def nrrd_stored(path: Path, file: BufferedReader) -> Stored:
    """What the header of an NRRD file says.

    Args:
        path: the file.
        file: the same, opened at its first byte.

    Raises:
        NotAnImage, UnreadableFile: if it has no header, or a damaged one.
        MissingGeometry: if it does not say where the voxels lie in the patient.
        InvalidGeometry: if its geometry cannot be, or is not in mm.
        ResourceLimitExceeded: if it promises more than a hip scan can have.
        UnsupportedPixelType, UnsupportedDimensions, UnsupportedFormat: if voxels are otherwise than read here.
        UnsafePath, MissingFile: if the file of its voxels is not in its folder.
    """
    fields = _fields(path, file)
    sizes = fields.numbers("sizes", int, fields.numbers("dimension", int, 1)[0])
    check_dimensions(sizes[:3], path.name)
    pixel_type = _pixel_type(fields)
    check_size(sizes, pixel_type.itemsize, path.name)
    signs = SIGNS.get(fields.get("space", "").lower())
    if signs is None or not {"spacedirections", "spaceorigin"} <= fields.keys():
        raise MissingGeometry(
            f"{path.name} does not say where its voxels lie in the patient: an NRRD header needs a space (LPS, RAS or "
            "LAS), space directions and a space origin. Export it again with its geometry"
        )
    fields.check_mm(fields.get("spaceunits", "").split('"'))
    spatial, further = _by_space(sizes, fields)
    steps = np.reshape(fields.numbers("spacedirections", float, 9), (3, 3)) * signs
    origin = np.multiply(fields.numbers("spaceorigin", float, 3), signs)
    grid = grid_of_steps(spatial, steps.T, origin.tolist(), path.name)
    packing = PACKING.get(fields.get("encoding", "").lower())
    if packing is None or {fields.get("byteskip", "0"), fields.get("lineskip", "0")} != {"0"}:
        raise fields.unsupported("encoding raw or gzip, and no bytes or lines to skip")
    where = fields.get("datafile")
    data, offset = (path, file.tell()) if where is None else (beside(path, where), 0)
    return Stored(grid, further, pixel_type, data, offset, packing)


def _fields(path: Path, file: BufferedReader) -> Fields:
    lines = lines_of(path, file)
    if not next(lines, "").startswith("NRRD000"):
        raise NotAnImage(f"{path.name} is no NRRD file: it does not begin with NRRD000. Give an image")
    fields = Fields(path)
    for line in lines:
        if not line:
            return fields
        field, colon, value = line.partition(":")
        if colon and not field.startswith("#") and not value.startswith("="):  # := is a remark of a program
            fields.add(field.lower().replace(" ", ""), value)
    if "datafile" not in fields:  # only a header with its voxels elsewhere may end without an empty line
        raise UnreadableFile(f"{path.name} is truncated: it ends in its header; copy or export it again")
    return fields


def _pixel_type(fields: Fields) -> np.dtype[Any]:
    kind = PIXEL_TYPE_OF.get(fields.get("type", "").lower())
    if kind is None:
        raise fields.unsupported_pixels()
    order = BYTE_ORDER.get(fields.get("endian", "").lower())
    if order is None and kind[1] != "1":
        raise UnreadableFile(f"{fields.path.name}: its header does not say the order of bytes; export it again")
    return np.dtype((order or "|") + kind)


def _by_space(sizes: list[int], fields: Fields) -> tuple[list[int], tuple[int, ...]]:
    """The sizes of the axes in space, and of the others, such as the layers of a segmentation.

    An axis in space has a bracket under `space directions`, any other the word none, which is taken out.
    """
    said = re.findall(r"\([^()]*\)|none", fields["spacedirections"])
    if len(said) != len(sizes):
        raise UnreadableFile(
            f"{fields.path.name} is damaged: it has {len(sizes)} axes and {len(said)} directions; export it again"
        )
    fields["spacedirections"] = fields["spacedirections"].replace("none", "")
    spatial = [size for size, word in zip(sizes, said, strict=True) if word != "none"]
    check_dimensions(spatial, fields.path.name)
    return spatial, tuple(size for size, word in zip(sizes, said, strict=True) if word == "none")
