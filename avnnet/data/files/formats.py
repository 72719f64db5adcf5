"""Which format an image file is in: by the ending of its name, or if that says nothing, by its first bytes."""

from __future__ import annotations

import gzip
import re
import zlib
from enum import Enum, auto
from pathlib import Path

from avnnet.data.files.nifti_header import GZIP, MAGIC
from avnnet.data.files.streams import opened
from avnnet.errors import UnsupportedFormat

WRITTEN_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")
PAIR_SUFFIXES = (".hdr", ".img", ".hdr.gz", ".img.gz")
MGH_SUFFIXES = (".mgz", ".mgh")
SUFFIXES = (*WRITTEN_SUFFIXES, ".mhd", ".nhdr", *PAIR_SUFFIXES, *MGH_SUFFIXES)
START_BYTES = 552  # the longest mark of a format ends before
METAIMAGE_START = re.compile(rb"\s*(ObjectType\s*=\s*Image|NDims\s*=\s*\d)\b")


class Format(Enum):
    """The formats of image files that avnnet reads, apart from DICOM."""

    NIFTI = auto()
    NIFTI_PAIR = auto()
    NRRD = auto()
    METAIMAGE = auto()
    MGH = auto()


SUFFIXES_OF = {
    Format.NIFTI: (".nii.gz", ".nii"),
    Format.NIFTI_PAIR: PAIR_SUFFIXES,
    Format.NRRD: (".nrrd", ".nhdr"),
    Format.METAIMAGE: (".mha", ".mhd"),
    Format.MGH: MGH_SUFFIXES,
}


def format_by_name(path: Path) -> Format | None:
    """The format that the ending of a name says; None of another ending.

    Examples:
        >>> format_by_name(Path("hip.nii.gz")), format_by_name(Path("IM0001"))
        (<Format.NIFTI: 1>, None)
    """
    name = path.name.lower()
    return next((one for one, suffixes in SUFFIXES_OF.items() if name.endswith(suffixes)), None)


def format_of(path: Path) -> Format:
    """The format of an image file; its content is asked only where its name says nothing.

    A name that says NRRD is not overruled by a content that is NIfTI: whoever reads such a file elsewhere may see
    another image than we.

    Raises:
        MissingFile, UnreadableFile: if it must be looked into and is no regular file, or cannot be read.
        UnsupportedFormat: if neither says a format that is read here.
    """
    found = format_by_name(path) or _by_content(path)
    if found is None:
        raise UnsupportedFormat(
            f"{path.name}: image files end in one of {', '.join(SUFFIXES)}, or begin as NIfTI, NRRD or MetaImage files "
            "do; convert it first, or give the folder of a DICOM series"
        )
    return found


def check_suffix(path: str | Path, suffixes: tuple[str, ...] = WRITTEN_SUFFIXES) -> None:
    """Refuse a path that has none of the suffixes.

    Raises:
        UnsupportedFormat: if it has another.
    """
    name = Path(path).name
    if not name.lower().endswith(suffixes):
        raise UnsupportedFormat(f"{name}: image files are written with one of the endings {', '.join(suffixes)}")


def _by_content(path: Path) -> Format | None:
    with opened(path) as file:
        start = file.read(START_BYTES)
        if start.startswith(GZIP):
            file.seek(0)
            try:
                start = gzip.GzipFile(fileobj=file).read(START_BYTES)
            except (OSError, EOFError, zlib.error):
                return None
            return Format.NIFTI if _is_marked_nifti(start) else None
    if _is_marked_nifti(start):
        return Format.NIFTI
    if start.startswith(b"NRRD000"):
        return Format.NRRD
    return Format.METAIMAGE if METAIMAGE_START.match(start) else None


def _is_marked_nifti(start: bytes) -> bool:
    return any(
        start[:4] in (size.to_bytes(4, "little"), size.to_bytes(4, "big")) and start.startswith(one, at)
        for size, (at, marks) in MAGIC.items()
        for one in marks
    )
