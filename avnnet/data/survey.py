"""What the headers of a cohort say of its images: spacings and shapes, slice axis first; no voxel is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avnnet.data.checks import all_together, check_volume
from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_grid
from avnnet.data.limits import MAX_EXTENT_MM
from avnnet.data.orientation import ORDERS, FirstAxis, orientation_of
from avnnet.errors import AvnnetError, InvalidCohort, InvalidConfig
from avnnet.grid import Grid

WILD = 3.0
"""Images of one cohort differ by less than this factor in spacing and field of view."""
FLAT = 1.5
"""An axis is the slices' where it is this many times coarser than the others."""
AXES: tuple[FirstAxis, ...] = ("superior", "posterior", "left")
MAX_NAMED = 5


@dataclass(frozen=True)
class Survey:
    """The images of a cohort by their headers.

    Args:
        case_ids: of the cohort.
        spacings_mm: of each image, slice axis first.
        shapes: of each image, or of its crop, voxels; those of a crop may be fractions.
        first_axis: the patient direction across which most slices lie.
        remarks: what is unusual, in words.
    """

    case_ids: tuple[str, ...]
    spacings_mm: tuple[tuple[float, ...], ...]
    shapes: tuple[tuple[float, ...], ...]
    first_axis: FirstAxis
    remarks: tuple[str, ...] = ()


def survey_of(
    cohort: Cohort,
    *,
    crop_mm: Sequence[float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """The survey of a cohort; one run names the faults of all cases.

    Args:
        cohort: the cases.
        crop_mm: field around the head centre along the slice axis and the two others; None takes whole images.
        on_progress: called with cases done and cases in all.

    Raises:
        AvnnetError: the first case's named error, as `read_grid`; its message also lists the other cases at fault.
        InvalidCohort: if there is a crop, and a case without a centre.
        InvalidConfig: if the crop is not three lengths of a patient.
    """
    if crop_mm is not None:
        check_crop(cohort, crop_mm)
    grids: list[Grid] = []
    faults: list[AvnnetError] = []
    for done, case in enumerate(cohort, start=1):
        try:
            grids.append(_grid(case))
        except AvnnetError as error:
            faults.append(type(error)(str(error), case_id=case.case_id))
        if on_progress is not None:
            on_progress(done, len(cohort))
    if faults:
        raise all_together(faults)
    return survey_of_grids([case.case_id for case in cohort], grids, crop_mm)


def _grid(case: Case) -> Grid:
    grid = read_grid(case.image)
    check_volume(grid)
    return grid


def check_crop(cohort: Cohort, crop_mm: Sequence[float]) -> None:
    """Refuse a crop that no image has, or that has no centre.

    Args:
        cohort: the cases.
        crop_mm: its field.

    Raises:
        InvalidConfig: if it is not three lengths of a patient.
        InvalidCohort: if a case has no centre.
    """
    if len(crop_mm) != 3 or not all(0 < length <= MAX_EXTENT_MM for length in crop_mm):
        raise InvalidConfig(
            f"a crop has three lengths in mm above 0, of {MAX_EXTENT_MM:g} at most, slice axis first, such as "
            f"80,70.4,70.4; found {list(crop_mm)}"
        )
    without = [case.case_id for case in cohort if case.centre_mm is None]
    if without:
        raise InvalidCohort(
            f"a crop lies around a head centre (centre_x_mm, centre_y_mm, centre_z_mm), which {len(without)} of "
            f"{len(cohort)} cases lack: {_named(without)}. Fill them in, or plan for whole images, without --crop-mm"
        )


def survey_of_grids(case_ids: Sequence[str], grids: Sequence[Grid], crop_mm: Sequence[float] | None = None) -> Survey:
    """The survey of images whose grids are known.

    Args:
        case_ids: of the images.
        grids: of the images.
        crop_mm: as `survey_of` takes it.

    Examples:
        >>> coronal = ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
        >>> survey = survey_of_grids(["a", "b"], [Grid((20, 256, 250), (3.0, 0.7, 0.7), direction=coronal)] * 2)
        >>> survey.first_axis, survey.shapes[0], survey.spacings_mm[0]
        ('posterior', (20, 256, 250), (3.0, 0.7, 0.7))
    """
    spacings, _ = _turned(grids, "superior")
    first_axis = AXES[int(np.argmax(np.median(spacings, axis=0)))]
    spacings, shapes = _turned(grids, first_axis)
    remarks = _other_slices(case_ids, grids, first_axis) + _wild(case_ids, spacings, shapes)
    if crop_mm is not None:
        fields = np.median(spacings * shapes, axis=0)
        if any(length > field for length, field in zip(crop_mm, fields, strict=True)):
            remarks.append(
                f"the crop of {_by(crop_mm)} mm is larger than the median image of {_by(fields)} mm: it would be padded"
            )
        shapes = np.asarray(crop_mm) / spacings
    rows = [tuple(row) for row in (shapes if crop_mm is not None else shapes.astype(int)).tolist()]
    return Survey(tuple(case_ids), tuple(map(tuple, spacings.tolist())), tuple(rows), first_axis, tuple(remarks))


def _turned(grids: Sequence[Grid], first_axis: FirstAxis) -> tuple[np.ndarray, np.ndarray]:
    """Spacings and shapes `(images, 3)` in canonical order."""
    orders = [list(orientation_of(grid, first_axis=first_axis).axes) for grid in grids]
    pairs = list(zip(grids, orders, strict=True))
    spacings = [np.asarray(grid.spacing)[order] for grid, order in pairs]
    return np.asarray(spacings), np.asarray([np.asarray(grid.shape, float)[order] for grid, order in pairs])


def _other_slices(case_ids: Sequence[str], grids: Sequence[Grid], first_axis: FirstAxis) -> list[str]:
    """What to say where the slices of some images lie across another direction than those of most."""
    own = []
    for case_id, grid in zip(case_ids, grids, strict=True):
        axis = int(np.argmax(grid.spacing))
        rest = max(spacing for other, spacing in enumerate(grid.spacing) if other != axis)
        place = orientation_of(grid, first_axis=first_axis).axes.index(axis)
        if place != 0 and grid.spacing[axis] > FLAT * rest:
            own.append((case_id, ORDERS[first_axis][place]))
    if not own:
        return []
    names = {ORDERS[axis][0]: axis for axis in AXES}
    directions = sorted({names[row] for _, row in own})
    return [
        f"{len(own)} of {len(grids)} images have their slices across {' or '.join(directions)} and not {first_axis}: "
        f"{_named([case_id for case_id, _ in own])}. They are resampled the most; plan them apart"
    ]


def _wild(case_ids: Sequence[str], spacings: np.ndarray, shapes: np.ndarray) -> list[str]:
    """What to say where images differ so much that the median stands for few of them."""
    said = []
    for what, values in (("spacing", spacings), ("field of view", spacings * shapes)):
        for axis in range(3):
            column = values[:, axis]
            if column.max() > WILD * column.min():
                ends = [case_ids[int(place)] for place in (column.argmin(), column.argmax())]
                said.append(
                    f"the {what} along axis {axis} runs from {column.min():.4g} mm ({ends[0]}) to {column.max():.4g} "
                    f"mm ({ends[1]}): the median of {np.median(column):.4g} mm suits few; plan unlike images apart"
                )
    return said


def _named(case_ids: Sequence[str]) -> str:
    more = f" and {len(case_ids) - MAX_NAMED} more" if len(case_ids) > MAX_NAMED else ""
    return ", ".join(case_ids[:MAX_NAMED]) + more


def _by(values: Sequence[float] | np.ndarray) -> str:
    return " x ".join(f"{value:.4g}" for value in values)
