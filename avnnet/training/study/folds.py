"""Which folds of a study are done: one rule, a record beside their tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.cases.evaluate import Evaluation
from avnnet.cases.ledger import Ledger
from avnnet.errors import MissingFile, UnreadableFile
from avnnet.inference.cleaning import Cleaning
from avnnet.inference.model_folder import model_hash
from avnnet.readers import ENSEMBLE, LOCATED, MANUAL
from avnnet.report import LOCATED_CENTRES, WEIGHED
from avnnet.stats.decided import kept_steps, named
from avnnet.tables import read_table, write_table
from avnnet.training.fit import is_trained, recorded_precision
from avnnet.training.study.plan import Study

RECORD = "done.json"
MEASUREMENTS, AGREEMENT = "measurements.csv", "agreement.csv"


def failed_in(study: Study, fold: int) -> int | None:
    """How many held-out cases of a fold failed, or None where its tables are still to be made.

    The tables of a fold are made if its record says that they come from the networks that lie in its folder, at the
    same precision, of masks that were cleaned as all folds decide, and are as they were written. The fold is done if no
    case failed: failed ones are tried again, since the fault may have been mended.

    Args:
        study: what is to be done.
        fold: from 0.
    """
    return _failed_in(study, fold, weighed_of(study))


def folds_made(study: Study) -> list[int]:
    """The folds whose tables are made, by `failed_in`; some of their cases may have failed.

    Args:
        study: what is to be done.
    """
    weighed = weighed_of(study)
    return [fold for fold in range(study.folds) if _failed_in(study, fold, weighed) is not None]


def tables_of(study: Study) -> dict[str, str]:
    """The file names of a fold's tables by what they hold; agreement is written last.

    Args:
        study: what is to be done.
    """
    located = {} if study.locator is None else {"located": LOCATED_CENTRES}
    return {**located, "measurements": MEASUREMENTS, "agreement": AGREEMENT}


def cleaning_of(study: Study) -> Cleaning | None:
    """How masks are cleaned, or None while the held-out cases of all folds have not decided.

    The tables that they decide by are of masks as predicted, and the same whatever is decided.

    Args:
        study: what is to be done.
    """
    return _decided_by(weighed_of(study))


def weighed_of(study: Study) -> pd.DataFrame | None:
    """What ways of cleaning would do to the held-out masks of all folds; None while some are still to be predicted.

    Args:
        study: what is to be done.
    """
    if not study.is_cleaning_decided:
        return None
    try:
        weighed = [read_table(study.fold_folder(fold) / WEIGHED) for fold in range(study.folds)]
    except (MissingFile, UnreadableFile):  # not predicted yet, or by an avnnet that did not weigh
        return None
    # another avnnet may have weighed other steps: folds are compared once all have been weighed alike
    is_alike = len({frozenset(table["steps"]) for table in weighed}) == 1
    return pd.concat(weighed, ignore_index=True) if is_alike else None


def precision_of(study: Study, fold: int) -> str:
    """The precision that a fold's held-out cases are predicted with: that of its last network.

    Args:
        study: what is to be done.
        fold: from 0.
    """
    recorded = [recorded_precision(study.fold_folder(fold) / name) for name in study.trained_names]
    return [precision for precision in ["32-true", *recorded] if precision][-1]


def write_fold(study: Study, fold: int, tables: Evaluation, cleaning: Cleaning | None) -> None:
    """Writes the tables of a fold and, last, the record that they are made.

    Args:
        study: what is to be done.
        fold: from 0.
        tables: of its held-out cases.
        cleaning: of their masks, or None for the usual.
    """
    folder, written = study.fold_folder(fold), tables_of(study)
    if study.is_cleaning_decided:
        write_table(tables.weighed.assign(fold=fold), folder / WEIGHED)
    for name, file in written.items():
        table: pd.DataFrame = getattr(tables, name)
        write_table(table.assign(fold=fold), folder / file)
    failed = tables.measurements.loc[tables.measurements["error"] != "", "case_id"].nunique()
    _write_record(study, fold, int(failed), cleaning)


def adopt_older(study: Study, held_out: Sequence[Sequence[str]]) -> None:
    """Writes the records of folds that an avnnet without such records made: those with complete tables and no error.

    To be called once, while the study's own record is an older one: later, tables without a record are tables of
    networks that are gone.

    Args:
        study: what is to be done.
        held_out: ids of the held-out cases of each fold.
    """
    for fold, case_ids in enumerate(held_out):
        if not _ledger(study, fold).path.exists() and _are_whole(study, fold, case_ids):
            _write_record(study, fold, 0, None)


def _are_whole(study: Study, fold: int, case_ids: Sequence[str]) -> bool:
    readers = [MANUAL, *study.names, ENSEMBLE, *([] if study.locator is None else [LOCATED])]
    try:
        tables = {name: read_table(study.fold_folder(fold) / file) for name, file in tables_of(study).items()}
        rows = tables["measurements"]
        found = set(zip(rows["case_id"], rows["reader"], strict=True))
        is_without_error = bool((rows["error"] == "").all())
    except (MissingFile, UnreadableFile, KeyError):
        return False
    return is_without_error and found >= set(product(case_ids, readers))


def _write_record(study: Study, fold: int, failed: int, cleaning: Cleaning | None) -> None:
    made_from = _made_from(study, fold, cleaning, weighed_of(study))
    if made_from is not None:
        folder = study.fold_folder(fold)
        weighed = [folder / WEIGHED] if (folder / WEIGHED).is_file() else []  # folds of before have none
        files = [*weighed, *(folder / file for file in tables_of(study).values())]
        _ledger(study, fold).write(made_from, files, failed=failed)


def _ledger(study: Study, fold: int) -> Ledger:
    return Ledger(study.fold_folder(fold) / RECORD)


def _failed_in(study: Study, fold: int, weighed: pd.DataFrame | None) -> int | None:
    made_from = _made_from(study, fold, _decided_by(weighed), weighed)
    content = None if made_from is None else _ledger(study, fold).read(made_from)
    failed = None if content is None else content.get("failed")
    return failed if isinstance(failed, int) else None


def _decided_by(weighed: pd.DataFrame | None) -> Cleaning | None:
    return None if weighed is None else Cleaning(kept_steps(weighed))


def _made_from(
    study: Study, fold: int, cleaning: Cleaning | None, weighed: pd.DataFrame | None
) -> dict[str, Any] | None:
    """The networks of a fold by name, each as a hash, the precision, and how masks are cleaned if not as usual.

    None if one is not trained yet.
    """
    runs: dict[str, Path] = {name: study.fold_folder(fold) / name for name in study.trained_names}
    if not all(map(is_trained, runs.values())):
        return None
    models = {name: model_hash(run / "model") for name, run in runs.items()}
    made_from: dict[str, Any] = {"models_sha256": models, "precision": precision_of(study, fold)}
    if cleaning is not None and weighed is not None and (weighed["usual"] != named(cleaning.steps)).any():
        made_from["cleaning"] = list(cleaning.steps)
    return made_from
