"""The words of `avnnet measure` and `avnnet stats`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

TRANSFORMS = ("sform", "qform")


def add_measure(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `measure` to the commands."""
    measure = commands.add_parser(
        "measure",
        help="measure masks from anywhere: volumes, surfaces, angles, grades, collapse, location",
        description="Every quantity of one hip per mask: writes measurements.csv, a picture of the angles per mask, "
        "location.csv and heat_map.png of all of them. Masks are of any program; change one and run the command again. "
        "What every column means: docs/measurements.md. Exit code 3: some masks failed, their rows say why.",
        epilog="""examples:
  avnnet measure hip-07.nii.gz --side left --out runs/measured
  avnnet measure cohort.csv --out runs/measured                       # its manual masks, with sides and stages
  avnnet measure hip.seg.nrrd --head "femoral head" --necrosis AVN --side right --out runs/measured --mesh
  avnnet measure labels.nii.gz --head 75 --necrosis 120 --side left --image scan.nii.gz --out runs/measured
  avnnet measure hip-2026.nii.gz --previous hip-2024.nii.gz --side right --out runs/followed
""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = measure.add_argument
    add("masks", nargs="+", type=Path, metavar="MASK", help="a mask, a folder of masks, or a cohort.csv")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of tables and pictures")
    add("--side", choices=["left", "right"], help="of the masks; what needs it is not measured without")
    names = "id, or name of a segment in a .seg.nrrd; several with commas"
    add("--vital", type=_words, default=(), metavar="WHAT", help=f"vital bone: {names} (default 1)")
    add("--necrosis", type=_words, default=(), metavar="WHAT", help="necrosis: the same (default 2)")
    add("--head", type=_words, default=(), metavar="WHAT", help="the whole head, instead of --vital")
    add("--image", type=Path, metavar="IMAGE", help="the scan of a single mask, to draw the angles on")
    add("--tilt", type=float, default=0.0, metavar="DEG", help="forward pelvic tilt: turns the planes (default 0)")
    add(
        "--edge",
        type=point,
        metavar="X,Y,Z",
        help="lateral acetabular edge of a single mask, mm LPS, for the JIC type",
    )
    add("--teardrop", type=point, metavar="X,Y,Z", help="lowest point of its teardrop, for the same")
    add(
        "--percent-se",
        type=float,
        metavar="SE",
        help="standard error of necrosis_percent: adds the probability of each Steinberg grade",
    )
    add("--angle-se", type=float, metavar="SE", help="standard error of modified_kerboul_deg: the same of its grades")
    add("--previous", type=Path, metavar="MASK", help="an earlier mask of the same hip: writes change.csv")
    add_prefer(measure)
    add("--mesh", action="store_true", help="write head and lesion as STL, mm LPS")
    add("--no-pictures", action="store_true", help="tables only")


def add_stats(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `stats` to the commands."""
    stats = commands.add_parser(
        "stats",
        help="every statistic of a table of measurements, and its report: no image, no network needed",
        description="Compares the readers of a long table: one row per case and reader, with the columns patient_id, "
        "case_id, reader (side and arco_stage if known) and quantities. Bland-Altman, ICC, CCC, regression, "
        "equivalence, grades, groups, clustered intervals; with a table of Dice per case also the segmentation. Writes "
        "tables/*.csv, figures/*.svg, results.json and report.html. Readers whose names begin with manual are human.",
        epilog="""examples:
  avnnet stats runs/study/measurements.csv --agreement runs/study/agreement.csv --out runs/statistics
  avnnet stats volumes.csv --value volume_ml --manual reader_A --automatic nnunet --margin volume_ml=2 --out runs/stats
""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = stats.add_argument
    add("measurements", type=Path, help="CSV, one row per case and reader")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of tables, figures and report")
    add("--agreement", type=Path, metavar="CSV", help="one row per case, reader and label with dice and outcome")
    add("--value", nargs="+", metavar="COLUMN", help="what to compare (default: the volumes of a hip)")
    add("--manual", default="manual", metavar="READER", help="the reference reader (default manual)")
    add(
        "--automatic",
        metavar="READER",
        help="the network in question (default: the only one, or that of the best Dice)",
    )
    add_margin(stats)
    add("--draws", type=whole_number, default=10_000, help="of the bootstrap (default 10000)")
    add("--title", help="of the report")


def _words(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if not all(words):
        raise argparse.ArgumentTypeError(f"ids or names with commas between; found {text!r}")
    return words


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
        choices=TRANSFORMS,
        help="which one says where the voxels lie in NIfTI files that are refused because their sform and qform "
        "contradict each other; without effect on all other NIfTI files, DICOM, NRRD and MetaImage",
    )


def _margin(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        if name and float(number) > 0:
            return name, float(number)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"a margin is COLUMN=NUMBER above 0, such as necrosis_percent=4; found {text!r}")


def whole_number(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number; found {text!r}") from None


def existing_word(text: str) -> Path:
    """A path that is not empty: an empty word is what is left of a variable that was not set, and means `.`."""
    if not text.strip():
        raise argparse.ArgumentTypeError("must be a path; found an empty word. Is a variable of the shell not set?")
    return Path(text)


def point(text: str) -> tuple[float, float, float]:
    """Three numbers in mm of a word `x,y,z`."""
    try:
        x, y, z = (float(part) for part in text.split(","))
        if not all(map(math.isfinite, (x, y, z))):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be three numbers in mm with commas between, x,y,z; found {text!r}"
        ) from None
    return x, y, z
