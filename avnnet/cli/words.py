"""Words that several commands share, and the types of words."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TypeAlias

from avnnet.atomic import check_links
from avnnet.choice import Choice, Transform

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
MAX_MINUTES = 366 * 24 * 60
Point: TypeAlias = tuple[float, float, float]


def choices(kind: type[Choice]) -> list[str]:
    """The words of an enumeration, as `add_argument` takes them.

    Examples:
        >>> choices(Transform)
        ['sform', 'qform']
    """
    return [str(one) for one in kind]


def add_out(command: argparse.ArgumentParser, help: str) -> None:
    """Adds `--out`, the folder that a command writes to."""
    command.add_argument("--out", type=output_folder, required=True, metavar="DIR", help=help)


def add_margin(command: argparse.ArgumentParser) -> None:
    """Adds `--margin` to a command that compares sizes."""
    command.add_argument(
        "--margin",
        nargs="+",
        type=_margin,
        default=[],
        metavar="COLUMN=NUMBER",
        help="equivalence margins, fixed before the data are seen: necrosis_percent=4",
    )


def add_prefer(command: argparse.ArgumentParser) -> None:
    """Adds `--prefer` to a command that reads images or masks of users."""
    command.add_argument(
        "--prefer",
        choices=choices(Transform),
        help="which one says where the voxels lie in NIfTI files that are refused because their sform and qform "
        "contradict each other; without effect on all other NIfTI files, DICOM, NRRD and MetaImage",
    )


def output_folder(text: str) -> Path:
    """The path of a folder to write to.

    Raises:
        UnsafePath: if a link below it leads out of it.
    """
    folder = nonempty_path(text)
    check_links(text)
    return folder


def nonempty_path(text: str) -> Path:
    """A path that is not empty: an empty word is what a shell leaves of a variable without value, and means `.`."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must be a path; found an empty word. Is a variable of the shell not set?")
    return Path(text)


def whole_number(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; found {text!r}") from None


def minutes_of_budget(text: str) -> float:
    """The minutes that a training or a study may take.

    Examples:
        >>> minutes_of_budget("2.5")
        2.5
    """
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes <= MAX_MINUTES:
        raise argparse.ArgumentTypeError(
            f"must be a number of minutes above 0 and of a year ({MAX_MINUTES}) at most, such as 10 or 2.5; "
            f"found {text!r}"
        )
    return minutes


def point(text: str) -> Point:
    """Three numbers in mm of a word `x,y,z`.

    Examples:
        >>> point("-95,12,-.5")
        (-95.0, 12.0, -0.5)
    """
    try:
        x, y, z = (float(part) for part in text.split(","))
        if not all(map(math.isfinite, (x, y, z))):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be three numbers in mm with commas between, x,y,z; found {text!r}"
        ) from None
    return x, y, z


def ids_or_names(text: str) -> tuple[str, ...]:
    """Label ids, or names of segments, of a word with commas.

    Examples:
        >>> ids_or_names("75, femoral head")
        ('75', 'femoral head')
    """
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise argparse.ArgumentTypeError(f"ids or names with commas between; found {text!r}")
    return words


def names_by_id(text: str) -> dict[int, str]:
    """Label ids and their names.

    Examples:
        >>> names_by_id("1=vital,2=necrosis")
        {1: 'vital', 2: 'necrosis'}
    """
    try:
        return {int(index): name for index, name in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"label ids and names such as 1=vital,2=necrosis; found {text!r}") from None


def _margin(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        if name and float(number) > 0:
            return name, float(number)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"a margin is COLUMN=NUMBER above 0, such as necrosis_percent=4; found {text!r}")
