"""An image file of any format but DICOM, by its format's reader."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from avnnet.data.files.formats import Format, format_of
from avnnet.data.files.mgh import mgh_grid, read_mgh
from avnnet.data.files.nifti import nifti_grid, read_nifti
from avnnet.data.files.pair import pair_of
from avnnet.data.files.stored import check_stored, read_stored, stored_grid, voxels_of
from avnnet.errors import AvnnetError
from avnnet.grid import Grid
from avnnet.image import Image


def read_single(path: Path, prefer: str | None = None) -> Image:
    """The image in a file.

    Args:
        path: the file.
        prefer: as `read_nifti` takes it.

    Raises:
        UnsupportedFormat: if it is in none of our formats.
        AvnnetError: as `read_nifti`, `read_mgh` and `read_stored`.
    """
    match format_of(path):
        case Format.NIFTI | Format.NIFTI_PAIR:
            return read_nifti(path, prefer)
        case Format.MGH:
            return read_mgh(path)
        case Format.NRRD | Format.METAIMAGE:
            return read_stored(path)


def single_grid(path: Path, prefer: str | None = None) -> Grid:
    """The grid of an image in a file; its voxels are not looked at.

    Args:
        path: the file.
        prefer: as `read_nifti` takes it.

    Raises:
        AvnnetError: as `read_single`, for everything that its header shows.
    """
    match format_of(path):
        case Format.NIFTI | Format.NIFTI_PAIR:
            return nifti_grid(path, prefer)
        case Format.MGH:
            return mgh_grid(path)
        case Format.NRRD | Format.METAIMAGE:
            return stored_grid(path)


def check_whole(path: Path) -> None:
    """Refuse an image file that holds less than its header promises, or whose checksums tell of damage.

    Args:
        path: the file; an NRRD or MetaImage file may have several values per voxel.

    Raises:
        AvnnetError: as the file's reader: UnreadableFile if it is truncated or damaged.
    """
    if format_of(path) in (Format.NRRD, Format.METAIMAGE):
        check_stored(path)
    else:
        read_single(path)


def files_of(path: Path) -> list[Path]:
    """The files that an image is made of, all of them regular: the file itself, and what it says is beside it.

    A file that is no image, or a damaged one, is alone.
    """
    files = [path]
    with suppress(AvnnetError):
        kind = format_of(path)
        if kind is Format.NIFTI_PAIR:
            files = list(pair_of(path))
        elif kind in (Format.NRRD, Format.METAIMAGE) and (voxels := voxels_of(path)) != path:
            files.append(voxels)
    return files if all(one.is_file() for one in files) else [path]
