"""What the header of a DICOM file says of each of its slices; pixels are not read."""

from __future__ import annotations

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from avnnet.data.dicom.codes import uid_of
from avnnet.data.dicom.deflated import check_deflated
from avnnet.data.dicom.values import PER_FRAME, SHARED, TAGS, Header, value_of
from avnnet.data.limits import check_size
from avnnet.errors import AvnnetError, MissingGeometry, UndecodablePixels, UnreadableFile
from avnnet.labels import Side

MAGIC_AT, MAGIC = 128, b"DICM"
LONG_VR = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"}
UNDEFINED_LENGTH = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
DAMAGE: tuple[tuple[type[Exception], str], ...] = (
    (struct.error, "an element of its header ends too soon"),
    (EOFError, "an element of its header ends too soon"),
    (zlib.error, "its deflated header cannot be unpacked"),
    (RecursionError, "its sequences lie in each other too deep, RecursionError"),
)


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice of a DICOM file.

    Args:
        path: the file.
        index: of the frame in a multi-frame file; 0 in a classic one.
        header: what the header says of the file as a whole.
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
    header: Header
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
        return self.header.syntax is not None and self.header.syntax.is_compressed

    @property
    def laterality(self) -> Side | None:
        """The body side that the header names."""
        said = self.header.text("ImageLaterality") or self.header.text("Laterality")
        return {"L": Side.LEFT, "R": Side.RIGHT}.get(said.upper())


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
            check_deflated(stream)
            dataset = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=list(TAGS), force=True)
            header = Header(dataset)
            if "Rows" not in dataset:
                return _nothing_to_see(dataset, header)
            _check_syntax(header)
            frames = list(_frames(path, header))
            _check_pixels(stream, dataset, header)
    except AvnnetError:
        raise
    except Exception as error:  # damaged bytes raise whatever the parser meets first
        what = next((words for kind, words in DAMAGE if isinstance(error, kind)), type(error).__name__)
        raise UnreadableFile(
            f"a DICOM file is truncated or damaged ({what}); copy or export the series again"
        ) from error
    return frames


def _nothing_to_see(dataset: FileDataset, header: Header) -> list[Frame]:
    """No frames, of an object that is no image; an image that ends before its size is damaged."""
    kind = header.text("SOPClassUID") or str(dataset.file_meta.get("MediaStorageSOPClassUID") or "")
    if not kind or uid_of(kind).name.endswith("Image Storage"):
        raise UnreadableFile("a DICOM file ends within its header; copy or export the series again")
    return []


def _check_syntax(header: Header) -> None:
    """Raises if the file names a way of writing that DICOM does not know."""
    syntax = header.syntax
    if syntax is not None and not (syntax.is_transfer_syntax and not syntax.is_private):
        raise UndecodablePixels("TransferSyntaxUID of a DICOM file is not one of DICOM's; export the series again")


def _frames(path: Path, header: Header) -> Iterator[Frame]:
    size = (header.whole("Rows"), header.whole("Columns"))
    count = header.whole("NumberOfFrames", 1)
    check_size((count, *size), header.whole("BitsAllocated", 16) // 8 or 1, "a DICOM file")
    shared, each = header.items(SHARED)[:1], header.items(PER_FRAME)
    if each and len(each) != count:
        raise UnreadableFile(f"a DICOM file promises {count} frames and describes {len(each)}; export it again")
    for index in range(count if each else 1):
        yield _frame(path, index, header, [*each[index : index + 1], *shared], size)


def _frame(path: Path, index: int, header: Header, groups: Sequence[Dataset], size: tuple[int, int]) -> Frame:
    def said(sequence: str, keyword: str, outside: str = "") -> Any:
        """The frame's own value, else the one that all frames share, else the one that the file says outside them."""
        places = [_first(value_of(group, sequence)) for group in groups]
        found = next((found for place in places if (found := value_of(place, keyword)) is not None), None)
        return header.value(outside) if found is None and outside else found

    def anywhere(sequence: str, keyword: str) -> Any:
        return said(sequence, keyword, outside=keyword)

    orientation = anywhere("PlaneOrientationSequence", "ImageOrientationPatient")
    position = anywhere("PlanePositionSequence", "ImagePositionPatient")
    spacing = anywhere("PixelMeasuresSequence", "PixelSpacing")
    slope = anywhere("PixelValueTransformationSequence", "RescaleSlope")
    intercept = anywhere("PixelValueTransformationSequence", "RescaleIntercept")
    echo = (said("MREchoSequence", "EffectiveEchoTime", "EchoTime"), header.text("EchoNumbers"))
    return Frame(
        path=path,
        index=index,
        header=header,
        size=size,
        plane=_counted((orientation, 6), (spacing, 2)),
        position_mm=_counted((position, 3)),
        image_type=said("MRImageFrameTypeSequence", "FrameType", "ImageType") or (),
        echo=" ".join(one for one in echo if one),
        stack=said("FrameContentSequence", "StackID") or "",
        time=said("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIdentifier") or "",
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
    )


def _first(items: Sequence[Dataset] | None) -> Dataset:
    return items[0] if items else Dataset()


def _counted(*parts: tuple[tuple[float, ...] | None, int]) -> np.ndarray:
    """The numbers of all parts, one after another; nothing if one is missing altogether."""
    found: list[float] = []
    for numbers, count in parts:
        if numbers is None:
            return np.empty(0)
        if len(numbers) != count:
            raise MissingGeometry(
                f"position, orientation and spacing of a slice must be 3, 6 and 2 finite numbers; found "
                f"{len(numbers)}. Export the series again with its geometry"
            )
        found += numbers
    return np.array(found)


def _check_pixels(stream: BinaryIO, dataset: FileDataset, header: Header) -> None:
    """Raises if uncompressed pixels are not as many bytes as promised; compressed ones are left to their decoder."""
    syntax = header.syntax or ImplicitVRLittleEndian
    if syntax == DeflatedExplicitVRLittleEndian:
        return
    order = "<" if dataset.original_encoding[1] else ">"
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


def _promised_bytes(header: Header) -> int:
    values = header.whole("Rows") * header.whole("Columns") * header.whole("SamplesPerPixel", 1)
    return values * header.whole("NumberOfFrames", 1) * header.whole("BitsAllocated") // 8
