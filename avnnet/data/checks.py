"""What must hold of a cohort before any training."""

from __future__ import annotations

from collections.abc import Callable

from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_grid, read_labels
from avnnet.errors import AvnnetError, GeometryMismatch
from avnnet.labels import LabelScheme


def check_case(case: Case, scheme: LabelScheme) -> None:
    """Nothing, if the case can be used.

    Raises:
        MissingFile, UnreadableFile, UnsupportedFormat, UnsupportedDimensions: if a file cannot be read.
        GeometryMismatch: if image and label lie on different grids, or the centre outside.
        InvalidLabelValues: if the label has a value that the scheme does not name.
    """
    grid = read_grid(case.image)
    labels = read_labels(case.label, scheme)
    if not labels.grid.is_close(grid):
        raise GeometryMismatch(
            f"image and label must lie on one grid; the image has {grid.summary()}, the label {labels.grid.summary()}. "
            "Resample the label onto the image's grid with nearest neighbour"
        )
    if case.centre_mm is not None and not grid.contains(case.centre_mm):
        raise GeometryMismatch(
            f"the head centre {case.centre_mm} mm (x, y, z, LPS) is outside the image: {grid.summary()}. "
            "3D Slicer shows RAS: change the sign of its first two numbers"
        )


def check_cohort(cohort: Cohort, scheme: LabelScheme, *, on_progress: Callable[[int, int], None] | None = None) -> None:
    """Nothing, if every case can be used; all cases are looked at, so that one run names every fault.

    Args:
        cohort: the cases.
        scheme: names of the label ids.
        on_progress: called with cases done and cases in all.

    Raises:
        AvnnetError: the first case's named error; its message also lists the other cases at fault.
    """
    faults: list[AvnnetError] = []
    for done, case in enumerate(cohort, start=1):
        try:
            check_case(case, scheme)
        except AvnnetError as error:
            faults.append(type(error)(str(error), case_id=case.case_id))
        if on_progress is not None:
            on_progress(done, len(cohort))
    if not faults:
        return
    message = str(faults[0]).removeprefix(f"case {faults[0].case_id}: ")
    others = [f"{fault.case_id} ({type(fault).__name__})" for fault in faults[1:]]
    if others:
        more = f" and {len(others) - 10} more" if len(others) > 10 else ""
        message += f"\nOther cases at fault: {', '.join(others[:10])}{more}"
    raise type(faults[0])(message, case_id=faults[0].case_id)
