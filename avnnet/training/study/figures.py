"""The pictures of a study: the masks of its worst, its median and its best case."""

from __future__ import annotations

import pandas as pd

from avnnet.data.cohort import Cohort
from avnnet.data.files import read_image, read_labels
from avnnet.data.ignored import read_known_labels
from avnnet.labels import LabelScheme
from avnnet.readers import AUTOMATIC, ENSEMBLE, MANUAL
from avnnet.training.study.plan import Study


def write_figures(
    study: Study, cohort: Cohort, scheme: LabelScheme, agreement: pd.DataFrame, *, has_ignored: bool = False
) -> None:
    """Draws both readers' contours on three cases, by the Dice of the part.

    Args:
        study: whose masks are written.
        cohort: its cases.
        scheme: names of the label ids.
        agreement: of its held-out cases.
        has_ignored: whether manual masks may hold 255, voxels that count nowhere.
    """
    from avnnet.plots import overlay, save_png

    is_shown = (agreement["reader"] == ENSEMBLE) & (agreement["label"] == scheme.part)
    rows = agreement[is_shown].dropna(subset="dice").sort_values("dice")
    if rows.empty:
        return
    cases = {case.case_id: case for case in cohort}
    for word, position in {"worst": 0, "median": len(rows) // 2, "best": len(rows) - 1}.items():
        case_id = str(rows.iloc[position]["case_id"])
        image = read_image(cases[case_id].image)
        contours = {
            MANUAL: read_known_labels(cases[case_id].label, scheme, has_ignored=has_ignored),
            AUTOMATIC: read_labels(study.out / "masks" / ENSEMBLE / f"{case_id}.nii.gz", scheme),
        }
        dice = rows.iloc[position]["dice"]
        name = f"{word} case, {case_id}, Dice {scheme.part} {dice:.2f}.png"
        for old in (study.out / "figures").glob(f"{word} case*.png"):
            old.unlink()
        save_png(overlay(image, contours), study.out / "figures" / name)
