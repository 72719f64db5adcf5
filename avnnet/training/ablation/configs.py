"""The configs of an ablation: built, compared with the base, and with what its folder was begun with."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from avnnet.ablation_record import AblationRecord, ChangeRecord
from avnnet.data.cohort import Cohort
from avnnet.errors import AvnnetError, CheckpointMismatch, InvalidConfig
from avnnet.training.ablation.plan import SPLIT_SEED, Ablation
from avnnet.training.config.changes import OF_ANY_FOLD, changes, check_same_config
from avnnet.training.config.experiment import Experiment, load_experiment
from avnnet.training.minutes.budgeted import same_budget, within
from avnnet.training.precision import PrecisionChoice

OF_ANY_SEED = OF_ANY_FOLD | {"seed_everything"}


Changes = Mapping[str, tuple[ChangeRecord, ...]]


def built_variants(
    ablation: Ablation, before: AblationRecord | None, cohort: Cohort
) -> tuple[dict[str, Experiment], Changes]:
    """The experiments of all variants by name, the base first, and what each changes of the base.

    Their data are those of the first fold.

    Args:
        ablation: what is to be done.
        before: the record of an ablation that goes on; its precision and its number of steps are kept.
        cohort: that they must fit.

    Raises:
        MissingFile, InvalidConfig: if a config cannot be used or does not fit the cohort; the variant is named.
        InvalidConfig: if a variant builds what the base builds, has other labels, or takes other voxels as ignored.
    """
    experiments: dict[str, Experiment] = {}
    for name, configs in ablation.variants.items():
        try:
            experiment = load_experiment(configs, [*ablation.data_words(), "--seed_everything=1", *ablation.overrides])
            experiment.check_network(cohort)
        except AvnnetError as error:
            role = "the base, which must be a full config: " if name == ablation.base_name else ""
            raise type(error)(f"{name}: {role}{error}") from error
        experiments[name] = _as_begun(name, experiment, before)
    base = experiments[ablation.base_name]
    plain = base.as_plain()
    changed = {name: tuple(ChangeRecord(*key) for key in changes(plain, one)) for name, one in experiments.items()}
    for name, experiment in experiments.items():
        if experiment.datamodule.labels != base.datamodule.labels:
            raise InvalidConfig(
                f"{name}: all variants need the data.labels of the base; found {experiment.datamodule.labels}"
            )
        if experiment.datamodule.has_ignored != base.datamodule.has_ignored:
            raise InvalidConfig(
                f"{name}: all variants need the data.has_ignored of the base, for they are held against the same "
                f"masks; found {experiment.datamodule.has_ignored}, and {base.datamodule.has_ignored} in the base"
            )
        if experiment is not base and not changed[name]:
            raise InvalidConfig(
                f"{name} changes nothing: it builds what {ablation.base_name} builds, and their difference would be "
                "noise. Look for a key that all variants are given alike (seed_everything, data.cohort, data.fold, "
                "--set), or for the value that the base has anyway"
            )
    return experiments, changed


def _as_begun(name: str, experiment: Experiment, before: AblationRecord | None) -> Experiment:
    """The experiment in the precision that the ablation was begun with: a timing may choose another one today."""
    if before is None or experiment.config.trainer.precision != "auto":
        return experiment
    known = before.variants.get(name, before.variants[before.base])
    begun = PrecisionChoice(yaml.safe_load(known.config)["trainer"]["precision"], "as this ablation was begun")
    return Experiment.of_plain(experiment.plain_with({"trainer.precision": begun.precision}), begun)


def check_same_ablation(
    ablation: Ablation, before: AblationRecord, experiments: Mapping[str, Experiment], cohort_sha256: str
) -> dict[str, Experiment]:
    """The experiments, those that were begun with their recorded number of steps.

    More seeds and further overlays are welcome. What was begun stays: who has seen a table could choose by it.

    Args:
        ablation: what is asked for now.
        before: what the folder holds.
        experiments: as built now, without a budget.
        cohort_sha256: of the cohort as it is now.

    Raises:
        CheckpointMismatch: if the folder holds an ablation of another base, overlay, cohort, folds, minutes, or of more
            variants or seeds than are asked for.
    """
    way_out = f"choose another --out, or delete {ablation.out} to start anew"
    if before.base != ablation.base_name:
        raise CheckpointMismatch(
            f"{ablation.out} holds an ablation of the base {before.base!r}, and the base {ablation.base_name!r} is "
            f"asked for: all differences are from the base. Give {before.base} first again, or {way_out}"
        )
    for what, was, now in (
        ("folds", before.folds, ablation.folds),
        ("the seed of the folds", before.split_seed, SPLIT_SEED),
        ("the hash of the cohort's table, images and masks", before.cohort_sha256, cohort_sha256),
    ):
        if was != now:
            raise CheckpointMismatch(f"{ablation.out} holds another ablation: {what} was {was}, is {now}; {way_out}")
    gone = [name for name in before.variants if name not in experiments]
    if gone or len(before.seeds) > ablation.seeds:
        what = f"the variants {', '.join(gone)}" if gone else f"{len(before.seeds)} seeds"
        raise CheckpointMismatch(
            f"{ablation.out} was begun with {what} too: what was begun is finished and reported, because who has seen "
            f"a table could choose by it. Give them again (more are welcome), or {way_out}"
        )
    return {name: _same_variant(ablation, before, name, one) for name, one in experiments.items()}


def _same_variant(ablation: Ablation, before: AblationRecord, name: str, experiment: Experiment) -> Experiment:
    begun = before.variants.get(name)
    if ablation.minutes is not None:
        kept = same_budget(ablation.out, ablation.minutes, (begun or before.variants[before.base]).budget)
        experiment = experiment if begun is None else within(experiment, kept)
    elif before.minutes is not None:
        raise CheckpointMismatch(
            f"{ablation.out} was begun with --minutes {before.minutes:g} for each training; give it again to go on, or "
            "choose another --out"
        )
    if begun is not None:
        role = "whose base is" if name == before.base else "with the variant"
        check_same_config(
            begun.config,
            experiment,
            holds=f"{ablation.out} holds an ablation {role} {name}",
            way_out=f"choose another --out, or delete {ablation.out} to start anew",
            irrelevant=OF_ANY_SEED,
        )
    return experiment
