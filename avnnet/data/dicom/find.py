"""The files of a folder or tree, put together to series; only headers are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from avnnet.data.dicom.headers import Frame, is_dicom, read_frames
from avnnet.data.dicom.series import Found, Series
from avnnet.data.dicom.stack import is_one_plane
from avnnet.errors import AvnnetError, NotAnImage, ResourceLimitExceeded, UnreadableFile

MAX_FILES, DEEPEST = 20_000, 32
SLICE_SUFFIXES = ("", ".dcm", ".ima", ".dicom")


def files_below(folder: Path) -> list[Path]:
    """The files of a folder and of those in it, sorted, without hidden ones and the index DICOMDIR.

    Links to folders are not followed.

    Raises:
        ResourceLimitExceeded: if there are too many, or folders lie too deep.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        depth = len(Path(root).relative_to(folder).parts)
        if depth > DEEPEST:
            raise ResourceLimitExceeded(f"folders lie more than {DEEPEST} deep; give the folder of the patient itself")
        for name in sorted(names):
            path = Path(root) / name
            if not name.startswith(".") and name.upper() != "DICOMDIR" and path.is_file():
                found.append(path)
        if len(found) > MAX_FILES:
            raise ResourceLimitExceeded(
                f"a folder of one patient holds at most {MAX_FILES} files; give the folder of the patient itself"
            )
    return found


def find_series(place: str | Path, *, on_progress: Callable[[int, int], None] | None = None) -> Found:
    """The series in a DICOM file, a folder, or a tree of folders; only headers are read.

    Args:
        place: where to look.
        on_progress: called with files done and files in all.

    Raises:
        NotAnImage: if there is no DICOM file, or no file.
        UnreadableFile: if it is a pipe or a device.
        ResourceLimitExceeded: if there are too many files, or one promises too much.
    """
    place = Path(place)
    if not (place.is_dir() or place.is_file()):
        raise UnreadableFile(
            "this is neither a folder nor a file, but a pipe or a device; give the folder of the export"
        )
    paths = files_below(place) if place.is_dir() else [place]
    if not paths:
        raise NotAnImage("the folder is empty; give the one that was exported from the scanner")
    groups: dict[tuple, list[Frame]] = {}
    strange: dict[Path, AvnnetError] = {}
    others = 0
    for nth, path in enumerate(paths, start=1):
        if on_progress is not None:
            on_progress(nth, len(paths))
        if not is_dicom(path):
            if _looks_like_a_slice(path):
                strange[path] = UnreadableFile(
                    f"file {nth} of {len(paths)} by name is no DICOM file, or is cut off; copy it again, or move it "
                    "away if it is no slice"
                )
            continue
        try:
            frames = read_frames(path)
        except ResourceLimitExceeded:
            raise
        except AvnnetError as error:
            strange[path] = type(error)(f"file {nth} of {len(paths)} by name: {error}")
            continue
        others += not frames
        for frame in frames:
            groups.setdefault(_key(frame, groups), []).append(frame)
    if not groups and not strange:
        raise NotAnImage(
            f"no DICOM images among {len(paths)} files ({others} DICOM files without pixels); give the folder that "
            "holds the slices. Image files, such as .nii.gz, are given to avnnet predict one by one, not as a folder"
        )
    return Found(list(_numbered(groups)), others, strange)


def _looks_like_a_slice(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in SLICE_SUFFIXES or suffix[1:].isdigit()  # names that are UIDs end in a number


def _key(frame: Frame, groups: dict[tuple, list[Frame]]) -> tuple:
    header = frame.header
    own = (
        header.text("SeriesInstanceUID"), header.text("PatientID"), frame.size, frame.echo,
        frame.image_type, frame.stack,
    )  # fmt: skip
    for key, frames in groups.items():
        if key[:-1] == own and is_one_plane(frame.plane, frames[0].plane):
            return key
    return (*own, len(groups))


def _numbered(groups: dict[tuple, list[Frame]]) -> Iterator[Series]:
    counts: dict[str, int] = {}
    for uid, *_ in groups:
        counts[uid] = counts.get(uid, 0) + 1

    def place(item: tuple[tuple, list[Frame]]) -> tuple:
        header = item[1][0].header
        return header.whole("SeriesNumber"), item[0][0], item[0][-1]

    for number, (key, frames) in enumerate(sorted(groups.items(), key=place), start=1):
        yield Series(frames, number, counts[key[0]] > 1)
