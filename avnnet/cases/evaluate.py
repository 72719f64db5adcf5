"""Cases that no network was trained on: predicted by every network and their ensemble, measured, compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.data.integrity import image_hash
from avnnet.flags import Flag
from avnnet.image import Image, LabelMap
from avnnet.inference.ensemble import ENSEMBLE
from avnnet.inference.heads import FoundHead
from avnnet.inference.locate import Locator, located_row
from avnnet.inference.mask import mask_of
from avnnet.inference.member import Member, softmax_of
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import LabelScheme
from avnnet.measure import agreement_rows, failed_row, measurement_row
from avnnet.progress import Reporter, count_within
from avnnet.stats.study import LOCATED, MANUAL, SECOND


@dataclass(frozen=True)
class Evaluation:
    """The tables of evaluated cases.

    Args:
        measurements: case x reader.
        agreement: case x reader x structure.
        located: one row per case: where the locator found its head; empty without a locator.
    """

    measurements: pd.DataFrame
    agreement: pd.DataFrame
    located: pd.DataFrame


def evaluate_cases(
    cohort: Cohort,
    cases: Sequence[Case],
    members: Sequence[Member],
    scheme: LabelScheme,
    masks: Path,
    *,
    precision: str,
    reporter: Reporter,
    title: str,
    seen: Collection[str] = (),
    locator: Locator | None = None,
) -> Evaluation:
    """The measurements and agreement of cases; a case that fails becomes rows with its error.

    Args:
        cohort: whose further columns are carried along.
        cases: those to evaluate. Their manual masks are read to compare with, after the prediction; a second reader's
            are compared as if they were a network's, under the name `manual_2`.
        members: one or several per network, such as folds; a network is the mean softmax of the members of
            its name, the ensemble that of all.
        scheme: names of the label ids.
        masks: folder; masks go to `masks/READER/CASE.nii.gz`.
        precision: of the prediction.
        reporter: told of each case and of every network's turn.
        title: what the reporter says.
        seen: ids of cases that were in the training: marked in the flags.
        locator: finds the heads of every case; the ensemble around what it finds is one more reader,
            `ensemble_located`, whose side and centre come from the image alone.
    """
    carried = cohort.carried.set_index("case_id", drop=False)
    readers = [*dict.fromkeys(member.name for member in members), ENSEMBLE, *([LOCATED] if locator is not None else [])]
    measured: list[pd.DataFrame] = []
    compared: list[pd.DataFrame] = []
    located: list[pd.DataFrame] = []
    with reporter.steps(title, len(cases)) as step:
        for done, case in enumerate(cases, start=1):
            row = carried.loc[[case.case_id]]
            try:
                image = read_image(case.image)
                heads = locator.find(image) if locator is not None else None
                head = _of_case(case, heads or [])
                told = count_within(step, done - 1, case.case_id, "network")
                read = _segment(case, image, heads, head, members, scheme, precision, told)
                for name, (labels, _) in read.items():
                    write_image(labels, masks / name / f"{case.case_id}.nii.gz")
                manual = read_labels(case.label, scheme)
                if heads is not None:
                    located.append(located_row(row, manual, heads, head))
                agreed = [agreement_rows(row, name, manual, labels) for name, (labels, _) in read.items()]
                of_case = [measurement_row(row, MANUAL, manual)]
                mark = Flag.SEEN_IN_TRAINING if case.case_id in seen else ""
                of_case += [
                    measurement_row(row, name, labels, f"{words} {mark}") for name, (labels, words) in read.items()
                ]
                if case.second_label is not None:
                    second = read_labels(case.second_label, scheme)
                    of_case.insert(1, measurement_row(row, SECOND, second))
                    agreed.append(agreement_rows(row, SECOND, manual, second))
            except Exception as error:  # the other cases go on, and this one's rows say why it is missing
                reporter.say(f"{case.case_id} failed: {type(error).__name__}: {error}")
                humans = (MANUAL,) if case.second_label is None else (MANUAL, SECOND)
                measured += [failed_row(row, name, error) for name in (*humans, *readers)]
            else:
                compared += agreed
                measured += of_case
            step(done, case.case_id)
    return Evaluation(_stack(measured), _stack(compared), _stack(located))


def _of_case(case: Case, heads: Sequence[FoundHead]) -> FoundHead | None:
    return next((one for one in heads if one.side == case.side), heads[0] if len(heads) == 1 else None)


def _segment(
    case: Case,
    image: Image,
    heads: Sequence[FoundHead] | None,
    head: FoundHead | None,
    members: Sequence[Member],
    scheme: LabelScheme,
    precision: str,
    on_progress: Callable[[int, int], None],
) -> dict[str, tuple[LabelMap, str]]:
    """By reader: mask and flags.

    The networks look around the cohort's centre; where it gives none, around the head that was found; where nobody
    looked for one, everywhere.
    """
    names = list(dict.fromkeys(member.name for member in members))
    empty = LabelMap(np.zeros(image.grid.shape, np.uint8), image.grid, scheme), str(Flag.HEAD_NOT_FOUND)
    if case.centre_mm is None and heads is not None and head is None:
        return dict.fromkeys([*names, ENSEMBLE, LOCATED], empty)
    centre_mm = head.centre_mm if case.centre_mm is None and head is not None else case.centre_mm
    predicted = softmax_of(
        members, image, side=case.side, centre_mm=centre_mm, precision=precision, on_progress=on_progress
    )
    both = list(zip(members, predicted.softmax, strict=True))
    result: dict[str, tuple[LabelMap, str]] = {}
    for name in (*names, ENSEMBLE):
        group, softmax = zip(*[pair for pair in both if name in (pair[0].name, ENSEMBLE)], strict=True)
        mask = mask_of(image, group, softmax, scheme, is_one_head=centre_mm is not None)
        result[name] = mask.labels, " ".join([*mask.flags, *predicted.flags])
    if heads is not None:
        result[LOCATED] = empty
    if head is not None:
        ensemble = Segmenter(members, scheme, precision=precision)
        hip = ensemble.predict(image, side=head.side, centre_mm=head.centre_mm, on_progress=on_progress)
        result[LOCATED] = hip.labels, " ".join(dict.fromkeys([*hip.flags, *head.flags]))
    return result


def seen_in_training(cohort: Cohort, trained_on: Collection[str], reporter: Reporter) -> list[str]:
    """The ids of the cases whose image was in a training, found by voxels and geometry.

    Args:
        cohort: the cases.
        trained_on: hashes of the training's images.
        reporter: told of each case.
    """
    known = frozenset(trained_on)
    found = []
    with reporter.steps("looking for training images", len(cohort)) as step:
        for done, case in enumerate(cohort, start=1):
            if image_hash(read_image(case.image)) in known:
                found.append(case.case_id)
            step(done, case.case_id)
    return found


def _stack(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
