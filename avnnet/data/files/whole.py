"""Whether an image file is whole, whatever its format."""

from __future__ import annotations

from pathlib import Path

from avnnet.data.files.nifti import is_nifti, read_nifti
from avnnet.data.files.stored import check_stored


def check_whole(path: Path) -> None:
    """Refuse an image file that holds less than its header promises, or whose checksums tell of damage.

    Args:
        path: a NIfTI, NRRD or MetaImage file.

    Raises:
        AvnnetError: as the file's reader: UnreadableFile if it is truncated or damaged.
    """
    if is_nifti(path):
        read_nifti(path)
    else:
        check_stored(path)
