"""The held-out cases of a fold: predicted by every network and their ensemble, measured, compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.image import LabelMap
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.member import Member, softmax_of
from avnnet.inference.segmentation import flags_of
from avnnet.labels import LabelScheme
from avnnet.measure import compare, volumes
from avnnet.progress import Reporter

MANUAL = "manual"
ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class HeldOut:
    """The tables of one fold.

    Args:
        measurements: case x reader.
        agreement: case x reader x structure.
    """

    measurements: pd.DataFrame
    agreement: pd.DataFrame


def predict_held_out(
    cohort: Cohort,
    cases: Sequence[Case],
    members: Sequence[Member],
    scheme: LabelScheme,
    masks: Path,
    *,
    precision: str,
    reporter: Reporter,
    title: str,
) -> HeldOut:
    """The measurements and agreement of held-out cases; a case that fails becomes rows with its error.

    Args:
        cohort: whose further columns are carried along.
        cases: held out in this fold. Their manual masks are read to compare with, after the prediction.
        members: one per network; the ensemble is the mean of their softmax.
        scheme: names of the label ids.
        masks: folder; masks go to `masks/READER/CASE.nii.gz`.
        precision: of the prediction.
        reporter: told of each case.
        title: what the reporter says.
    """
    carried = cohort.carried.set_index("case_id", drop=False)
    readers = [*(member.name for member in members), ENSEMBLE]
    measured: list[pd.DataFrame] = []
    compared: list[pd.DataFrame] = []
    with reporter.steps(title, len(cases)) as step:
        for done, case in enumerate(cases, start=1):
            row = carried.loc[[case.case_id]].reset_index(drop=True)
            try:
                segmented = _segment(case, members, scheme, masks, precision)
            except Exception as error:  # the other cases go on, and this one's row says why it is missing
                reporter.say(f"{case.case_id} failed: {type(error).__name__}: {error}")
                text = f"{type(error).__name__}: {error}"
                measured += [row.assign(reader=name, error=text) for name in (MANUAL, *readers)]
            else:
                manual = segmented.pop(MANUAL)[0]
                measured.append(_measured(row, MANUAL, manual, ""))
                for name, (labels, flags) in segmented.items():
                    measured.append(_measured(row, name, labels, flags))
                    both = compare(manual, labels)
                    key = row[["patient_id", "case_id", "side"]].loc[[0] * len(both)].reset_index(drop=True)
                    compared.append(pd.concat([key.assign(reader=name), both], axis=1))
            step(done, case.case_id)
    return HeldOut(_stack(measured), _stack(compared))


def _segment(
    case: Case, members: Sequence[Member], scheme: LabelScheme, masks: Path, precision: str
) -> dict[str, tuple[LabelMap, str]]:
    image = read_image(case.image)
    softmax = softmax_of(members, image, side=case.side, centre_mm=case.centre_mm, precision=precision)
    named = {member.name: one for member, one in zip(members, softmax, strict=True)}
    result = {}
    for name, probabilities in {**named, ENSEMBLE: mean_softmax(softmax)}.items():
        labels = probabilities.labels(scheme)
        write_image(labels, masks / name / f"{case.case_id}.nii.gz")
        result[name] = (labels, " ".join(flags_of(labels, probabilities)))
    result[MANUAL] = (read_labels(case.label, scheme), "")
    return result


def _measured(row: pd.DataFrame, reader: str, labels: LabelMap, flags: str) -> pd.DataFrame:
    table = pd.concat([row.assign(reader=reader), volumes(labels)], axis=1)
    return table.assign(flags=flags, error="")


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
