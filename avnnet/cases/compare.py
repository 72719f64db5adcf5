"""Masks from anywhere, matched by name: manual against automatic without images, models or cohorts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avnnet.cases.loop import each_case
from avnnet.data.files import SUFFIXES, image_name, images_in, read_labels
from avnnet.errors import InvalidCohort, MissingFile
from avnnet.labels import LabelScheme
from avnnet.measure import agreement_rows, case_row, empty_row, measurement_row
from avnnet.progress import Reporter
from avnnet.readers import AUTOMATIC, MANUAL


@dataclass(frozen=True)
class MaskPair:
    """Two masks of one case; None where a folder has no mask of that name.

    Args:
        case_id: the name without its suffix.
        manual: the manual mask's path.
        automatic: the automatic mask's path.
    """

    case_id: str
    manual: Path | None
    automatic: Path | None


def pair_masks(manual: Path, automatic: Path) -> list[MaskPair]:
    """The pairs of two masks, or of two folders by file name; a name in one folder only is a pair with a gap.

    `hip-07.nii.gz`, `hip-07.nrrd` and 3D Slicer's `hip-07.seg.nrrd` have the same name.

    Args:
        manual: a mask or a folder of masks.
        automatic: a mask or a folder of masks.

    Raises:
        MissingFile: if a path does not exist, or a folder holds no masks.
        InvalidCohort: if one is a file and the other a folder, two masks of a folder have one name, or no
            name is in both.
    """
    for path in (manual, automatic):
        if not path.exists():
            raise MissingFile(f"no mask and no folder {path}")
    if manual.is_dir() != automatic.is_dir():
        raise InvalidCohort("give two masks or two folders; found one of each")
    if manual.is_file():
        return [MaskPair(image_name(manual), manual, automatic)]
    ours, theirs = images_in(manual), images_in(automatic)
    for folder, found in ((manual, ours), (automatic, theirs)):
        if not found:
            raise MissingFile(f"no masks in {folder}; masks end in one of {', '.join(SUFFIXES)}")
    if not ours.keys() & theirs.keys():
        raise InvalidCohort(
            f"no name is in both folders: {manual} has {sorted(ours)[:3]}, {automatic} has {sorted(theirs)[:3]}; "
            "masks are matched by file name without the suffix"
        )
    return [MaskPair(name, ours.get(name), theirs.get(name)) for name in sorted(ours.keys() | theirs.keys())]


def compare_masks(
    pairs: list[MaskPair], scheme: LabelScheme, reporter: Reporter, *, prefer: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The measurements and the agreement of pairs of masks; a pair that fails is a row with its error.

    Patients are not known: each case counts as a patient of its own.

    Args:
        pairs: what `pair_masks` gave.
        scheme: names of the label ids.
        reporter: told of each case.
        prefer: as `read_image` takes it, of all masks.
    """
    rows = each_case(
        pairs,
        lambda pair, _: [_rows(pair, scheme, prefer)],
        lambda pair, why: [
            ([empty_row(case_row(pair.case_id), reader, error=why) for reader in (MANUAL, AUTOMATIC)], [])
        ],
        name=lambda pair: pair.case_id,
        title="comparing masks",
        reporter=reporter,
    )
    measured = [table for tables, _ in rows for table in tables]
    agreed = [table for _, tables in rows for table in tables]
    return pd.concat(measured, ignore_index=True), pd.concat(agreed, ignore_index=True) if agreed else pd.DataFrame()


def _rows(pair: MaskPair, scheme: LabelScheme, prefer: str | None) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    if pair.manual is None or pair.automatic is None:
        gap = MANUAL if pair.manual is None else AUTOMATIC
        raise MissingFile(f"no {gap} mask of this name")
    case = case_row(pair.case_id)
    manual = read_labels(pair.manual, scheme, prefer=prefer)
    automatic = read_labels(pair.automatic, scheme, prefer=prefer)
    measured = [measurement_row(case, MANUAL, manual), measurement_row(case, AUTOMATIC, automatic)]
    return measured, [agreement_rows(case, AUTOMATIC, manual, automatic)]
