"""What the header of a DICOM file says of each of its slices; pixels are not read."""

from __future__ import annotations

import logging
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from avnnet.data.limits import check_size
from avnnet.errors import AvnnetError, MissingGeometry, UndecodablePixels, UnreadableFile
from avnnet.labels import Side

PIXELS = ["Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "PhotometricInterpretation"]
PLACE = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
TAGS = [
    *PIXELS, *PLACE, SHARED, PER_FRAME, "SOPClassUID", "Modality", "PatientID", "SeriesInstanceUID", "SeriesNumber",
    "NumberOfFrames", "ImageType", "EchoTime", "EchoNumbers", "InstanceNumber",
    "TemporalPositionIdentifier", "ImagesInAcquisition", "RescaleSlope", "RescaleIntercept", "Laterality",
    "ImageLaterality", "LossyImageCompression", "BurnedInAnnotation", "ScanningSequence", "MRAcquisitionType",
]  # fmt: skip
MAGIC_AT, MAGIC = 128, b"DICM"
LONG_VR = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"}
UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice of a DICOM file.

    Args:
        path: the file.
        index: of the frame in a multi-frame file; 0 in a classic one.
        header: what the header says of the file as a whole, without pixels.
        size: rows and columns.
        plane: `(8,)` direction cosines of a row and of a column, then the spacing of rows and of columns in mm; empty
            where the file does not say.
        position_mm: `(3,)` LPS, the centre of the first pixel; empty where the file does not say.
        image_type: DICOM's words for what was made of the signal.
        echo: echo time in ms, and its number, as text.
        stack: id of the stack in a multi-frame file, else "".
        time: index of the time point, else "".
        slope: of the stored values.
        intercept: of the stored values.
    """

    path: Path
    index: int
    header: Dataset
    size: tuple[int, int]
    plane: np.ndarray
    position_mm: np.ndarray
    image_type: tuple[str, ...]
    echo: str
    stack: str
    time: str
    slope: float
    intercept: float

    @property
    def is_compressed(self) -> bool:
        """Whether a decoder is needed."""
        syntax = getattr(self.header, "file_meta", {}).get("TransferSyntaxUID")
        return bool(syntax is not None and syntax.is_compressed)

    @property
    def laterality(self) -> Side | None:
        """The body side that the header names."""
        said = str(self.header.get("ImageLaterality") or self.header.get("Laterality") or "")
        return {"L": Side.LEFT, "R": Side.RIGHT}.get(said.strip().upper())


@contextmanager
def silenced() -> Iterator[None]:
    """Keeps pydicom from printing odd values of a header, which may be a person's."""
    log = logging.getLogger("pydicom")
    before = log.disabled
    log.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.disabled = before


def is_dicom(path: Path) -> bool:
    """Whether a file begins as a DICOM file, with or without a preamble."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(MAGIC_AT + len(MAGIC))
    except OSError:
        return False
    # without a preamble the file begins with an element of group 2 or 8, as old exports do
    return start[MAGIC_AT:] == MAGIC or (start[:2] in (b"\x02\0", b"\x08\0") and start[2:4] in (b"\0\0", b"\x05\0"))


def read_frames(path: Path) -> list[Frame]:
    """The slices of a file, in its own order; none for a DICOM object without pixels, such as a report.

    Raises:
        UnreadableFile: if it is damaged.
        ResourceLimitExceeded: if it promises more than a hip scan can hold.
        UndecodablePixels: if its pixels are fewer or more than promised.
    """
    try:
        with open(path, "rb") as stream, silenced():
            header = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(TAGS), force=True)
            if "Rows" not in header:
                return _nothing_to_see(header)
            frames = list(_frames(path, header))
            _check_pixels(stream, header)
            for tag in list(header.keys()):  # pydicom converts, and warns, at the first look at a value
                with suppress(Exception):
                    header[tag]
    except AvnnetError:
        raise
    except Exception as error:  # damaged bytes raise whatever the parser meets first
        raise UnreadableFile(
            f"a DICOM file is truncated or damaged ({type(error).__name__}); copy or export the series again"
        ) from error
    return frames


def _nothing_to_see(header: FileDataset) -> list[Frame]:
    """No frames, of an object that is no image; an image that ends before its size is damaged."""
    kind = header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID")
    if kind is None or UID(str(kind)).name.endswith("Image Storage"):
        raise UnreadableFile("a DICOM file ends within its header; copy or export the series again")
    return []


def _frames(path: Path, header: FileDataset) -> Iterator[Frame]:
    size = (int(header.Rows), int(header.Columns))
    count = int(header.get("NumberOfFrames") or 1)
    check_size((count, *size), int(header.get("BitsAllocated") or 16) // 8 or 1, "a DICOM file")
    shared = _first(header.get(SHARED))
    each = header.get(PER_FRAME) or []
    if each and len(each) != count:
        raise UnreadableFile(f"a DICOM file promises {count} frames and describes {len(each)}; export it again")
    for index in range(count if each else 1):
        groups = [_first(each[index : index + 1]), shared, header]
        yield _frame(path, index, header, groups, size)


def _frame(path: Path, index: int, header: FileDataset, groups: list[Dataset], size: tuple[int, int]) -> Frame:
    def said(sequence: str, keyword: str) -> Any:
        """The frame's own value, or the one that all frames share, or that of a classic file."""
        places = [_first(group.get(sequence)) for group in groups[:2]] + [groups[2]]
        return next((place[keyword].value for place in places if place.get(keyword) not in (None, "")), None)

    orientation = said("PlaneOrientationSequence", "ImageOrientationPatient")
    spacing = said("PixelMeasuresSequence", "PixelSpacing")
    kind = said("MRImageFrameTypeSequence", "FrameType") or header.get("ImageType") or ()
    echo = (said("MREchoSequence", "EffectiveEchoTime"), header.get("EchoNumbers"))
    slope = said("PixelValueTransformationSequence", "RescaleSlope")
    intercept = said("PixelValueTransformationSequence", "RescaleIntercept")
    return Frame(
        path=path,
        index=index,
        header=header,
        size=size,
        plane=_numbers(orientation, 6, spacing, 2),
        position_mm=_numbers(said("PlanePositionSequence", "ImagePositionPatient"), 3),
        image_type=(str(kind),) if isinstance(kind, str) else tuple(map(str, kind)),
        echo=" ".join(str(one) for one in (echo[0] or header.get("EchoTime"), echo[1]) if one not in (None, "")),
        stack=str(said("FrameContentSequence", "StackID") or ""),
        time=str(
            said("FrameContentSequence", "TemporalPositionIndex") or header.get("TemporalPositionIdentifier") or ""
        ),
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
    )


def _first(sequence: Any) -> Dataset:
    return sequence[0] if sequence else Dataset()


def _numbers(*parts: Any) -> np.ndarray:
    """The numbers of values and their counts, one after another; nothing if a value is missing altogether."""
    found: list[float] = []
    for value, count in zip(parts[::2], parts[1::2], strict=True):
        if value is None:
            return np.empty(0)
        several = [value] if isinstance(value, str | float | int) else list(value)
        if len(several) != count or not np.isfinite(np.array(several, float)).all():
            raise MissingGeometry(
                f"position, orientation and spacing of a slice must be 3, 6 and 2 finite numbers; found {len(several)} "
                "or one that is not finite. Export the series again with its geometry"
            )
        found += [float(one) for one in several]
    return np.array(found)


def _check_pixels(stream: BinaryIO, header: FileDataset) -> None:
    """Nothing, if uncompressed pixels are as many bytes as promised; compressed ones are left to their decoder."""
    syntax = header.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    if syntax == DeflatedExplicitVRLittleEndian:
        return
    order = "<" if header.original_encoding[1] else ">"
    start = stream.tell()
    element = stream.read(12)
    if len(element) < 8 or struct.unpack(order + "HH", element[:4]) != (PIXEL_DATA >> 16, PIXEL_DATA & 0xFFFF):
        raise UndecodablePixels("a DICOM image has no pixels; copy or export the series again")
    if element[4:6] in LONG_VR:
        length, offset = struct.unpack(order + "I", element[8:12])[0], 12
    else:
        length, offset = struct.unpack(order + "I", element[4:8])[0], 8
    there = stream.seek(0, 2) - start - offset
    if syntax.is_compressed:
        return
    promised = _promised_bytes(header)
    # an odd length is filled up to an even one
    if length == UNDEFINED_LENGTH or not 0 <= length - promised <= 1 or there < promised:
        raise UndecodablePixels(
            f"a DICOM file is truncated or damaged: its header promises {promised} bytes of pixels, it has "
            f"{min(length, max(there, 0))}; copy or export it again"
        )


def _promised_bytes(header: Dataset) -> int:
    values = int(header.Rows) * int(header.Columns) * int(header.get("SamplesPerPixel") or 1)
    return values * int(header.get("NumberOfFrames") or 1) * int(header.BitsAllocated) // 8
