"""Folds of a cross-validation: grouped by patient, stratified by stage, kept in a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from sklearn.model_selection import GroupKFold, StratifiedGroupKFold

from avnnet.atomic import write_text_atomically
from avnnet.data.cohort import Cohort
from avnnet.errors import InvalidSplit, LeakageError, MissingFile


def make_folds(cohort: Cohort, folds: int, *, seed: int) -> list[list[str]]:
    """The case ids held out in each fold.

    All cases of a patient are in one fold. Where the cohort has ARCO stages every fold gets its share of
    each; a stage with fewer cases than folds is pooled with the next one.

    Args:
        cohort: the cases.
        folds: how many.
        seed: of the shuffle.

    Raises:
        InvalidSplit: if there are fewer patients than folds, or fewer than two folds.

    Examples:
        >>> import pandas as pd
        >>> hips = pd.DataFrame({"case_id": ["a1", "a2", "b1"], "patient_id": ["a", "a", "b"]})
        >>> cohort = Cohort(hips.assign(image="hip.nii", label="mask.nii"), Path())
        >>> sorted(make_folds(cohort, 2, seed=0))  # both hips of patient a are in one fold
        [['a1', 'a2'], ['b1']]
    """
    patients = [case.patient_id for case in cohort]
    if folds < 2:
        raise InvalidSplit(f"a cross-validation has at least 2 folds; found {folds}. Ask for more (--folds)")
    if len(set(patients)) < folds:
        raise InvalidSplit(
            f"{folds} folds need a patient for each; the cohort has {len(set(patients))} "
            f"patients in {len(cohort)} cases. Ask for fewer folds (--folds) or add patients"
        )
    strata = _pooled([case.arco_stage for case in cohort], folds)
    splitter: GroupKFold | StratifiedGroupKFold = (
        StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
        if len(set(strata)) > 1
        else GroupKFold(folds, shuffle=True, random_state=seed)
    )
    ids = [case.case_id for case in cohort]
    held_out = [[ids[i] for i in test] for _, test in splitter.split(ids, strata, patients)]
    if not all(held_out):
        # stratification of a small grouped cohort can leave a fold empty; even sizes matter more then
        splitter = GroupKFold(folds, shuffle=True, random_state=seed)
        held_out = [[ids[i] for i in test] for _, test in splitter.split(ids, strata, patients)]
    return held_out


def _pooled(stages: list[str], least: int) -> list[str]:
    merged = {stage: stage for stage in stages}
    counts = Counter(stages)
    order = sorted(counts)
    while len(order) > 1 and min(counts[s] for s in order) < least:
        rare = min(order, key=lambda s: counts[s])
        position = order.index(rare)
        into = order[position + 1] if position + 1 < len(order) else order[position - 1]
        counts[into] += counts[rare]
        order.remove(rare)
        merged = {stage: into if target == rare else target for stage, target in merged.items()}
    return [merged[stage] for stage in stages]


def check_folds(cohort: Cohort, held_out: list[list[str]]) -> None:
    """Refuse folds of another cohort, and folds that divide a patient.

    Raises:
        InvalidSplit: if the folds do not hold each case of the cohort once.
        LeakageError: if cases of one patient are in different folds.
    """
    listed = [case_id for fold in held_out for case_id in fold]
    expected = {case.case_id for case in cohort}
    if len(listed) != len(set(listed)) or set(listed) != expected:
        difference = sorted(set(listed) ^ expected)[:5]
        raise InvalidSplit(
            f"splits.json must hold each case of the cohort once; it differs in {difference or 'repeated cases'}. "
            "The cohort has changed since: choose another --out, or restore the cohort"
        )
    fold_of = {case_id: number for number, fold in enumerate(held_out) for case_id in fold}
    seen: dict[str, int] = {}
    for case in cohort:
        fold = seen.setdefault(case.patient_id, fold_of[case.case_id])
        if fold != fold_of[case.case_id]:
            raise LeakageError(
                f"all cases of a patient must be in one fold; this patient's are in folds {fold} and "
                f"{fold_of[case.case_id]} of splits.json. Move them together",
                case_id=case.case_id,
            )


def write_folds(path: Path, held_out: list[list[str]], *, seed: int) -> None:
    """Write folds as JSON: `{"seed": ..., "folds": [[case ids], ...]}`."""
    write_text_atomically(path, json.dumps({"seed": seed, "folds": held_out}, indent=1))


def stored_folds(path: Path, cohort: Cohort, folds: int, *, seed: int) -> list[list[str]]:
    """The folds in a file, checked against the cohort; made and written if there is no file yet.

    Raises:
        InvalidSplit: if the file is not one of folds, has another number of folds, or another cohort's cases.
        LeakageError: if it divides a patient.
    """
    if not path.exists():
        held_out = make_folds(cohort, folds, seed=seed)
        write_folds(path, held_out, seed=seed)
        return held_out
    held_out = _in_file(path)
    if len(held_out) != folds:
        raise InvalidSplit(f"{path} has {len(held_out)} folds, {folds} were asked for; choose another --out")
    check_folds(cohort, held_out)
    return held_out


def read_folds(path: Path, cohort: Cohort) -> list[list[str]]:
    """The case ids held out in each fold of a file, checked against the cohort.

    Args:
        path: `splits.json` of a study.
        cohort: the cases.

    Raises:
        MissingFile: if there is no such file.
        InvalidSplit, LeakageError: as `stored_folds`.
    """
    if not path.is_file():
        raise MissingFile(f"no folds {path}; give OUT/splits.json of a study")
    held_out = _in_file(path)
    check_folds(cohort, held_out)
    return held_out


def _in_file(path: Path) -> list[list[str]]:
    try:
        return [[str(case) for case in fold] for fold in json.loads(path.read_text(encoding="utf-8"))["folds"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidSplit(f"{path} does not hold folds ({error}); delete it or restore it") from error
