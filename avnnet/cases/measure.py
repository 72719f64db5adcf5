"""Masks from anywhere, measured one by one: one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from avnnet.cases.loop import each_case
from avnnet.data.cohort import read_cohort
from avnnet.data.files import SUFFIXES, image_name, images_in, read_image
from avnnet.data.files.stl import write_stl
from avnnet.data.files.structures import Structures, read_structures
from avnnet.errors import InvalidCohort, MissingFile, Unmeasurable
from avnnet.image import LabelMap
from avnnet.labels import Side
from avnnet.measure import Setting, case_row, empty_row, location_map, measured_head, measurement_row
from avnnet.measure.head import canonical
from avnnet.measure.mesh import surface_mesh
from avnnet.plots import angles_plot, save_png
from avnnet.progress import Reporter
from avnnet.readers import MASK


@dataclass(frozen=True)
class MaskJob:
    """A mask to measure.

    Args:
        name: of the mask; names its picture and meshes.
        mask: the file.
        side: the body side, if it is known.
        case: one row with at least patient_id, case_id and side, carried into the table.
    """

    name: str
    mask: Path
    side: Side | None
    case: pd.DataFrame


@dataclass(frozen=True)
class Wanted:
    """How masks are read and measured, and what is made of each beside its row.

    Args:
        structures: which labels of a file are what.
        setting: as of `avnnet.measure.quantities`.
        prefer: "sform" or "qform", as `read_image` takes it.
        image: the scan of a single mask, to draw the angles on.
        pictures: whether the angles of each mask are drawn.
        meshes: whether head and lesion are written as STL.
    """

    structures: Structures = field(default_factory=Structures)
    setting: Setting = field(default_factory=Setting)
    prefer: str | None = None
    image: Path | None = None
    pictures: bool = True
    meshes: bool = False


@dataclass(frozen=True)
class Measured:
    """What measured masks give.

    Args:
        measurements: one row per mask, in order; of a failed one its error.
        locations: where the necrosis of each hip of known side lies, one table per hip.
    """

    measurements: pd.DataFrame
    locations: list[pd.DataFrame]


def mask_jobs(paths: Sequence[Path], side: Side | None = None, reporter: Reporter | None = None) -> list[MaskJob]:
    """The masks of files, of folders, and of cohort tables (the manual ones).

    Args:
        paths: a mask, a folder of masks, or a CSV each.
        side: of all masks whose cohort gives none.
        reporter: told how a cohort was read that is not written as avnnet writes its own.

    Raises:
        MissingFile: if a path does not exist, or a folder holds no masks.
        InvalidCohort: if two masks have one name, or a cohort cannot be used.
    """
    jobs = [job for path in paths for job in _jobs_of(path, side, reporter)]
    if len({job.name for job in jobs}) != len(jobs):
        raise InvalidCohort("masks are named by their file names, which must differ; rename, or measure one by one")
    return jobs


def _jobs_of(path: Path, side: Side | None, reporter: Reporter | None) -> list[MaskJob]:
    if path.suffix.lower() == ".csv":
        cohort = read_cohort(path)
        if reporter is not None and cohort.read_as:
            reporter.say(cohort.read_as)
        carried = cohort.carried.set_index("case_id", drop=False)
        return [MaskJob(one.case_id, one.label, one.side or side, carried.loc[[one.case_id]]) for one in cohort]
    if not path.exists():
        raise MissingFile(f"no mask, folder or cohort {path}")
    masks = images_in(path) if path.is_dir() else {image_name(path): path}
    if not masks:
        raise MissingFile(f"no masks in {path}; masks end in one of {', '.join(SUFFIXES)}")
    return [MaskJob(name, mask, side, case_row(name, side)) for name, mask in masks.items()]


def measure_masks(jobs: Sequence[MaskJob], out: Path, wanted: Wanted, reporter: Reporter) -> Measured:
    """Every quantity of masks; a mask that fails is a row with its error.

    Writes `figures/NAME_angles.png` and `mesh/NAME_head.stl`, `mesh/NAME_lesion.stl` where they are wanted.

    Args:
        jobs: what `mask_jobs` gave.
        out: folder of pictures and meshes.
        wanted: how masks are measured.
        reporter: told of each mask.
    """
    found = each_case(
        jobs,
        lambda job, _: [_measured(job, out, wanted)],
        lambda job, why: [(empty_row(job.case, MASK, error=why), [])],
        name=lambda job: job.name,
        title="measuring",
        reporter=reporter,
    )
    table = pd.concat([row for row, _ in found], ignore_index=True)
    return Measured(table, [one for _, locations in found for one in locations])


def _measured(job: MaskJob, out: Path, wanted: Wanted) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    labels = read_structures(job.mask, wanted.structures, prefer=wanted.prefer)
    row = measurement_row(job.case, MASK, labels, setting=wanted.setting)
    if wanted.meshes and labels.array.any():
        _write_meshes(job, labels, out / "mesh")
    try:
        head = measured_head(labels, job.side)
    except Unmeasurable:  # the row's flags say so
        return row, []
    if wanted.pictures:
        image = None if wanted.image is None else read_image(wanted.image, prefer=wanted.prefer)
        picture = angles_plot(labels, job.side, image, tilt_deg=wanted.setting.tilt_deg, head=head)
        save_png(picture, out / "figures" / f"{job.name}_angles.png")
    if job.side is None:
        return row, []
    return row, [location_map(head).assign(case_id=job.name, side=str(job.side))]


def _write_meshes(job: MaskJob, labels: LabelMap, folder: Path) -> None:
    lying = canonical(labels, None)
    for name, mask in (("head", lying.array > 0), ("lesion", lying.mask("necrosis"))):
        if mask.any():
            mesh = surface_mesh(mask, lying.grid, keeps_volume=True)
            write_stl(mesh.vertices_mm, mesh.faces, folder / f"{job.name}_{name}.stl")
