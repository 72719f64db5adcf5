"""What a study is made of, and whether a second call goes on with the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from avnnet.data.cohort import Cohort
from avnnet.data.integrity import image_files_hash
from avnnet.errors import CheckpointMismatch
from avnnet.labels import LabelScheme
from avnnet.record import BudgetRecord, NetworkRecord, StudyRecord
from avnnet.stats.battery import check_margins
from avnnet.training.config.changes import OF_ANY_FOLD, check_same_config
from avnnet.training.config.experiment import Experiment
from avnnet.training.study.folds import AGREEMENT, adopt_older, folds_made
from avnnet.training.study.plan import Study

VERSIONS = ["avnnet", "torch", "monai", "pytorch-lightning", "SimpleITK", "numpy", "scipy", "pandas"]
NO_BUDGETS: Mapping[str, BudgetRecord] = {}


def begin_record(
    study: Study,
    cohort: Cohort,
    scheme: LabelScheme,
    experiments: Mapping[str, Experiment],
    held_out: Sequence[Sequence[str]],
    budgets: Mapping[str, BudgetRecord] = NO_BUDGETS,
) -> StudyRecord:
    """The record of a study, written before its first training.

    Args:
        study: what is to be done.
        cohort: its cases.
        scheme: names of the label ids.
        experiments: by name, one per network and one of the locator, as parsed.
        held_out: ids of the held-out cases of each fold.
        budgets: what a budget in minutes came to, by name.

    Raises:
        CheckpointMismatch: if the folder holds a study of other data, networks, settings or margins.
        InvalidRecord: if its record is damaged, or of a newer avnnet.
        InvalidConfig: if a margin is of a quantity that is not compared.
    """
    check_margins(study.margins, scheme.volume_columns)
    record = replace(_record(study, cohort, scheme, experiments), budgets=dict(budgets))
    if (study.out / StudyRecord.FILE).exists():
        before = StudyRecord.read(study.out)
        _check_same_cohort(before, record, study)
        _check_same(before, record, study, experiments)
        if before.schema == 0:
            adopt_older(study, held_out)
    elif _has_tables(study):
        raise CheckpointMismatch(
            f"{study.out} holds tables of folds and no {StudyRecord.FILE} that says of what study; put it back, "
            f"{_way_out(study)}"
        )
    record = replace(record, folds_done=tuple(folds_made(study)))
    record.write(study.out)
    return record


def end_record(study: Study, record: StudyRecord) -> None:
    """Writes the record again with the folds that are done and the time.

    Args:
        study: what was done.
        record: what `begin_record` gave.
    """
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    replace(record, folds_done=tuple(folds_made(study)), finished=finished).write(study.out)


def _check_same(before: StudyRecord, after: StudyRecord, study: Study, experiments: Mapping[str, Experiment]) -> None:
    # who has seen a table could choose by it, whether or not its fold counts as done
    if not _has_tables(study):
        return
    way_out = _way_out(study)
    for key in ("networks", "locator", "folds", "seed"):
        was, is_now = getattr(before, key), getattr(after, key)
        if was != is_now:
            raise CheckpointMismatch(
                f"{study.out} holds finished folds of another study: {key} was {was}, is {is_now}; {way_out}"
            )
    if before.margins != after.margins:
        raise CheckpointMismatch(
            f"the equivalence margins of {study.out} were {before.margins}, are {after.margins}: they are fixed before "
            f"the data are seen; {way_out}"
        )
    for name, experiment in experiments.items():
        written = before.training.get(name)
        check_same_config(
            "" if written is None else written.config,
            experiment,
            holds=f"{study.out} holds finished folds of {name}",
            way_out=way_out,
            irrelevant=OF_ANY_FOLD,
        )


def _check_same_cohort(before: StudyRecord, after: StudyRecord, study: Study) -> None:
    if before.cohort_sha256 != after.cohort_sha256 and any(study.out.glob("fold*/*/config.yaml")):
        raise CheckpointMismatch(
            f"{study.out} holds trainings of another study: the cohort's table, images or masks have changed; "
            f"{_way_out(study)}"
        )


def _has_tables(study: Study) -> bool:
    return any(study.out.glob(f"fold*/{AGREEMENT}"))


def _way_out(study: Study) -> str:
    return f"choose another --out, or delete {study.out} to start anew"


def cohort_hash(cohort: Cohort) -> str:
    """A hash of a cohort's table, images and masks.

    Args:
        cohort: its cases.

    Source:
        SHA-256, FIPS 180-4.
    """
    files = image_files_hash(
        *(path for case in cohort for path in (*case.image, case.label, case.second_label) if path)
    )
    return hashlib.sha256((cohort.table.to_csv(index=False) + files).encode()).hexdigest()


def _record(study: Study, cohort: Cohort, scheme: LabelScheme, experiments: Mapping[str, Experiment]) -> StudyRecord:
    with_centre = sum(case.centre_mm is not None for case in cohort)
    crops = [experiment.datamodule.crop for experiment in experiments.values()]
    centre = "no crop: the whole image is segmented"
    if any(crop is not None for crop in crops):
        centre = f"cohort columns centre_*_mm for {with_centre} of {len(cohort)} cases; a sliding window for the others"
    networks = study.names[0] if len(study.names) == 1 else f"{', '.join(study.names)} and their ensemble"
    return StudyRecord(
        title=f"{study.folds}-fold cross-validation of {networks}",
        command=study.command,
        cohort=str(study.cohort),
        cohort_sha256=cohort_hash(cohort),
        digital=cohort.is_digital,
        scheme=scheme,
        networks=tuple(study.names),
        locator="" if study.locator is None else study.trained_names[-1],
        folds=study.folds,
        seed=study.seed,
        margins=dict(study.margins),
        centre=centre,
        versions={"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        training={
            name: NetworkRecord(experiment.as_text(), choice.precision, choice.reason)
            for name, experiment in experiments.items()
            for choice in [experiment.trainer.precision_choice]
        },
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )
