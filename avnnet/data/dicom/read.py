"""A DICOM folder or file as an image: find the series, put its slices in order, decode them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydicom.uid import JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from avnnet.data.dicom.find import find_series
from avnnet.data.dicom.headers import Frame, is_dicom
from avnnet.data.dicom.pixels import pixels_of
from avnnet.data.dicom.series import Found, Series, chosen
from avnnet.data.dicom.stack import grid_of_frames, sorted_frames
from avnnet.data.dicom.values import Header
from avnnet.flags import Flag, Flags
from avnnet.grid import Grid
from avnnet.image import DicomReferences, Image, Source

LOSSY = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000)


def series_in(folder: str | Path) -> dict[str, Path]:
    """The subfolders of a folder that hold DICOM files directly, by name."""
    inner = sorted(path for path in Path(folder).iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path.name: path for path in inner if any(one.is_file() and is_dicom(one) for one in path.iterdir())}


def read_series(place: str | Path, series: int | None = None) -> Image:
    """The image `(z, y, x)` of a DICOM series: slices along their normal, values rescaled.

    Classic series and Enhanced multi-frame MR, in every compression that pydicom's plugins decode.

    Args:
        place: a multi-frame file, a folder, or a tree of folders.
        series: which, as `avnnet scan` counts them; None takes the only one that can be an MR image of a hip.

    Raises:
        NotAnImage: if there are no DICOM images.
        MixedSeries, MixedPatients: if it is not clear which series is meant.
        UnreadableFile, UndecodablePixels: if a file is damaged, or its pixels cannot be decoded.
        UnsupportedFormat, UnsupportedPixelType: if it is in colour, a mosaic, a screenshot, or shows burned-in text.
        MissingGeometry, NonOrthogonalDirection: if slices do not say where they lie, or cannot lie so.
        NotAVolume, DuplicateSlices, MissingSlices, UnevenSpacing: if they make no even, upright stack.
        ResourceLimitExceeded: if there are more files or voxels than a hip scan has.
    """
    one, frames = _one(find_series(place), series)
    grid, is_repaired = grid_of_frames(frames)
    return Image(pixels_of(frames), grid, source=_source(one, frames, is_repaired))


def series_grid(place: str | Path, series: int | None = None) -> Grid:
    """The grid of a DICOM series; pixels are not read.

    Raises:
        AvnnetError: as `read_series`.
    """
    return grid_of_frames(_one(find_series(place), series)[1])[0]


def grid_of_series(series: Series) -> Grid:
    """The grid of one series; pixels are not read.

    Raises:
        AvnnetError: why its slices make no even, upright stack.
    """
    return grid_of_frames(sorted_frames(series.frames))[0]


def _one(found: Found, number: int | None) -> tuple[Series, Sequence[Frame]]:
    one = chosen(found, number)
    check_complete(found, one)
    return one, sorted_frames(one.frames)


def check_complete(found: Found, series: Series) -> None:
    """Refuse a series beside whose slices lies an unreadable file that may be one of them.

    Args:
        found: what was found with it.
        series: one of these.

    Raises:
        AvnnetError: why a file cannot be read; without it the stack may be wrong.
    """
    folders = {frame.path.parent for frame in series.frames}
    for path, error in found.strange.items():
        if path.parent in folders:
            raise error


def _source(series: Series, frames: Sequence[Frame], is_repaired: bool) -> Source:
    headers = [frame.header for frame in series.frames]
    flags = {
        Flag.REPAIRED_DIRECTION: is_repaired,
        Flag.LOSSY_SOURCE: any(map(_is_lossy, headers)),
        Flag.ENDS_MAY_BE_MISSING: _lacks_slices(series),
    }
    sides = {frame.laterality for frame in series.frames}
    return Source(
        Flags(flag for flag, is_raised in flags.items() if is_raised),
        sides.pop() if len(sides) == 1 else None,
        dicom=_references(frames),
    )


def _references(frames: Sequence[Frame]) -> DicomReferences:
    """The objects of slices in the order of the array."""

    def common(keyword: str) -> str:
        found = {frame.header.text(keyword) for frame in frames}
        return found.pop() if len(found) == 1 else ""

    return DicomReferences(
        study_uid=common("StudyInstanceUID"),
        series_uid=common("SeriesInstanceUID"),
        frame_of_reference_uid=common("FrameOfReferenceUID"),
        sop_class_uid=common("SOPClassUID"),
        sop_instance_uids=tuple(frame.header.text("SOPInstanceUID") for frame in frames),
        frame_numbers=tuple(frame.index + 1 for frame in frames),
    )


def _is_lossy(header: Header) -> bool:
    said = header.text("LossyImageCompression")
    return said == "01" or (header.syntax in LOSSY and said != "00")


def _lacks_slices(series: Series) -> bool:
    """Whether slice numbers, or the number of slices acquired, say that there were more."""
    if series.is_part or any(frame.index for frame in series.frames):
        return False  # the numbers are those of all groups together
    count = len(series.frames)
    acquired = {frame.header.whole("ImagesInAcquisition") for frame in series.frames}
    numbers = {frame.header.whole("InstanceNumber") for frame in series.frames}
    are_told = len(numbers) == count and min(numbers) >= 0
    return max(acquired) > count or (are_told and (min(numbers) > 1 or max(numbers) - min(numbers) + 1 > count))
