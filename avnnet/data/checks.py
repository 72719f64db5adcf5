"""What must hold of a cohort before any training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_grid
from avnnet.data.ignored import read_training_labels
from avnnet.data.limits import MIN_SLICES
from avnnet.errors import AvnnetError, EmptyLabel, GeometryMismatch, NotAVolume
from avnnet.grid import Grid
from avnnet.image import LabelMap
from avnnet.labels import IGNORED, LabelScheme


def check_volume(grid: Grid) -> None:
    """Refuse a grid with too few slices on an axis for a volume.

    Raises:
        NotAVolume: if it has fewer than four.
    """
    if min(grid.shape) < MIN_SLICES:
        raise NotAVolume(
            f"an image needs at least {MIN_SLICES} slices on every axis; found {grid.summary()}. "
            "Give the 3D series, not a single slice of it"
        )


def check_case(case: Case, scheme: LabelScheme, *, has_ignored: bool = False) -> set[int]:
    """The label ids that the case's mask holds, if the case can be used.

    Args:
        case: with its files.
        scheme: names of the label ids.
        has_ignored: whether its masks may hold 255, voxels that count nowhere.

    Raises:
        MissingFile, UnreadableFile, UnsupportedFormat, UnsupportedDimensions: if a file cannot be read.
        NotAVolume: if there are too few slices.
        GeometryMismatch: if image and label lie on different grids, or the centre outside.
        InvalidLabelValues: if the label has a value that the scheme does not name.
        EmptyLabel: if every voxel of a mask is ignored.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from avnnet.data.files import write_image
        >>> from avnnet.image import LabelMap
        >>> from avnnet.labels import HIP
        >>> mask = LabelMap(np.full((4, 5, 6), 2, np.uint8), Grid((4, 5, 6)))
        >>> with TemporaryDirectory() as folder:
        ...     path = write_image(mask, f"{folder}/mask.nii.gz")
        ...     check_case(Case("p1", "p1", image=(path,), label=path), HIP)
        {2}
    """
    grid = read_grid(case.image)
    check_volume(grid)
    labels = _read(case.label, scheme, has_ignored)
    if not labels.grid.is_close(grid):
        raise GeometryMismatch(
            f"image and label must lie on one grid; the image has {grid.summary()}, the label {labels.grid.summary()}. "
            "Resample the label onto the image's grid with nearest neighbour"
        )
    if case.second_label is not None:
        second = _read(case.second_label, scheme, has_ignored)
        if not second.grid.is_close(labels.grid):
            raise GeometryMismatch(
                "the masks of both readers must lie on one grid, that of the image; resample the second"
            )
    if case.centre_mm is not None and not grid.contains(case.centre_mm):
        raise GeometryMismatch(
            f"the head centre {case.centre_mm} mm (x, y, z, LPS) is outside the image: {grid.summary()}. "
            "3D Slicer shows RAS: change the sign of its first two numbers"
        )
    return set(np.unique(labels.array).tolist()) & set(scheme.names)


def _read(path: Path, scheme: LabelScheme, has_ignored: bool) -> LabelMap:
    labels = read_training_labels(path, scheme, has_ignored=has_ignored)
    if has_ignored and (labels.array == scheme.classes).all():
        raise EmptyLabel(
            f"every voxel of the mask is {IGNORED}, which data.has_ignored leaves out: nothing is known of this case. "
            "Leave it out of the cohort, or draw a part of it"
        )
    return labels


def check_cohort(
    cohort: Cohort,
    scheme: LabelScheme,
    *,
    is_for_training: bool = True,
    has_ignored: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, set[int]]:
    """The label ids in the mask of each case, if every case can be used; one run names the faults of all cases.

    Args:
        cohort: the cases.
        scheme: names of the label ids.
        is_for_training: whether every structure must be in some mask; a healthy cohort can be evaluated.
        has_ignored: whether masks may hold 255, voxels that count nowhere.
        on_progress: called with cases done and cases in all.

    Raises:
        AvnnetError: the first case's named error; its message also lists the other cases at fault.
        EmptyLabel: if all masks are empty, or one structure is in no mask and is to be learnt.
    """
    faults: list[AvnnetError] = []
    found: dict[str, set[int]] = {}
    for done, case in enumerate(cohort, start=1):
        try:
            found[case.case_id] = check_case(case, scheme, has_ignored=has_ignored)
        except AvnnetError as error:
            faults.append(type(error)(str(error), case_id=case.case_id))
        if on_progress is not None:
            on_progress(done, len(cohort))
    if not faults:
        drawn = set().union(*found.values())
        absent = {index: name for index, name in scheme.names.items() if index not in drawn}
        if absent and (is_for_training or not drawn):
            raise EmptyLabel(
                f"in none of the {len(cohort)} masks is there a voxel of {absent} (label: name); draw the structure, "
                "or give the label scheme that the masks were drawn with under data.labels"
            )
        return found
    raise all_together(faults)


def all_together(faults: Sequence[AvnnetError]) -> AvnnetError:
    """The first of several cases' errors, whose message also names the other cases at fault.

    Args:
        faults: with their cases.

    Examples:
        >>> print(all_together([NotAVolume("one slice", case_id="a"), EmptyLabel("no label", case_id="b")]))
        case a: one slice
        Other cases at fault: b (EmptyLabel)
    """
    message = str(faults[0]).removeprefix(f"case {faults[0].case_id}: ")
    others = [f"{fault.case_id} ({type(fault).__name__})" for fault in faults[1:]]
    if others:
        more = f" and {len(others) - 10} more" if len(others) > 10 else ""
        message += f"\nOther cases at fault: {', '.join(others[:10])}{more}"
    return type(faults[0])(message, case_id=faults[0].case_id)
