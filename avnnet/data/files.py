"""Image files: NIfTI, NRRD, MetaImage and DICOM in, and the first three out again without half-written files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from avnnet.atomic import whole_file
from avnnet.data.dicom import read_series, series_grid
from avnnet.data.integrity import check_whole
from avnnet.data.sitk import from_sitk, grid_of, to_sitk
from avnnet.errors import (
    GeometryMismatch,
    InvalidCohort,
    InvalidLabelValues,
    MissingFile,
    OutputNotWritable,
    UnreadableFile,
    UnsupportedDimensions,
    UnsupportedFormat,
)
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, LabelScheme

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
SEPARATOR = ";"
ImageFiles = str | Path | Sequence[str | Path]


def suffix_of(path: str | Path) -> str:
    """The image suffix of a path, `.nii.gz` as one.

    Raises:
        UnsupportedFormat: if it is none that avnnet reads and writes.
    """
    name = Path(path).name.lower()
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return suffix
    raise UnsupportedFormat(
        f"{Path(path).name}: image files end in one of {', '.join(SUFFIXES)}; convert it first, or give the folder of "
        "a DICOM series"
    )


def image_name(path: str | Path) -> str:
    """The name of an image file without its suffix, nor 3D Slicer's `.seg`; the whole name of a folder or another file.

    Examples:
        >>> image_name("masks/hip-07.seg.nrrd"), image_name("hip-07.nii.gz"), image_name("notes.txt")
        ('hip-07', 'hip-07', 'notes.txt')
    """
    name = Path(path).name or Path(path).resolve().name  # of ".", a series in the folder at hand
    suffix = next((one for one in SUFFIXES if name.lower().endswith(one)), None)
    return name if suffix is None else name[: -len(suffix)].removesuffix(".seg")


def images_in(folder: str | Path) -> dict[str, Path]:
    """The image files of a folder by `image_name`, sorted; other and hidden files are passed over.

    Raises:
        InvalidCohort: if two files have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(Path(folder).iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES):
            continue
        name = image_name(path)
        if name in found:
            raise InvalidCohort(f"{found[name].name} and {path.name} in {folder} have one name; keep one of them")
        found[name] = path
    return found


def channel_files(text: str) -> tuple[Path, ...]:
    """The files of an image's channels, as a table's cell or a command's word names them.

    Args:
        text: one path, or one per channel with semicolons between them.

    Raises:
        InvalidCohort: if a channel is empty.

    Examples:
        >>> [path.name for path in channel_files("hip/in.nii.gz; hip/opposed.nii.gz")]
        ['in.nii.gz', 'opposed.nii.gz']
    """
    parts = [part.strip() for part in text.split(SEPARATOR)]
    if not all(parts):
        raise InvalidCohort(f"the channels of an image are paths separated by '{SEPARATOR}'; one is empty in {text!r}")
    return tuple(Path(part) for part in parts)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no file or folder {path}; image paths in a cohort are relative to the cohort's CSV")
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


def read_image(files: ImageFiles) -> Image:
    """The image in a NIfTI, NRRD or MetaImage file, in the file's own axis order, or in a folder of a DICOM series.

    Args:
        files: a `.nii.gz`, `.nii`, `.nrrd` or `.mha` file `(z, y, x)`, or a folder that holds the files of one DICOM
            series, which are put in order along the slice normal; or several of one grid, which become the channels
            `(C, z, y, x)` in the order given.

    Raises:
        MissingFile: if there is no such file, or no DICOM file in the folder.
        UnsupportedFormat: if the suffix is another, or DICOM files are not plain greyscale slices.
        UnreadableFile: if the content is broken.
        MixedSeries: if the folder holds several series, or several images of one position.
        UnevenSpacing, MissingSlices, NotAVolume, InvalidGeometry: if its slices make no even stack.
        UnsupportedDimensions: if it is not 3D with one value per voxel.
        GeometryMismatch: if the channels lie on different grids.
    """
    paths = _one_or_more(files)
    images = [_read_one(path) for path in paths]
    if len(images) == 1:
        return images[0]
    grid = _one_grid(paths, [image.grid for image in images])
    return Image(np.stack([image.array for image in images]), grid)


def read_grid(files: ImageFiles) -> Grid:
    """The grid of an image, read from the header of its file or files, or of those of every channel.

    Raises:
        AvnnetError: as `read_image`.
    """
    paths = _one_or_more(files)
    return _one_grid(paths, [_read_one_grid(path) for path in paths])


def _one_or_more(files: ImageFiles) -> list[Path]:
    if isinstance(files, str | Path):
        return [Path(files)]
    if not files:
        raise MissingFile("an image has at least one channel; no file was given")
    return [Path(path) for path in files]


def _one_grid(paths: Sequence[Path], grids: Sequence[Grid]) -> Grid:
    for path, grid in zip(paths, grids, strict=True):
        if not grid.is_close(grids[0]):
            raise GeometryMismatch(
                f"the channels of an image must lie on one grid; {paths[0].name} has {grids[0].summary()}, "
                f"{path.name} {grid.summary()}. Resample the channel onto the grid of the first"
            )
    return grids[0]


def _read_one(path: Path) -> Image:
    if path.is_dir():
        return read_series(path)
    check_whole(_existing(path))
    return from_sitk(_decoded(sitk.ImageFileReader(), path, header_only=False))


def _read_one_grid(path: Path) -> Grid:
    if path.is_dir():
        return series_grid(path)
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
        UnsupportedDimensions: if the image has several channels: each is a file of its own.
        OutputNotWritable: if the folder cannot be written to.
    """
    suffix_of(path)
    if image.array.ndim != 3:
        raise UnsupportedDimensions(f"a file holds one channel; write the {len(image.channels)} of this image apart")
    with whole_file(path) as partial:
        try:
            sitk.WriteImage(to_sitk(image), str(partial), useCompression=Path(path).suffix != ".nii")
        except RuntimeError as error:
            raise OutputNotWritable(f"cannot write {path}: {str(error).strip().splitlines()[-1]}") from error
        try:
            check_whole(partial)  # ITK says nothing when the disk is full in the middle of a NIfTI file
        except UnreadableFile as error:
            raise OutputNotWritable(f"cannot write {path} whole; is the disk full? Choose another folder") from error
    return Path(path)
