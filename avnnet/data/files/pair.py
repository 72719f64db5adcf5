"""The two files of a NIfTI pair: a header, `.hdr`, and its voxels, `.img`, of one name in one folder."""

from __future__ import annotations

from pathlib import Path

from avnnet.data.files.formats import PAIR_SUFFIXES
from avnnet.data.files.text_header import check_beside
from avnnet.errors import MissingFile, UnreadableFile

HEADERS, VOXELS = (".hdr", ".hdr.gz"), (".img", ".img.gz")


def pair_of(path: Path) -> tuple[Path, Path]:
    """The header and the voxels of a pair, of which either is given.

    Raises:
        MissingFile: if the other is not beside it.
        UnreadableFile: if there are two that could be the other.
        UnsafePath: if the other is a link into another folder.
    """
    suffix = suffix_of(path)
    is_header = suffix.lower() in HEADERS
    others = [path.with_name(name) for name in _names(path, suffix, VOXELS if is_header else HEADERS)]
    found = [other for other in others if other.exists()]
    if len(found) > 1:
        raise UnreadableFile(
            f"{path.name}: a pair is one .hdr and one .img; a packed and a plain one that could be the other are both "
            "beside it. Move the one that is not of it away"
        )
    if not found:
        raise MissingFile(
            f"{path.name} is one of a pair of .hdr and .img, and the other is not beside it; copy both into one folder"
        )
    other = found[0]
    check_beside(path, other)
    return (path, other) if is_header else (other, path)


def suffix_of(path: Path) -> str:
    """The ending of a file of a pair, as it is written."""
    length = next(len(suffix) for suffix in sorted(PAIR_SUFFIXES, key=len) if path.name.lower().endswith(suffix))
    return path.name[-length:]


def is_voxels_of_another(path: Path) -> bool:
    """Whether a file is the `.img` of a pair, whose `.hdr` stands beside it."""
    if not path.name.lower().endswith(VOXELS):
        return False
    return any(path.with_name(name).exists() for name in _names(path, suffix_of(path), HEADERS))


def _names(path: Path, suffix: str, suffixes: tuple[str, ...]) -> list[str]:
    """The names that the other of a pair can have, first the likely one, in capitals where this one has them."""
    stem = path.name[: -len(suffix)]
    is_packed = suffix.lower().endswith(".gz")
    likely = sorted(suffixes, key=lambda one: one.endswith(".gz") != is_packed)
    return [stem + (one.upper() if suffix.isupper() else one) for one in likely]
