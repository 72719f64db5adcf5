"""Values of a DICOM header, each as the type that its keyword must have; nothing else is known of a header."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence as Items

from avnnet.data.dicom.codes import uid_of
from avnnet.errors import MissingGeometry, UnreadableFile


class Kind(Enum):
    """What a value must be; empty and missing values are none."""

    TEXT = "text"
    WORDS = "one or more words"
    WHOLE = "one whole number"
    NUMBER = "one finite number"
    NUMBERS = "finite numbers"
    ITEMS = "a sequence of items"


SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"
TAGS = {
    **dict.fromkeys(
        ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality",
         "PatientID", "PhotometricInterpretation", "EchoTime", "EchoNumbers", "TemporalPositionIdentifier",
         "Laterality", "ImageLaterality", "LossyImageCompression", "BurnedInAnnotation", "MRAcquisitionType"],
        Kind.TEXT,
    ),
    **dict.fromkeys(["ImageType", "ScanningSequence"], Kind.WORDS),
    **dict.fromkeys(
        ["Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "NumberOfFrames", "SeriesNumber", "InstanceNumber",
         "ImagesInAcquisition"],
        Kind.WHOLE,
    ),
    **dict.fromkeys(["RescaleSlope", "RescaleIntercept"], Kind.NUMBER),
    **dict.fromkeys(["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"], Kind.NUMBERS),
    **dict.fromkeys([SHARED, PER_FRAME], Kind.ITEMS),
}  # fmt: skip
"""Every keyword that is read of a file, and what its value must be. A refusal that needs another adds it here."""
OF_FRAMES = {
    **dict.fromkeys(
        ["PlaneOrientationSequence", "PlanePositionSequence", "PixelMeasuresSequence", "MRImageFrameTypeSequence",
         "MREchoSequence", "PixelValueTransformationSequence", "FrameContentSequence"],
        Kind.ITEMS,
    ),
    **dict.fromkeys(["EffectiveEchoTime", "StackID", "TemporalPositionIndex"], Kind.TEXT),
    "FrameType": Kind.WORDS,
}  # fmt: skip
"""The keywords inside the functional groups of a multi-frame file."""
UNDECODED: tuple[tuple[type[Exception], str], ...] = (
    (BytesLengthException, "bytes of a length that its representation cannot have"),
    (NotImplementedError, "a representation (VR) that DICOM does not have"),
    (RecursionError, "sequences within sequences without an end"),
)
MAX_GEOMETRY = 1e9  # of cosines and mm: no product of three overflows
MIN_WHOLE, MAX_WHOLE = -(2**31), 2**32 - 1
"""Of DICOM's integer strings and its unsigned long numbers."""


class Header:
    """What a file's header says as a whole; a keyword that is not in `TAGS` is an error, never an empty value.

    Args:
        dataset: as pydicom has read it; its values are converted here, once.

    Raises:
        UnreadableFile: if a value is not what its keyword must have; the keyword is named, the value is not.
        MissingGeometry: the same of position, orientation and spacing.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._values = {keyword: value_of(dataset, keyword) for keyword in TAGS if keyword in dataset}
        syntax = value_of(getattr(dataset, "file_meta", Dataset()), "TransferSyntaxUID", Kind.TEXT)
        self.syntax = None if syntax is None else uid_of(syntax)

    def text(self, keyword: str) -> str:
        """A text, without the blanks around it; several are joined by backslashes, as they are in the file."""
        return self._value(keyword, Kind.TEXT) or ""

    def words(self, keyword: str) -> tuple[str, ...]:
        """The words of a value of several."""
        return self._value(keyword, Kind.WORDS) or ()

    def whole(self, keyword: str, default: int = 0) -> int:
        """A whole number; the default where there is none, or 0 stands for none."""
        return self._value(keyword, Kind.WHOLE) or default

    def number(self, keyword: str) -> float | None:
        """A finite number."""
        return self._value(keyword, Kind.NUMBER)

    def numbers(self, keyword: str) -> tuple[float, ...] | None:
        """Finite numbers."""
        return self._value(keyword, Kind.NUMBERS)

    def items(self, keyword: str) -> Sequence[Dataset]:
        """The items of a sequence."""
        return self._value(keyword, Kind.ITEMS) or ()

    def value(self, keyword: str) -> Any:
        """The value as the type that `TAGS` names; None where it is missing or empty."""
        return self._value(keyword, TAGS.get(keyword))

    def _value(self, keyword: str, kind: Kind | None) -> Any:
        if kind is None or TAGS.get(keyword) is not kind:
            # a refusal that reads as None what was never loaded would let every file pass
            raise KeyError(f"{keyword} is not read so; add it to TAGS of avnnet.data.dicom.values, with its kind")
        return self._values.get(keyword)


def value_of(dataset: Dataset, keyword: str, kind: Kind | None = None) -> Any:
    """A value of a dataset as the type that its keyword must have; None where it is missing or empty.

    Args:
        dataset: a header, or an item of one of its sequences.
        keyword: DICOM's.
        kind: what the value must be; by default as `TAGS` and `OF_FRAMES` say.

    Raises:
        UnreadableFile: if it is something else, or cannot be decoded.
        MissingGeometry: the same of `Kind.NUMBERS`.
        KeyError: if the keyword is in neither table.

    Examples:
        >>> header = Dataset()
        >>> header.SeriesNumber = [3, 4]
        >>> value_of(header, "SeriesNumber")
        Traceback (most recent call last):
        avnnet.errors.UnreadableFile: SeriesNumber of a DICOM file must be one whole number; found 2 values. Export ...
    """
    kind = kind or TAGS.get(keyword) or OF_FRAMES[keyword]
    try:
        value = dataset[keyword].value if keyword in dataset else None
    except Exception as error:  # bytes that cannot be decoded raise whatever the parser meets first
        bare = f"bytes that cannot be decoded ({type(error).__name__})"
        found = next((words for one, words in UNDECODED if isinstance(error, one)), bare)
        raise _refusal(keyword, kind, found) from error
    if kind is Kind.ITEMS:
        if value is None or isinstance(value, Items):
            return value
        raise _refusal(keyword, kind, type(value).__name__)
    several: list[Any] = list(value) if isinstance(value, MultiValue | list | tuple) else [value]
    if len(several) > 1 and kind in (Kind.WHOLE, Kind.NUMBER):
        raise _refusal(keyword, kind, f"{len(several)} values")  # of which all may be empty
    if not any(one not in (None, "") for one in several):
        return None
    if any(isinstance(one, bytes | Items | Dataset) for one in several):
        raise _refusal(keyword, kind, "bytes or items")
    if kind is Kind.TEXT:
        return "\\".join(str(one) for one in several).strip() or None
    if kind is Kind.WORDS:
        return tuple(str(one) for one in several)
    numbers = _numbers(keyword, kind, several)
    if kind is Kind.NUMBERS:
        return numbers
    if kind is Kind.NUMBER:
        return numbers[0]
    if not numbers[0].is_integer() or not MIN_WHOLE <= numbers[0] <= MAX_WHOLE:
        raise _refusal(keyword, kind, "a fraction, or a number beyond 32 bits")
    return int(numbers[0])


def _numbers(keyword: str, kind: Kind, several: Sequence[Any]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(one) for one in several)
    except (TypeError, ValueError, OverflowError) as error:
        raise _refusal(keyword, kind, "text") from error
    if not all(map(math.isfinite, numbers)):
        raise _refusal(keyword, kind, "a number that is not finite")
    if kind is Kind.NUMBERS and max(map(abs, numbers)) > MAX_GEOMETRY:
        raise _refusal(keyword, kind, f"a number beyond {MAX_GEOMETRY:g}")
    return numbers


def _refusal(keyword: str, kind: Kind, found: str) -> UnreadableFile | MissingGeometry:
    """Names the keyword and what was expected; the value itself may be a person's."""
    name = MissingGeometry if kind is Kind.NUMBERS else UnreadableFile
    return name(
        f"{keyword} of a DICOM file must be {kind.value}; found {found}. Export the series again, or copy it again"
    )
