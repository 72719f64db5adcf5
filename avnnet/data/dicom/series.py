"""The series in a folder of DICOM files, and the one that is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from avnnet.data.dicom.codes import shown, uid_of
from avnnet.data.dicom.headers import Frame
from avnnet.data.dicom.left_out import left_out
from avnnet.data.dicom.values import PER_FRAME
from avnnet.data.limits import MIN_SLICES
from avnnet.errors import (
    AvnnetError,
    MixedPatients,
    MixedSeries,
    NotAnImage,
    NotAVolume,
    UnsupportedFormat,
    UnsupportedPixelType,
)

ECHO = re.compile(r"[0-9.]{1,8}")
READ_FROM = ("MR", "CT")  # the second only where there is none of the first


@dataclass(frozen=True, eq=False)
class Series:
    """Slices of one series, orientation, size, echo and image type.

    Args:
        frames: in the order of their files.
        number: as `avnnet scan` counts them, from 1.
        is_part: whether other slices of the same series are in another group.
    """

    frames: Sequence[Frame]
    number: int = 0
    is_part: bool = False

    @property
    def modality(self) -> str:
        """ "MR", "CT" or another of DICOM's words."""
        return self.frames[0].header.text("Modality")

    @property
    def is_short(self) -> bool:
        """Whether its slices are too few for a volume."""
        return len(self.frames) < MIN_SLICES

    def objection(self) -> AvnnetError | None:
        """Why this is no image of a hip, or None; where its slices lie is not looked at."""
        own = next((found for found in map(_objection, self.frames) if found is not None), None)
        if own is not None or not self.is_short:
            return own
        slices = "one slice" if len(self.frames) == 1 else f"{len(self.frames)} slices"
        return NotAVolume(f"it holds {slices}, and a volume needs at least {MIN_SLICES}. Give the folder of all slices")

    def summary(self) -> str:
        """One line for messages and `avnnet scan`: how it was scanned; no text that a person has typed."""
        first = self.frames[0]
        words = first.header.words("ScanningSequence")
        scanned = shown(*words, first.header.text("MRAcquisitionType")).strip("/")
        parts = [f"{len(self.frames)} slices of {first.size[0]} x {first.size[1]} pixels"]
        if len(first.plane) == 8:
            parts += [f"{first.plane[6]:.3g} x {first.plane[7]:.3g} mm", _plane_word(first.plane)]
        parts += [" ".join(filter(None, [shown(self.modality) or "no modality", scanned[:24]]))]
        echo = ECHO.match(first.echo)
        parts += [f"echo {echo[0]} ms"] if echo else []
        parts += [shown(*first.image_type)[:48]] if first.image_type else []
        return ", ".join(parts)


def _objection(frame: Frame) -> AvnnetError | None:
    header, kind = frame.header, " ".join(frame.image_type).upper()
    if header.text("BurnedInAnnotation").upper() == "YES":
        return UnsupportedFormat("text is burned into its pixels, which may name the patient")
    if "Secondary Capture" in uid_of(header.text("SOPClassUID")).name:
        return UnsupportedPixelType("it is a screenshot (secondary capture), not a scan")
    if header.whole("SamplesPerPixel", 1) != 1 or header.text("PhotometricInterpretation") != "MONOCHROME2":
        return UnsupportedPixelType(
            "its pixels must be greyscale with one bright-is-high value each (MONOCHROME2); found "
            f"{shown(header.text('PhotometricInterpretation')) or None}"
        )
    if "MOSAIC" in kind:
        return UnsupportedFormat("it is a mosaic: many slices in one picture. Export it as single slices")
    if header.whole("NumberOfFrames", 1) > 1 and not header.items(PER_FRAME):
        return UnsupportedFormat("it holds several frames in one file that does not say where each lies")
    if any(word in kind for word in ("LOCALIZER", "LOCALISER", "SCOUT", "PROJECTION")):
        return NotAVolume("it is a localiser or a projection, not a stack of slices")
    return None


@dataclass(frozen=True, eq=False)
class Found:
    """What is in a folder.

    Args:
        series: all of them, numbered.
        others: how many DICOM files hold no image, such as reports.
        strange: files that look like slices and cannot be read, with the reason.
    """

    series: Sequence[Series]
    others: int = 0
    strange: dict[Path, AvnnetError] = field(default_factory=dict)


def chosen(found: Found, number: int | None = None) -> Series:
    """The series to read: the one of this number, or the only one that can be an MR image of a hip.

    Raises:
        MixedPatients: if the series are of several patients, and none was chosen.
        MixedSeries: if several could be read, and none was chosen, or if slices of the only one would be left out.
        AvnnetError: why the only series cannot be read.
    """
    if number is not None:
        return _numbered_one(found, number)
    if len({one.frames[0].header.text("PatientID") for one in found.series}) > 1:
        raise MixedPatients(
            "a folder must hold the images of one patient; found several. Give each patient's folder, or choose a "
            "series: --series NUMBER, as `avnnet scan FOLDER` counts them"
        )
    candidates: list[Series] = []
    for modality in READ_FROM:
        candidates = candidates or [s for s in found.series if s.modality == modality and s.objection() is None]
    if len(candidates) == 1 and not candidates[0].is_part:
        _check_left_out(found, candidates[0])
        return candidates[0]
    if len(found.series) == 1 and found.strange and found.series[0].is_short:
        raise next(iter(found.strange.values()))  # the other slices are there, and cannot be read
    if len(found.series) == 1:
        raise _refusal(found.series[0])
    if not found.series:
        raise next(iter(found.strange.values()))
    listed = "\n".join(f"  {one.number}: {one.summary()}{_why_not(one)}" for one in found.series[:12])
    more = f"\n  and {len(found.series) - 12} more" if len(found.series) > 12 else ""
    raise MixedSeries(
        f"{len(candidates) or 'none'} of {len(found.series)} series can be the image; choose one: --series NUMBER, or "
        f"give the folder of one series:\n{listed}{more}"
    )


def _check_left_out(found: Found, series: Series) -> None:
    """Raises if slices of this stack stand apart from it; who chooses the series by its number has seen them."""
    count = left_out(series.frames, [one.frames for one in found.series if one is not series])
    if count:
        files = "one file" if count == 1 else f"{count} files"
        raise MixedSeries(
            f"the slices of a stack must have one SeriesInstanceUID; {files} beside the {len(series.frames)} slices of "
            f"series {series.number} would be left out, which differ in that alone and make the stack longer. Export "
            f"the series again, or leave them out on purpose: --series {series.number}"
        )


def _numbered_one(found: Found, number: int) -> Series:
    one = next((series for series in found.series if series.number == number), None)
    if one is None:
        raise MixedSeries(
            f"there is no series {number}; `avnnet scan FOLDER` counts {len(found.series)} of them; choose "
            f"{'1' if len(found.series) == 1 else f'1 to {len(found.series)}'}"
        )
    objection = one.objection()
    if objection is not None:
        raise type(objection)(f"series {number} cannot be read: {objection}")
    return one


def _refusal(series: Series) -> AvnnetError:
    objection = series.objection()
    if objection is not None:
        return type(objection)(f"the series cannot be read: {objection}")
    return NotAnImage(
        f"an image of modality {' or '.join(READ_FROM)} is needed; found {shown(series.modality) or 'none'}"
    )


def _why_not(series: Series) -> str:
    objection = series.objection()
    return f" - not: {objection}" if objection is not None else ""


def _plane_word(plane: np.ndarray) -> str:
    normal = np.abs(np.cross(plane[:3], plane[3:6]))
    word = ("sagittal", "coronal", "axial")[int(normal.argmax())]
    return word if normal.max() > 0.996 else f"{word} oblique"
