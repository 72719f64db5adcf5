"""Slices in order along their normal, and the grid that they make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avnnet.data.dicom.headers import Frame
from avnnet.data.limits import check_position, check_spacing
from avnnet.errors import (
    DuplicateSlices,
    MissingGeometry,
    MissingSlices,
    NonOrthogonalDirection,
    NotAVolume,
    UnevenSpacing,
)
from avnnet.grid import ORTHOGONAL_TOLERANCE, Grid

ONE_ORIENTATION = 0.035  # of direction cosines, 2 degrees: a drift within a stack is refused by its geometry
ONE_SPACING_MM = 1e-4
SAME_PLANE = 1e-4  # of direction cosines and mm: writers round, and a degree is 0.017
UNEVEN_SHARE, UNEVEN_MM = 0.01, 0.01  # of the slice distance; and what positions rounded to 0.01 mm need
ONE_PLACE_SHARE = 0.01  # slices nearer than this share of the widest gap lie at one position


def is_one_plane(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two slices can be of one series by their orientation and pixel spacing.

    Args:
        one: `(8,)` as `Frame.plane`, or empty.
        other: the same of another slice.
    """
    if not (len(one) and len(other)):
        return True  # a slice that does not say where it lies is refused for that, not for being of another series
    off = np.abs(one - other)
    return bool(off[:6].max() < ONE_ORIENTATION and off[6:].max() < ONE_SPACING_MM)


def sorted_frames(frames: Sequence[Frame]) -> list[Frame]:
    """The slices along their normal, from the first to the last.

    Raises:
        MissingGeometry: if one does not say where it lies.
        NonOrthogonalDirection: if rows and columns are not at right angles, or not of unit length.
        InvalidGeometry: if one lies where no scanner reaches.
        NotAVolume: if they are not parallel.
    """
    for nth, frame in enumerate(frames, start=1):
        if len(frame.plane) != 8 or len(frame.position_mm) != 3:
            raise MissingGeometry(
                f"slice {nth} of {len(frames)} by name does not say where it lies in the patient: position, "
                "orientation or pixel spacing is missing. Export the series again with its geometry, or move it away"
            )
        check_position(frame.position_mm.tolist(), f"slice {nth} of {len(frames)} by name")
    first = frames[0].plane
    row, column = first[:3], first[3:6]
    wrong = float(np.abs([row @ row - 1, column @ column - 1, row @ column]).max())
    if wrong > ORTHOGONAL_TOLERANCE:
        raise NonOrthogonalDirection(
            "the orientation of a slice must be two unit vectors at right angles; it is off by "
            f"{wrong:.2g}. Export the series again"
        )
    turned = [float(np.abs(frame.plane - first)[:6].max()) for frame in frames]
    if max(turned) > SAME_PLANE:
        raise NotAVolume(
            f"the slices of a stack must be parallel; slice {int(np.argmax(turned)) + 1} of {len(frames)} by name is "
            f"turned by {np.rad2deg(max(turned)):.2g} degrees against the first. Choose a series of parallel slices"
        )
    normal = np.cross(row, column)
    return sorted(frames, key=lambda frame: float(frame.position_mm @ normal))


def grid_of_frames(frames: Sequence[Frame]) -> tuple[Grid, bool]:
    """The grid of sorted slices, and whether its direction was repaired.

    The distance of slices is that of their positions, which headers often misstate.

    Raises:
        DuplicateSlices: if several lie at one position.
        MissingSlices: if some are missing between others.
        UnevenSpacing: if distances differ by more than a hundredth.
        NotAVolume: if the stack leans, as with a tilted gantry.
        ResourceLimitExceeded, InvalidGeometry: if spacings cannot be.
    """
    first = frames[0]
    row, column = first.plane[:3], first.plane[3:6]
    normal = np.cross(row, column)
    positions = np.array([frame.position_mm for frame in frames])
    along = positions @ normal
    gaps = np.diff(along)
    _check_gaps(frames, along, gaps)
    step = (positions[-1] - positions[0]) / (len(frames) - 1)
    distance = float(np.linalg.norm(step))
    leaning = float(np.linalg.norm(step / distance - normal))
    if leaning > ORTHOGONAL_TOLERANCE:
        raise NotAVolume(
            f"slices must be stacked along their normal; the stack leans by {np.rad2deg(leaning):.2g} degrees (gantry "
            "tilt). Resample the series to an upright stack first"
        )
    off = float(np.linalg.norm(positions - (positions[0] + np.outer(np.arange(len(frames)), step)), axis=1).max())
    if off > max(UNEVEN_SHARE * distance, UNEVEN_MM):
        at = int(np.abs(gaps - np.median(gaps)).argmax())
        raise UnevenSpacing(
            f"slices must be evenly spaced, to a hundredth; {_between(along, gaps, at)}, elsewhere "
            f"{np.median(gaps):.4g} mm. Resample the series to even slices first"
        )
    spacing = (distance, float(first.plane[6]), float(first.plane[7]))
    check_spacing(spacing, (len(frames), *first.size), "a DICOM series")
    is_repaired = leaning > SAME_PLANE
    slice_axis = normal if is_repaired else step / distance
    direction = np.stack([slice_axis, column, row], axis=1)
    origin = tuple(map(float, first.position_mm))
    grid = Grid((len(frames), *first.size), spacing, (origin[0], origin[1], origin[2]), tuple(map(tuple, direction)))
    return grid, is_repaired


def _check_gaps(frames: Sequence[Frame], along: np.ndarray, gaps: np.ndarray) -> None:
    if gaps.min() <= ONE_PLACE_SHARE * max(gaps.max(), UNEVEN_MM):
        at = int(gaps.argmin())
        times = {frame.time for frame in frames}
        what = f"{len(times)} time points" if len(times) > 1 else "time points, weightings or copies"
        raise DuplicateSlices(
            f"every position must have one slice; several lie at {along[at]:.4g} mm along the normal ({what}). "
            "Export the one to be measured as a series of its own"
        )
    usual = float(np.median(gaps))
    at = int(gaps.argmax())
    if gaps[at] > 1.5 * usual:
        raise MissingSlices(
            f"slices are missing: {_between(along, gaps, at)}, elsewhere {usual:.4g} mm. Export the series again"
        )


def _between(along: np.ndarray, gaps: np.ndarray, at: int) -> str:
    return (
        f"between slices {at + 1} and {at + 2} along the normal (at {along[at]:.4g} and {along[at + 1]:.4g} mm) there "
        f"are {gaps[at]:.4g} mm"
    )
