"""`avnnet scan`: the series in a folder, and which one would be read."""

from __future__ import annotations

import argparse

from avnnet.data.dicom import Found, Series, check_complete, chosen, files_below, find_series, grid_of_series
from avnnet.errors import AvnnetError, MissingFile
from avnnet.progress import Reporter


def scan(args: argparse.Namespace) -> int:
    """0, after the series are listed; 1 if none of them would be read.

    Raises:
        MissingFile: if there is no such folder.
        NotAnImage: if there is no DICOM image in it.
        ResourceLimitExceeded: if there are too many files.
    """
    if not args.folder.exists():
        raise MissingFile("there is no such folder; give the one that was exported from the scanner")
    count = len(files_below(args.folder)) if args.folder.is_dir() else 1
    with Reporter().steps("reading headers", count) as step:
        found = find_series(args.folder, on_progress=lambda done, _: step(done))
    return _print(found, args.series)


def _print(found: Found, number: int | None) -> int:
    refusal: AvnnetError | None = None
    used: Series | None = None
    try:
        used = chosen(found, number)
    except AvnnetError as error:
        refusal = error
    sound = True
    shown: list[AvnnetError] = []
    for one in found.series:
        problem = _problem(one, found)
        sound &= not (one is used and problem)
        print(f"{'>' if one is used else ' '} {one.number:3d}: {one.summary()}")
        if problem is not None:
            print(f"       {type(problem).__name__}: {problem}")
            shown.append(problem)
    for strange in found.strange.values():
        if strange not in shown:
            print(f"       {type(strange).__name__}: {strange}")
    if found.others:
        print(f"       {found.others} DICOM files without images, such as reports, are passed over")
    if used is None:
        print(f"none would be read: {type(refusal).__name__}: {str(refusal).splitlines()[0].rstrip(':')}")
    elif sound:
        why = "it was chosen" if number is not None else "it is the only one that can be the image"
        print(f"series {used.number} would be read: {why}; {grid_of_series(used).summary()}")
    else:
        print(f"series {used.number} would be read, but is refused; see above")
    return 0 if used is not None and sound else 1


def _problem(series: Series, found: Found) -> AvnnetError | None:
    """Why a series cannot be read, or None; what is wrong with its geometry or beside it too."""
    problem = series.objection()
    if problem is None:
        try:
            check_complete(found, series)
            grid_of_series(series)
        except AvnnetError as error:
            problem = error
    return problem
