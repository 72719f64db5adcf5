"""`avnnet measure`: every quantity of masks from anywhere, with pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.cli.words import Commands, Point, add_out, add_prefer, choices, ids_or_names, point
from avnnet.errors import InvalidConfig
from avnnet.labels import Side
from avnnet.progress import Reporter

if TYPE_CHECKING:
    import pandas as pd

SHOWN = (
    "case_id", "side", "necrosis_cm3", "necrosis_percent", "modified_kerboul_deg", "collapse_mm", "steinberg_grade",
    "flags", "error",
)  # fmt: skip
SHOWN_CHANGES = ("necrosis_cm3", "necrosis_percent", "modified_kerboul_deg", "collapse_mm", "steinberg_grade")

EXAMPLES = """examples:
  avnnet measure hip-07.nii.gz --side left --out runs/measured
  avnnet measure cohort.csv --out runs/measured                       # its manual masks, with sides and stages
  avnnet measure hip.seg.nrrd --head "femoral head" --necrosis AVN --side right --out runs/measured --mesh
  avnnet measure labels.nii.gz --head 75 --necrosis 120 --side left --image scan.nii.gz --out runs/measured
  avnnet measure hip-2026.nii.gz --previous hip-2024.nii.gz --side right --out runs/followed
"""


def add(commands: Commands) -> None:
    """Adds `measure` to the commands."""
    measure = commands.add_parser(
        "measure",
        help="measure masks from anywhere: volumes, surfaces, angles, grades, collapse, location",
        description="Every quantity of one hip per mask: writes measurements.csv, a picture of the angles per mask, "
        "location.csv and heat_map.png of all of them. Masks are of any program; change one and run the command again. "
        "What every column means: docs/measurements.md. Exit code 3: some masks failed, their rows say why.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    measure.set_defaults(run=run)
    word = measure.add_argument
    word("masks", nargs="+", type=Path, metavar="MASK", help="a mask, a folder of masks, or a cohort.csv")
    add_out(measure, "folder of tables and pictures")
    word("--side", choices=choices(Side), help="of the masks; what needs it is not measured without")
    names = "id, or name of a segment in a .seg.nrrd or .seg.nhdr; several with commas"
    word("--vital", type=ids_or_names, default=(), metavar="WHAT", help=f"vital bone: {names} (default 1)")
    word("--necrosis", type=ids_or_names, default=(), metavar="WHAT", help="necrosis: the same (default 2)")
    word("--head", type=ids_or_names, default=(), metavar="WHAT", help="the whole head, instead of --vital")
    word("--image", type=Path, metavar="IMAGE", help="the scan of a single mask, to draw the angles on")
    word("--tilt", type=float, default=0.0, metavar="DEG", help="forward pelvic tilt: turns the planes (default 0)")
    word(
        "--edge",
        type=point,
        metavar="X,Y,Z",
        help="lateral acetabular edge of a single mask, mm LPS, for the JIC type",
    )
    word("--teardrop", type=point, metavar="X,Y,Z", help="lowest point of its teardrop, for the same")
    word(
        "--percent-se",
        type=float,
        metavar="SE",
        help="standard error of necrosis_percent: adds the probability of each Steinberg grade",
    )
    word("--angle-se", type=float, metavar="SE", help="standard error of modified_kerboul_deg: the same of its grades")
    word("--previous", type=Path, metavar="MASK", help="an earlier mask of the same hip: writes change.csv")
    add_prefer(measure)
    word("--mesh", action="store_true", help="write head and lesion as STL, mm LPS")
    word("--no-pictures", action="store_true", help="tables only")


def run(args: argparse.Namespace) -> int:
    """The number of masks that could not be measured; their rows in `measurements.csv` say why.

    Raises:
        MissingFile, InvalidCohort: if there are no masks, or two have one name.
        InvalidConfig: if the words do not fit together.
    """
    from avnnet.cases.measure import Wanted, mask_jobs, measure_masks
    from avnnet.data.files.structures import Structures, read_structures
    from avnnet.measure import Landmarks, Setting
    from avnnet.measure import measure as measure_one
    from avnnet.tables import write_table

    masks: list[Path] = args.masks
    out: Path = args.out
    edge_mm: Point | None = args.edge
    teardrop_mm: Point | None = args.teardrop
    image: Path | None = args.image
    previous: Path | None = args.previous
    pictures: bool = not args.no_pictures
    meshes: bool = args.mesh
    prefer: str | None = args.prefer
    side = Side(args.side) if args.side else None
    reporter = Reporter()
    jobs = mask_jobs(masks, side, reporter)
    given = {"image": image, "edge": edge_mm, "teardrop": teardrop_mm, "previous": previous}
    single = [word for word, value in given.items() if value is not None]
    if single and len(jobs) > 1:
        raise InvalidConfig(f"--{single[0]} belongs to a single mask; found {len(jobs)}. Measure them one by one")
    structures = Structures(args.vital, args.necrosis, args.head)
    landmarks = None
    if edge_mm is not None and teardrop_mm is not None:
        landmarks = Landmarks(edge_mm, teardrop_mm)
    elif edge_mm is not None or teardrop_mm is not None:
        raise InvalidConfig("the JIC type needs both landmarks: give --edge and --teardrop")
    setting = Setting(args.tilt, landmarks, args.percent_se, args.angle_se)
    wanted = Wanted(structures, setting, prefer, image, pictures, meshes)
    earlier = None if previous is None else read_structures(previous, structures, prefer=prefer)
    measured = measure_masks(jobs, out, wanted, reporter)
    table = measured.measurements
    write_table(table, out / "measurements.csv")
    _write_locations(measured.locations, out, pictures)
    if earlier is not None and not table["error"].iloc[0]:
        _write_change(measure_one(earlier, side, setting), table, out)
    shown = table[[name for name in SHOWN if name in table]]
    shown = shown.assign(error=shown["error"].str.partition(":")[0])  # the whole was said when it happened
    print(shown.to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"measurements.csv: {out}; every column is explained in docs/measurements.md")
    return int((table["error"] != "").sum())


def _write_locations(locations: list[pd.DataFrame], out: Path, pictures: bool) -> None:
    import pandas as pd

    from avnnet.plots import heat_map, mean_location_map, save_png
    from avnnet.tables import write_table

    if not locations:
        return
    together = pd.concat(locations, ignore_index=True)
    first = ["case_id", "side"]
    write_table(together[[*first, *(name for name in together if name not in first)]], out / "location.csv")
    if pictures:
        save_png(heat_map(mean_location_map(locations)), out / "heat_map.png")


def _write_change(before: pd.DataFrame, now: pd.DataFrame, out: Path) -> None:
    from avnnet.measure.change import change
    from avnnet.tables import write_table

    table = change(before, now)
    write_table(table, out / "change.csv")
    shown = table[table["quantity"].isin(SHOWN_CHANGES)]
    print(shown.to_string(index=False, float_format="{:.2f}".format, na_rep=""))
