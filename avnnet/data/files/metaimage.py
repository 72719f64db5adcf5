"""The headers of MetaImage files. Source: itk.org/Wiki/ITK/MetaIO/Documentation."""

from __future__ import annotations

from io import BufferedReader
from pathlib import Path

import numpy as np

from avnnet.data.files.axes import grid_of_directions
from avnnet.data.files.text_header import Fields, Stored, beside, lines_of
from avnnet.data.limits import check_dimensions, check_size
from avnnet.errors import MissingGeometry, NotAnImage, UnreadableFile

ORIGIN, DIRECTIONS = ("Offset", "Origin", "Position"), ("TransformMatrix", "Orientation", "Rotation")
BYTE_ORDER = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
LAST = "ElementDataFile"
PIXEL_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip


def metaimage_stored(path: Path, file: BufferedReader) -> Stored:
    """What the header of a MetaImage file says.

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
    count = fields.numbers("NDims", int, 1)[0]
    sizes = fields.numbers("DimSize", int, count)
    check_dimensions(sizes[:3], path.name)
    kind = PIXEL_TYPES.get(fields["ElementType"])
    if kind is None:
        raise fields.unsupported_pixels()
    pixel_type = np.dtype((">" if _is_any(fields, *BYTE_ORDER) else "<") + kind)
    channels = fields.numbers("ElementNumberOfChannels", int, 1)[0]
    check_size([*sizes, channels], pixel_type.itemsize, path.name)
    origin, directions = (next((name for name in names if name in fields), None) for names in (ORIGIN, DIRECTIONS))
    if origin is None or directions is None or "ElementSpacing" not in fields:
        raise MissingGeometry(
            f"{path.name} does not say where its voxels lie in the patient: a MetaImage header needs TransformMatrix, "
            "Offset and ElementSpacing. Export it again with its geometry"
        )
    fields.check_mm([fields.get("DistanceUnits", "")])
    grid = grid_of_directions(
        sizes[:3],
        fields.numbers("ElementSpacing", float, count)[:3],
        np.reshape(fields.numbers(directions, float, count * count), (count, count))[:3, :3].T,
        fields.numbers(origin, float, count)[:3],
        path.name,
    )
    if not _is_any(fields, "BinaryData") or fields.get("HeaderSize", "0") != "0":
        raise fields.unsupported("BinaryData = True, and HeaderSize = 0 or none")
    is_packed = _is_any(fields, "CompressedData")
    packed_bytes = max(0, *fields.numbers("CompressedDataSize", int, 1)) or None
    where = fields[LAST]
    data, offset = (path, file.tell()) if where.lower() == "local" else (beside(path, where), 0)
    further = (*sizes[3:], channels)
    return Stored(grid, further, pixel_type, data, offset, "zlib" if is_packed else "raw", packed_bytes)


def _fields(path: Path, file: BufferedReader) -> Fields:
    fields = Fields(path)
    for line in filter(str.strip, lines_of(path, file)):
        field, sign, value = line.partition("=")
        if not sign:
            raise NotAnImage(f"{path.name} is no MetaImage file: its header has a line without '='. Give an image")
        fields.add(field.strip(), value)
        if field.strip() == LAST:
            break
    if not {"NDims", "DimSize", "ElementType", LAST} <= fields.keys():
        raise NotAnImage(
            f"{path.name} is no MetaImage file: its header lacks NDims, DimSize, ElementType or {LAST}. Give an image"
        )
    for field, default in (("BinaryData", "True"), ("ElementNumberOfChannels", "1"), ("CompressedDataSize", "0")):
        fields.setdefault(field, default)
    return fields


def _is_any(fields: Fields, *names: str) -> bool:
    """What the header says under one of several names; False where it says nothing."""
    said = {fields[name][:1] in {"T", "t", "1"} for name in names if name in fields}
    if len(said) > 1:
        raise UnreadableFile(f"{fields.path.name} is damaged: its header contradicts itself; export it again")
    return True in said
