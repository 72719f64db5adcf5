"""`avnnet measure`: every quantity of masks from anywhere, with pictures."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avnnet.cases.loop import in_words
from avnnet.data.cohort import read_cohort
from avnnet.data.files import SUFFIXES, image_name, images_in, read_image
from avnnet.data.files.stl import write_stl
from avnnet.data.files.structures import Structures, read_structures
from avnnet.errors import AvnnetError, InvalidCohort, InvalidConfig, MissingFile, Unmeasurable
from avnnet.image import LabelMap
from avnnet.labels import Side
from avnnet.measure import Landmarks, Setting, case_row, empty_row, location_map, measured_head, measurement_row
from avnnet.measure import measure as measure_one
from avnnet.measure.change import change
from avnnet.measure.head import canonical
from avnnet.measure.mesh import surface_mesh
from avnnet.progress import Reporter
from avnnet.readers import MASK
from avnnet.tables import write_table

SHOWN = (
    "case_id", "side", "necrosis_cm3", "necrosis_percent", "modified_kerboul_deg", "collapse_mm", "steinberg_grade",
    "flags", "error",
)  # fmt: skip


@dataclass(frozen=True)
class _Job:
    name: str
    mask: Path
    side: Side | None
    case: pd.DataFrame


def measure(args: argparse.Namespace) -> int:
    """The number of masks that could not be measured; their rows in `measurements.csv` say why.

    Raises:
        MissingFile, InvalidCohort: if there are no masks, or two have one name.
        InvalidConfig: if the words do not fit together.
    """
    reporter = Reporter()
    side = Side(args.side) if args.side else None
    jobs = [job for path in args.masks for job in _jobs(path, side)]
    if len({job.name for job in jobs}) != len(jobs):
        raise InvalidCohort("masks are named by their file names, which must differ; rename, or measure one by one")
    single = [word for word in ("image", "edge", "teardrop", "previous") if getattr(args, word) is not None]
    if single and len(jobs) > 1:
        raise InvalidConfig(f"--{single[0]} belongs to a single mask; found {len(jobs)}. Measure them one by one")
    structures = Structures(args.vital, args.necrosis, args.head)
    setting = _setting(args)
    earlier = None if args.previous is None else read_structures(args.previous, structures, prefer=args.prefer)
    rows: list[pd.DataFrame] = []
    maps: list[pd.DataFrame] = []
    with reporter.steps("measuring", len(jobs)) as step:
        for done, job in enumerate(jobs, start=1):
            try:
                labels = read_structures(job.mask, structures, prefer=args.prefer)
                row = measurement_row(job.case, MASK, labels, setting=setting)
                maps += _extras(args, job, labels)
            except AvnnetError as error:  # the other masks go on, and this one's row says why it is missing
                reporter.say(f"{job.name} failed: {in_words(error)}")
                row = empty_row(job.case, MASK, error=in_words(error))
            rows.append(row)
            step(done, job.name)
    table = pd.concat(rows, ignore_index=True)
    write_table(table, args.out / "measurements.csv")
    _write_maps(args, maps)
    if earlier is not None and not table["error"].iloc[0]:
        _write_change(args, measure_one(earlier, side, setting), table)
    shown = table[[name for name in SHOWN if name in table]]
    shown = shown.assign(error=shown["error"].str.partition(":")[0])  # the whole was said when it happened
    print(shown.to_string(index=False, float_format="{:.2f}".format))
    reporter.say(f"measurements.csv: {args.out}; every column is explained in docs/measurements.md")
    return int((table["error"] != "").sum())


def _jobs(path: Path, side: Side | None) -> list[_Job]:
    if path.suffix.lower() == ".csv":
        cohort = read_cohort(path)
        carried = cohort.carried.set_index("case_id", drop=False)
        return [_Job(one.case_id, one.label, one.side or side, carried.loc[[one.case_id]]) for one in cohort]
    if not path.exists():
        raise MissingFile(f"no mask, folder or cohort {path}")
    masks = images_in(path) if path.is_dir() else {image_name(path): path}
    if not masks:
        raise MissingFile(f"no masks in {path}; masks end in one of {', '.join(SUFFIXES)}")
    return [_Job(name, mask, side, case_row(name, side)) for name, mask in masks.items()]


def _setting(args: argparse.Namespace) -> Setting:
    if (args.edge is None) != (args.teardrop is None):
        raise InvalidConfig("the JIC type needs both landmarks: give --edge and --teardrop")
    landmarks = None if args.edge is None else Landmarks(args.edge, args.teardrop)
    return Setting(args.tilt, landmarks, args.percent_se, args.angle_se)


def _extras(args: argparse.Namespace, job: _Job, labels: LabelMap) -> list[pd.DataFrame]:
    """The location map of a mask, once its picture and meshes are written; nothing of one without shape."""
    from avnnet.plots import angles_plot, save_png

    if args.mesh and labels.array.any():
        lying = canonical(labels, None)
        for name, mask in (("head", lying.array > 0), ("lesion", lying.mask("necrosis"))):
            if mask.any():
                mesh = surface_mesh(mask, lying.grid, keeps_volume=True)
                write_stl(mesh.vertices_mm, mesh.faces, args.out / "mesh" / f"{job.name}_{name}.stl")
    try:
        head = measured_head(labels, job.side)
    except Unmeasurable:
        return []
    if not args.no_pictures:
        image = None if args.image is None else read_image(args.image, prefer=args.prefer)
        picture = angles_plot(labels, job.side, image, tilt_deg=args.tilt, head=head)
        save_png(picture, args.out / "figures" / f"{job.name}_angles.png")
    return [] if job.side is None else [location_map(head).assign(case_id=job.name, side=str(job.side))]


def _write_maps(args: argparse.Namespace, maps: list[pd.DataFrame]) -> None:
    if not maps:
        return
    from avnnet.plots import heat_map, mean_location_map, save_png

    together = pd.concat(maps, ignore_index=True)
    first = ["case_id", "side"]
    write_table(together[[*first, *(name for name in together if name not in first)]], args.out / "location.csv")
    if not args.no_pictures:
        save_png(heat_map(mean_location_map(maps)), args.out / "heat_map.png")


def _write_change(args: argparse.Namespace, before: pd.DataFrame, now: pd.DataFrame) -> None:
    table = change(before, now)
    write_table(table, args.out / "change.csv")
    shown = ("necrosis_cm3", "necrosis_percent", "modified_kerboul_deg", "collapse_mm", "steinberg_grade")
    print(table[table["quantity"].isin(shown)].to_string(index=False, float_format="{:.2f}".format, na_rep=""))
