"""Names of image files: what a case is called after, and which images a folder holds."""

from __future__ import annotations

from pathlib import Path

from avnnet.data.files.formats import SUFFIXES
from avnnet.data.files.pair import is_voxels_of_another
from avnnet.errors import InvalidCohort

SEPARATOR = ";"


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

    A pair of `.hdr` and `.img` is one image, by its `.hdr`. An image without an ending of ours is not looked for.

    Raises:
        InvalidCohort: if two files have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(Path(folder).iterdir()):
        if path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES) or is_voxels_of_another(path):
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
        raise InvalidCohort(
            f"the channels of an image are paths separated by '{SEPARATOR}', and one is empty; name it, or take the "
            f"'{SEPARATOR}' away"
        )
    return tuple(Path(part) for part in parts)
