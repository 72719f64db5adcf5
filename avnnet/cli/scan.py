"""`avnnet scan`: the series in a folder, and which one would be read."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.cli.words import Commands, nonempty_path, whole_number
from avnnet.errors import AvnnetError, MissingFile
from avnnet.progress import Reporter

if TYPE_CHECKING:
    from avnnet.data.dicom import Found, Series


def add(commands: Commands) -> None:
    """Adds `scan` to the commands."""
    scan = commands.add_parser(
        "scan",
        help="list the DICOM series in a folder, and which one would be read",
        description="Reads the headers of all DICOM files in a folder and its folders, lists the series, says which "
        "one would be read, and why the others would not. A '>' marks it. Nothing is written, and nothing that was "
        "typed about a person is shown. Exit code 3: none would be read.",
    )
    scan.set_defaults(run=run)
    scan.add_argument(
        "folder", type=nonempty_path, help="an export of the scanner: a folder, a tree of folders, or one file"
    )
    scan.add_argument("--series", type=whole_number, metavar="NUMBER", help="choose this one of the list")


def run(args: argparse.Namespace) -> int:
    """1 if none of the series would be read, else 0; lists them.

    Raises:
        MissingFile: if there is no such folder.
        NotAnImage: if there is no DICOM image in it.
        ResourceLimitExceeded: if there are too many files.
    """
    from avnnet.data.dicom import files_below, find_series

    folder: Path = args.folder
    number: int | None = args.series
    if not folder.exists():
        raise MissingFile("there is no such folder; give the one that was exported from the scanner")
    count = len(files_below(folder)) if folder.is_dir() else 1
    with Reporter().steps("reading headers", count) as step:
        found = find_series(folder, on_progress=lambda done, _: step(done))
    return _print(found, number)


def _print(found: Found, number: int | None) -> int:
    from avnnet.data.dicom import chosen, grid_of_series

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
    """Why a series cannot be read, or None: its own fault, that of its geometry, or of files beside it."""
    from avnnet.data.dicom import check_complete, grid_of_series

    problem = series.objection()
    if problem is None:
        try:
            check_complete(found, series)
            grid_of_series(series)
        except AvnnetError as error:
            problem = error
    return problem
