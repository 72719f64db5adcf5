"""Image files: NIfTI, NRRD and MetaImage in, and out again without half-written files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from avnnet.atomic import whole_file
from avnnet.data.integrity import check_whole
from avnnet.data.sitk import from_sitk, grid_of, to_sitk
from avnnet.errors import (
    InvalidCohort,
    InvalidLabelValues,
    MissingFile,
    OutputNotWritable,
    UnreadableFile,
    UnsupportedFormat,
)
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, LabelScheme

SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def suffix_of(path: str | Path) -> str:
    """The image suffix of a path, `.nii.gz` as one.

    Raises:
        UnsupportedFormat: if it is none that avnnet reads and writes.
    """
    name = Path(path).name.lower()
    for suffix in SUFFIXES:
        if name.endswith(suffix):
            return suffix
    raise UnsupportedFormat(f"{Path(path).name}: image files end in one of {', '.join(SUFFIXES)}; convert it first")


def image_name(path: str | Path) -> str:
    """The name of an image file without its suffix, nor 3D Slicer's `.seg`; the whole name of another file.

    Example:
        >>> image_name("masks/hip-07.seg.nrrd"), image_name("hip-07.nii.gz"), image_name("notes.txt")
        ('hip-07', 'hip-07', 'notes.txt')
    """
    name = Path(path).name
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


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise MissingFile(f"no file {path}; image paths in a cohort are relative to the cohort's CSV")
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


def read_image(path: str | Path) -> Image:
    """The image in a NIfTI, NRRD or MetaImage file, in the file's own axis order.

    Args:
        path: a `.nii.gz`, `.nii`, `.nrrd` or `.mha` file.

    Raises:
        MissingFile: if there is no such file.
        UnsupportedFormat: if the suffix is another.
        UnreadableFile: if the content is broken.
        UnsupportedDimensions: if it is not 3D with one value per voxel.
    """
    path = _existing(path)
    check_whole(path)
    return from_sitk(_decoded(sitk.ImageFileReader(), path, header_only=False))


def read_grid(path: str | Path) -> Grid:
    """The grid of an image file, read from its header alone.

    Raises:
        MissingFile, UnsupportedFormat, UnreadableFile, UnsupportedDimensions: as `read_image`.
    """
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
        OutputNotWritable: if the folder cannot be written to.
    """
    suffix_of(path)
    with whole_file(path) as partial:
        try:
            sitk.WriteImage(to_sitk(image), str(partial), useCompression=Path(path).suffix != ".nii")
        except RuntimeError as error:
            raise OutputNotWritable(f"cannot write {path}: {str(error).strip().splitlines()[-1]}") from error
    return Path(path)
