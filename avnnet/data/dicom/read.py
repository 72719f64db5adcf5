"""A folder of one classic series as an image: headers by pydicom, pixels by SimpleITK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.dataset import FileDataset

from avnnet.data.integrity import files_of
from avnnet.errors import (
    AvnnetError,
    InvalidGeometry,
    MissingFile,
    MissingSlices,
    MixedSeries,
    NotAVolume,
    UnevenSpacing,
    UnreadableFile,
    UnsupportedFormat,
)
from avnnet.grid import Grid
from avnnet.image import Image

PLANE = ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"]
PIXELS = ["Rows", "Columns", "BitsAllocated", "SamplesPerPixel", "PhotometricInterpretation", "PixelData"]
OTHERS = ["SeriesInstanceUID", "NumberOfFrames", "ImageType"]
CONVERT = "convert the series to NIfTI first, for example with dcm2niix"
SAME_PLANE = 1e-4  # of direction cosines and mm: writers round, and a degree is 0.017
UNEVEN_SHARE, UNEVEN_MM = 0.01, 0.01  # of the slice distance; and what positions rounded to 0.01 mm need


@dataclass(frozen=True)
class _Slice:
    path: Path
    series: str
    size: tuple[int, int]
    plane: np.ndarray  # (8,) direction cosines of a row and of a column, then the spacing in mm of rows and columns
    position_mm: np.ndarray  # (3,) LPS, the centre of the first pixel


def series_in(folder: str | Path) -> dict[str, Path]:
    """The subfolders of a folder that hold DICOM files directly, by name."""
    inner = sorted(path for path in Path(folder).iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path.name: path for path in inner if any(map(_is_dicom, files_of(path)))}


def _is_dicom(path: Path) -> bool:
    with open(path, "rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def read_series(folder: str | Path) -> Image:
    """The image `(z, y, x)` of a folder with one classic series, slices along their normal, rescaled.

    Raises:
        MissingFile: if the folder holds no DICOM files.
        UnreadableFile: if a file in it is no DICOM file, or truncated or damaged.
        UnsupportedFormat: if an image is in colour, inverted, or holds several frames or slices.
        MixedSeries: if there are several series, slices of several planes, or several images of one position.
        MissingSlices, UnevenSpacing: if slices are missing between others, or not evenly spaced.
        InvalidGeometry: if positions or orientations are missing or cannot be.
        NotAVolume: if there is one slice only.
    """
    slices = _slices(Path(folder))
    grid = _grid(slices)
    # one by one: a reader of whole series takes the first slice's number type for all of them
    return Image(np.stack([_pixels(one) for one in slices]), grid)


def series_grid(folder: str | Path) -> Grid:
    """The grid of a folder with one classic series.

    Raises:
        AvnnetError: as `read_series`.
    """
    return _grid(_slices(Path(folder)))


def _slices(folder: Path) -> list[_Slice]:
    """The folder's slices along their normal."""
    paths = files_of(folder)
    if not any(map(_is_dicom, paths)):
        raise MissingFile(f"no DICOM files in the folder {folder}; give the folder that holds the slices themselves")
    slices = [_slice(path) for path in paths]
    groups: dict[tuple[str, tuple[int, int]], list[_Slice]] = {}
    for one in slices:
        groups.setdefault((one.series, one.size), []).append(one)
    if len(groups) > 1:
        found = "; ".join(
            f"{len(group)} of {size[0]} x {size[1]} pixels from {group[0].path.name} on"
            for (_, size), group in list(groups.items())[:5]
        )
        raise MixedSeries(
            f"the folder {folder.name} must hold one series; found {len(groups)}: {found}"
            f"{' and more' if len(groups) > 5 else ''}. Give each series a folder of its own"
        )
    turned = next((one for one in slices if np.abs(one.plane - slices[0].plane).max() > SAME_PLANE), None)
    if turned is not None:
        raise MixedSeries(
            f"all slices of the folder {folder.name} must have one orientation and pixel spacing; {turned.path.name} "
            f"differs from {slices[0].path.name}. Move localisers and other series out of the folder"
        )
    if len(slices) == 1:
        raise NotAVolume(f"{folder.name} holds one slice, {slices[0].path.name}; give the folder of the 3D series")
    normal = np.cross(slices[0].plane[:3], slices[0].plane[3:6])
    return sorted(slices, key=lambda one: float(one.position_mm @ normal))


def _slice(path: Path) -> _Slice:
    try:
        header = pydicom.dcmread(path, specific_tags=[*PLANE, *PIXELS, *OTHERS])
        _check_plain(path, header)
        plane = [*header.ImageOrientationPatient, *header.PixelSpacing]
        one = _Slice(
            path,
            str(header.get("SeriesInstanceUID", "")),
            (int(header.Rows), int(header.Columns)),
            np.array(plane, float),
            np.array(header.ImagePositionPatient, float),
        )
    except AvnnetError:
        raise
    except Exception as error:  # damaged bytes raise whatever the parser meets first
        raise UnreadableFile(
            f"{path.name} is no DICOM file, or is truncated or damaged ({type(error).__name__}). Export the series "
            "again; the folder may hold nothing else"
        ) from error
    if (
        one.plane.shape != (8,)
        or one.position_mm.shape != (3,)
        or not np.isfinite([*one.plane, *one.position_mm]).all()
    ):
        raise InvalidGeometry(
            f"{path.name}: position, orientation and spacing must be 3, 6 and 2 finite numbers; {CONVERT}"
        )
    return one


def _check_plain(path: Path, header: FileDataset) -> None:
    """Nothing, if a file holds one whole greyscale slice with its place in the patient."""
    lacking = [keyword for keyword in [*PIXELS, *PLANE] if header.get(keyword) in (None, "")]
    if set(lacking) & set(PIXELS):
        raise UnreadableFile(f"{path.name} holds no whole image, it lacks {', '.join(lacking)}; export it again")
    if int(header.get("NumberOfFrames") or 1) > 1 or "MOSAIC" in (header.get("ImageType") or ()):
        raise UnsupportedFormat(f"{path.name} holds several slices in one file, which is not read yet; {CONVERT}")
    if header.SamplesPerPixel != 1 or header.PhotometricInterpretation != "MONOCHROME2":
        raise UnsupportedFormat(
            f"{path.name} must be greyscale with one bright-is-high value per pixel (MONOCHROME2); {CONVERT}"
        )
    if lacking:
        raise InvalidGeometry(
            f"{path.name} does not say where it lies in the patient, it lacks {', '.join(lacking)}; move it out of the "
            "folder, or export the series again with its geometry"
        )
    expected, found = header.Rows * header.Columns * header.BitsAllocated // 8, len(header.PixelData)
    syntax = header.file_meta.get("TransferSyntaxUID")
    # an odd length is filled up to an even one; what a compressed slice needs is left to its decoder
    if not (syntax is not None and syntax.is_compressed) and found - expected not in (0, 1):
        raise UnreadableFile(
            f"{path.name} is truncated or damaged: its header promises {expected} bytes of pixels, it has {found}; "
            "copy or export it again"
        )


def _grid(slices: Sequence[_Slice]) -> Grid:
    """The grid of sorted slices; the distance is that of their positions, which headers often misstate."""
    first = slices[0]
    positions = np.array([one.position_mm for one in slices])
    step = (positions[-1] - positions[0]) / (len(slices) - 1)
    distance = float(np.linalg.norm(step))
    gaps = np.diff(positions @ np.cross(first.plane[:3], first.plane[3:6]))
    if gaps.min() <= UNEVEN_SHARE * gaps.max():
        at = int(gaps.argmin())
        raise MixedSeries(
            f"every position must have one image; {slices[at].path.name} and {slices[at + 1].path.name} lie at one. "
            "Give each echo, time point or copy a folder of its own"
        )
    off = float(np.linalg.norm(positions - (positions[0] + np.outer(np.arange(len(slices)), step)), axis=1).max())
    if off > max(UNEVEN_SHARE * distance, UNEVEN_MM):
        at, usual = int(gaps.argmax()), float(np.median(gaps))
        between = f"between {slices[at].path.name} and {slices[at + 1].path.name} there are {gaps[at]:.4g} mm"
        if gaps[at] > 1.5 * usual:
            raise MissingSlices(f"slices are missing: {between}, elsewhere {usual:.4g} mm. Export the series again")
        raise UnevenSpacing(
            f"slices must be evenly spaced, to a hundredth; {between}, elsewhere {gaps.min():.4g} mm. "
            "Resample the series to even slices first"
        )
    direction = np.stack([step / distance, first.plane[3:6], first.plane[:3]], axis=1)
    return Grid(
        (len(slices), *first.size),
        (distance, *first.plane[6:]),
        tuple(first.position_mm),
        tuple(tuple(row) for row in direction.tolist()),
    )


def _pixels(one: _Slice) -> np.ndarray:
    """`(y, x)` rescaled values of one slice."""
    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(one.path))
    try:
        array = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise UnreadableFile(f"{one.path.name} cannot be decoded ({reason}); export it again") from error
    if array.shape != (1, *one.size):
        raise UnreadableFile(
            f"{one.path.name}: its header promises {one.size[0]} x {one.size[1]} pixels, found {array.shape}; "
            "export it again"
        )
    return array[0]
