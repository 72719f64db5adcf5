"""Slices that a damaged series UID would leave out of their own stack without a word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from avnnet.data.dicom.headers import Frame
from avnnet.data.dicom.stack import grid_of_frames, is_one_plane, sorted_frames
from avnnet.data.limits import MIN_SLICES
from avnnet.errors import AvnnetError


def left_out(frames: Sequence[Frame], others: Iterable[Sequence[Frame]]) -> int:
    """How many files of other series belong to this stack: all is as in it but the UID, and they make it longer.

    Only series too short to be a volume are looked at: a longer one is a scan of its own.

    Args:
        frames: the slices of the series that would be read.
        others: those of each other series.
    """
    alike = [one for one in others if len(one) < MIN_SLICES and all(_is_alike(frame, frames[0]) for frame in one)]
    together = [frame for one in alike for frame in one]
    if together and _is_stack([*frames, *together]):
        return _files(together)
    # a copy among them must not hide the others
    return _files([frame for one in alike if _is_stack([*frames, *one]) for frame in one])


def _is_alike(frame: Frame, other: Frame) -> bool:
    return _said(frame) == _said(other) and is_one_plane(frame.plane, other.plane)


def _said(frame: Frame) -> tuple[object, ...]:
    header = frame.header
    words = (header.text("PatientID"), header.text("Modality"), header.whole("SeriesNumber"))
    return *words, frame.size, frame.echo, frame.image_type, frame.stack


def _is_stack(frames: Sequence[Frame]) -> bool:
    try:
        grid_of_frames(sorted_frames(frames))
    except AvnnetError:
        return False
    return True


def _files(frames: Sequence[Frame]) -> int:
    return len({frame.path for frame in frames})
