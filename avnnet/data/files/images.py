"""Image files: NIfTI, NRRD, MetaImage, MGH and DICOM in, and the first three out again without half-written files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from avnnet.atomic import whole_file
from avnnet.data.dicom import is_dicom, read_series, series_grid
from avnnet.data.files.axes import upright
from avnnet.data.files.formats import Format, check_suffix, format_by_name
from avnnet.data.files.pair import is_voxels_of_another
from avnnet.data.files.single import check_whole, read_single, single_grid
from avnnet.data.files.sitk import to_sitk
from avnnet.data.files.streams import check_regular
from avnnet.data.limits import check_position, check_size, check_spacing
from avnnet.errors import (
    GeometryMismatch,
    InvalidLabelValues,
    MissingFile,
    OutputNotWritable,
    UnreadableFile,
    UnsupportedDimensions,
)
from avnnet.flags import Flag, Flags
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap, Source
from avnnet.labels import HIP, LabelScheme

ID_ROUNDING = 1e-3
ImageFiles = str | Path | Sequence[str | Path]


def read_image(files: ImageFiles, *, series: int | None = None, prefer: str | None = None) -> Image:
    """The image in a NIfTI, NRRD, MetaImage or MGH file, in the file's own axis order, or of a DICOM series.

    Args:
        files: a `.nii.gz`, `.nii`, `.nrrd`, `.mha`, `.mgz` or `.mgh` file `(z, y, x)`; a `.hdr`, `.nhdr` or `.mhd` file
            with its voxels beside it; a NIfTI, NRRD or MetaImage file of any other ending, known by its content; or a
            DICOM file or folder, whose slices are put in order along their normal; or several of one grid, which become
            the channels `(C, z, y, x)` in the order given; side and DICOM references are those of the first.
        series: which series of a DICOM folder, as `avnnet scan` counts them; None takes the only one.
        prefer: "sform" or "qform", which holds where a NIfTI file says twice where its voxels lie, and not the same;
            other files are read as without.

    Raises:
        MissingFile: if there is no such file.
        UnsupportedFormat, UnsupportedPixelType: if it is in another format, or its voxels are no single brightness.
        UnreadableFile, NotAnImage, UndecodablePixels: if the content is broken.
        UnsafePath: if it names a file of voxels outside its folder.
        ResourceLimitExceeded: if it promises or holds more than a hip scan can have.
        MixedSeries, MixedPatients: if a folder holds several series, and none was chosen.
        DuplicateSlices, UnevenSpacing, MissingSlices, NotAVolume: if its slices make no even stack.
        MissingGeometry, GeometryConflict, NonOrthogonalDirection, InvalidGeometry: if it does not say where its voxels
            lie, or what cannot be.
        UnsupportedDimensions: if it is not 3D with one value per voxel.
        GeometryMismatch: if the channels lie on different grids.
    """
    paths = _one_or_more(files)
    images = [_read_one(path, series, prefer) for path in paths]
    if len(images) == 1:
        return images[0]
    grid = _one_grid(paths, [image.grid for image in images])
    flags = Flags(flag for image in images for flag in image.source.flags)
    preferred = next(filter(None, (image.source.preferred_transform for image in images)), None)
    source = Source(flags, images[0].source.laterality, preferred, images[0].source.dicom)
    return Image(np.stack([image.array for image in images]), grid, source=source)


def read_grid(files: ImageFiles, *, series: int | None = None, prefer: str | None = None) -> Grid:
    """The grid of an image, read from the header of its file or files, or of those of every channel.

    Args:
        files: as `read_image` takes them.
        series: as there.
        prefer: as there.

    Raises:
        AvnnetError: as `read_image`, for everything that a header shows; voxels are not looked at.
    """
    paths = _one_or_more(files)
    return _one_grid(paths, [_read_one_grid(path, series, prefer) for path in paths])


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


def _read_one(path: Path, series: int | None, prefer: str | None) -> Image:
    if _is_dicom(path):
        return read_series(path, series)
    image = read_single(path, prefer)
    grid = upright(image.grid)
    flags = Flags([] if grid is image.grid else [Flag.REPAIRED_DIRECTION])
    return Image(image.array, grid, source=replace(image.source, flags=flags))


def _read_one_grid(path: Path, series: int | None, prefer: str | None) -> Grid:
    if _is_dicom(path):
        return series_grid(path, series)
    return upright(single_grid(path, prefer))


def _is_dicom(path: Path) -> bool:
    """Whether a path is a folder or a file of DICOM; a file with the ending of another format is one of that format.

    Old exports call their slices `.img` too. They have no `.hdr`; and voxels beside one may begin as a DICOM file does.
    """
    if path.is_dir():
        return True
    check_regular(path)
    named = format_by_name(path)
    may_be = named is None or (named is Format.NIFTI_PAIR and not is_voxels_of_another(path))
    return may_be and is_dicom(path)


def ids_of(array: np.ndarray, name: str) -> np.ndarray:
    """Integers of the values of a mask, which may be stored as floats and rounded.

    Args:
        array: the values.
        name: of the file, for the message.

    Raises:
        InvalidLabelValues: if a value is further than a thousandth from a whole number, or not finite.
    """
    if array.dtype.kind in "iu":
        return array
    whole = np.rint(array)
    odd = ~np.isclose(array, whole, rtol=0, atol=ID_ROUNDING) | ~np.isfinite(array)
    if odd.any():
        found = np.unique(array[odd])[:6].tolist()
        raise InvalidLabelValues(
            f"{name}: label values must be whole numbers; {int(odd.sum())} voxels are not, such as {found}"
        )
    return whole.astype(np.int64)


def read_labels(path: str | Path, scheme: LabelScheme = HIP, *, prefer: str | None = None) -> LabelMap:
    """The label map in an image file; whole numbers stored as floats are taken as ids.

    Args:
        path: an image file as `read_image` takes it.
        scheme: names of the ids.
        prefer: as `read_image` takes it.

    Raises:
        InvalidLabelValues: if a value is not whole, or not in the scheme.
        AvnnetError: as `read_image`.
    """
    image = read_image(path, prefer=prefer)
    checked = LabelMap(ids_of(image.array, Path(path).name), image.grid, scheme)
    return LabelMap(checked.array.astype(np.uint8), checked.grid, scheme, source=image.source)


def write_image(image: Image, path: str | Path) -> Path:
    """The path written: an image or label map as NIfTI, NRRD or MetaImage, whole or not at all.

    Raises:
        UnsupportedFormat: if the suffix is none of these.
        UnsupportedDimensions: if the image has several channels: each is a file of its own.
        ResourceLimitExceeded, InvalidGeometry: if it could not be read again.
        OutputNotWritable: if the folder cannot be written to.
    """
    path = Path(path)
    check_suffix(path)
    if image.array.ndim != 3:
        raise UnsupportedDimensions(f"a file holds one channel; write the {len(image.channels)} of this image apart")
    check_size(image.grid.shape, image.array.itemsize, path.name)
    check_spacing(image.grid.spacing, image.grid.shape, path.name)
    check_position(image.grid.origin, path.name)
    with whole_file(path) as partial:
        try:
            sitk.WriteImage(to_sitk(image), str(partial), useCompression=path.suffix != ".nii")
        except RuntimeError as error:
            raise OutputNotWritable(f"cannot write {path}: {str(error).strip().splitlines()[-1]}") from error
        try:
            check_whole(partial)  # ITK says nothing when the disk is full in the middle of a NIfTI file
        except UnreadableFile as error:
            raise OutputNotWritable(f"cannot write {path} whole; is the disk full? Choose another folder") from error
    return path
