"""The cases of a cohort: predicted by every network and their ensemble, measured, and compared with manual masks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from avnnet.cases.loop import Turn, each_case
from avnnet.cases.weigh import weighed_rows
from avnnet.data.cohort import Case, Cohort
from avnnet.data.files import read_image, write_image
from avnnet.data.ignored import read_known_labels
from avnnet.data.integrity import image_hash
from avnnet.flags import Flag
from avnnet.image import Image, LabelMap
from avnnet.inference.heads import FoundHead
from avnnet.inference.locate import located_row
from avnnet.inference.segmentation import Segmentation
from avnnet.inference.segmenter import Segmenter
from avnnet.measure import agreement_rows, empty_row, measurement_row
from avnnet.progress import Reporter
from avnnet.readers import ENSEMBLE, LOCATED, MANUAL, SECOND


@dataclass(frozen=True)
class Evaluation:
    """The tables of evaluated cases.

    Args:
        measurements: case x reader.
        agreement: case x reader x structure.
        located: one row per case: where the locator found its head; empty without a locator.
        weighed: what each way of cleaning would do to the ensemble's masks (`weighed_rows`); empty if nobody asked.
    """

    measurements: pd.DataFrame
    agreement: pd.DataFrame
    located: pd.DataFrame
    weighed: pd.DataFrame


@dataclass(frozen=True)
class _Tables:
    """What one case adds to the tables."""

    measured: list[pd.DataFrame]
    agreed: list[pd.DataFrame]
    located: list[pd.DataFrame]
    weighed: list[pd.DataFrame]


def evaluate_cases(
    cohort: Cohort,
    cases: Sequence[Case],
    model: Segmenter,
    masks: Path,
    *,
    reporter: Reporter,
    title: str,
    seen: Collection[str] = (),
    has_ignored: bool = False,
    is_weighed: bool = False,
) -> Evaluation:
    """The measurements and agreement of cases; a case that fails becomes rows with its error.

    Every configuration of the model is a reader of its own, the mean softmax of its folds; the ensemble of all is one
    more. Of a model with a locator, the ensemble around the head that it found is another, `ensemble_located`, whose
    side and centre come from the image alone.

    Args:
        cohort: whose further columns are carried along.
        cases: those to evaluate. Their manual masks are read to compare with, after the prediction; a second reader's
            are compared as if they were a network's, under the name `manual_2`.
        model: the networks.
        masks: folder; masks go to `masks/READER/CASE.nii.gz`.
        reporter: told of each case and of every network's turn.
        title: what the reporter says.
        seen: ids of cases that were in the training: marked in the flags.
        has_ignored: whether manual masks may hold 255, voxels that count nowhere. What a reader of a case ignored is
            left out of all its masks before they are measured and compared; written masks are whole.
        is_weighed: whether to try every way of cleaning.
    """
    carried = cohort.carried.set_index("case_id", drop=False)
    readers = [*model.ensemble.names, ENSEMBLE, *([LOCATED] if model.locator is not None else [])]

    def failed(case: Case, why: str) -> Iterable[_Tables]:
        humans = (MANUAL,) if case.second_label is None else (MANUAL, SECOND)
        rows = [empty_row(carried.loc[[case.case_id]], name, error=why) for name in (*humans, *readers)]
        return [_Tables(rows, [], [], [])]

    def work(case: Case, turn: Turn) -> Iterable[_Tables]:
        mark = [Flag.SEEN_IN_TRAINING] if case.case_id in seen else []
        row = carried.loc[[case.case_id]]
        return [_tables(case, row, model, masks, has_ignored, mark, turn, is_weighed=is_weighed)]

    parts = each_case(
        cases,
        work,
        failed,
        name=lambda case: case.case_id,
        title=title,
        reporter=reporter,
    )
    return Evaluation(
        _stack(table for part in parts for table in part.measured),
        _stack(table for part in parts for table in part.agreed),
        _stack(table for part in parts for table in part.located),
        _stack(table for part in parts for table in part.weighed),
    )


def _tables(
    case: Case,
    row: pd.DataFrame,
    model: Segmenter,
    masks: Path,
    has_ignored: bool,
    mark: Sequence[Flag],
    turn: Turn,
    *,
    is_weighed: bool,
) -> _Tables:
    image = read_image(case.image)
    heads = None if model.locator is None else model.locator.find(image)
    head = _of_case(case, heads or [])
    read = _readings(case, image, heads, head, model, turn)
    for name, hip in read.items():
        write_image(hip.labels, masks / name / f"{case.case_id}.nii.gz")
    manual, second = _manual_masks(case, model, has_ignored)
    found = {name: hip.labels.leaving_out(manual.ignored) for name, hip in read.items()}
    agreed = [agreement_rows(row, name, manual, labels) for name, labels in found.items()]
    measured = [measurement_row(row, MANUAL, manual)]
    measured += [measurement_row(row, name, labels, read[name].flags | mark) for name, labels in found.items()]
    if second is not None:
        measured.insert(1, measurement_row(row, SECOND, second))
        agreed.append(agreement_rows(row, SECOND, manual, second))
    located = [] if heads is None else [located_row(row, manual, heads, head)]
    weighed = [weighed_rows(case.case_id, read[ENSEMBLE], manual)] if is_weighed else []
    return _Tables(measured, agreed, located, weighed)


def _manual_masks(case: Case, model: Segmenter, has_ignored: bool) -> tuple[LabelMap, LabelMap | None]:
    """Both readers' masks, each without what either of them ignored: all rows of a case are of the same voxels."""
    manual = read_known_labels(case.label, model.scheme, has_ignored=has_ignored)
    if case.second_label is None:
        return manual, None
    second = read_known_labels(case.second_label, model.scheme, has_ignored=has_ignored)
    return manual.leaving_out(second.ignored), second.leaving_out(manual.ignored)


def _of_case(case: Case, heads: Sequence[FoundHead]) -> FoundHead | None:
    return next((one for one in heads if one.side == case.side), heads[0] if len(heads) == 1 else None)


def _readings(
    case: Case,
    image: Image,
    heads: Sequence[FoundHead] | None,
    head: FoundHead | None,
    model: Segmenter,
    turn: Turn,
) -> dict[str, Segmentation]:
    """The case's hip by reader.

    The networks look around the cohort's centre; where it gives none, around the head that was found; where nobody
    looked for one, everywhere. The side that the cohort gives holds before the one that was found.
    """
    taken = heads if heads is None or head is None else [head if case.side is None else replace(head, side=case.side)]
    if heads is not None and head is None:
        taken = []
    (hip, *_) = model.hips(
        image,
        side=case.side,
        centre_mm=case.centre_mm,
        heads=taken,
        by_network=True,
        on_progress=turn.on_network,
    )
    read = {**hip.by_network, ENSEMBLE: hip}
    if heads is not None:
        (located, *_) = model.hips(image, heads=[] if head is None else [head], on_progress=turn.on_network)
        read[LOCATED] = located
    return read


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


def _stack(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    found = list(tables)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
