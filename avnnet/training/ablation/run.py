"""An ablation: one study per seed of a base and its variants, a table of differences, and a report."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

import pandas as pd
import yaml

from avnnet.ablation_record import AblationRecord, VariantRecord
from avnnet.atomic import write_text_atomically
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Cohort, read_cohort
from avnnet.data.drawn import shares_of
from avnnet.data.splits import stored_folds
from avnnet.models.cost import forward_gflop, parameter_count, step_gflop
from avnnet.progress import Reporter
from avnnet.report import TRAINING, write_ablation_report
from avnnet.tables import read_table, write_table
from avnnet.training.ablation.budget import budgeted_variants
from avnnet.training.ablation.configs import Changes, built_variants, check_same_ablation
from avnnet.training.ablation.peak_memory import batch_shapes, peak_memory
from avnnet.training.ablation.plan import SPLIT_SEED, Ablation
from avnnet.training.config.experiment import Experiment
from avnnet.training.study.plan import Study
from avnnet.training.study.record import VERSIONS, cohort_hash
from avnnet.training.study.run import cross_validate

AGREEMENT = "agreement.csv"


def run_ablation(ablation: Ablation, reporter: Reporter | None = None) -> int:
    """The number of cases that failed in prediction; tables and `report.html` are in the ablation's folder.

    Args:
        ablation: what is to be done.
        reporter: told what is being done; a new one by default, which prints progress.

    Raises:
        AvnnetError: before any training, if a config, the cohort, the folds or the folder cannot be used.
    """
    reporter = reporter or Reporter()
    cohort = read_cohort(ablation.cohort)
    before = AblationRecord.read(ablation.out) if (ablation.out / AblationRecord.FILE).exists() else None
    experiments, changes = built_variants(ablation, before, cohort)
    sha256 = cohort_hash(cohort)
    if before is not None:
        experiments = check_same_ablation(ablation, before, experiments, sha256)
    data = experiments[ablation.base_name].datamodule
    scheme = data.labels
    with reporter.steps("checking the cohort", len(cohort)) as step:
        check_cohort(cohort, scheme, has_ignored=data.has_ignored, on_progress=lambda done, _: step(done))
    held_out = stored_folds(ablation.out / "splits.json", cohort, ablation.folds, seed=SPLIT_SEED)
    experiments, variants = _variants(ablation, before, experiments, changes, cohort, held_out, reporter)
    record = AblationRecord(
        base=ablation.base_name,
        variants=_measured(variants, experiments, reporter),
        seeds=tuple(range(1, ablation.seeds + 1)),
        folds=ablation.folds,
        split_seed=SPLIT_SEED,
        cohort=str(ablation.cohort),
        cohort_sha256=sha256,
        digital=cohort.is_digital,
        scheme=scheme,
        minutes=ablation.minutes,
        command=ablation.command,
        versions={"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        started=_now() if before is None else before.started,
    )
    for name, one in record.variants.items():
        write_text_atomically(ablation.built_config(name), one.config)
    record.write(ablation.out)
    failed = _run_studies(ablation, record, reporter)
    _collect(ablation, record)
    replace(record, finished=_now()).write(ablation.out)
    write_ablation_report(ablation.out)
    return failed


def _variants(
    ablation: Ablation,
    before: AblationRecord | None,
    experiments: Mapping[str, Experiment],
    changes: Changes,
    cohort: Cohort,
    held_out: Sequence[Sequence[str]],
    reporter: Reporter,
) -> tuple[dict[str, Experiment], dict[str, VariantRecord]]:
    """The experiments with the steps that they will make, and the records of the variants; begun ones are kept."""
    known = {} if before is None else dict(before.variants)
    last = max((one.round for one in known.values()), default=0)
    rounds = {name: known[name].round if name in known else last + 1 for name in experiments}
    new = [name for name in experiments if name not in known]
    planned, budgets = budgeted_variants(ablation, experiments, new, cohort, held_out, reporter, rounds=rounds)
    for name in new:
        known[name] = VariantRecord(
            files=tuple(map(str, ablation.variants[name])),
            config=planned[name].as_text(),
            round=rounds[name],
            changes=changes[name],
            budget=budgets.get(name),
        )
    return planned, known


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _measured(
    variants: Mapping[str, VariantRecord], experiments: Mapping[str, Experiment], reporter: Reporter
) -> dict[str, VariantRecord]:
    """The records of the variants with what they cost; what was measured before stays."""
    measured = dict(variants)
    with reporter.steps("counting operations, measuring memory", len(variants)) as step:
        for done, (name, variant) in enumerate(variants.items(), start=1):
            if not variant.parameters:
                net = experiments[name].model.net
                tile, _ = batch_shapes(experiments[name])
                sizes = shares_of(experiments[name].datamodule.sizes)  # of a patch that grows: the mean step
                steps = [(share, batch_shapes(experiments[name], size)[1]) for share, size in sizes]
                memory = peak_memory(experiments[name], name)
                measured[name] = replace(
                    variant,
                    parameters=parameter_count(net),
                    forward_gflop=forward_gflop(net, tile),
                    step_gflop=sum(share * step_gflop(net, batch) for share, batch in steps),
                    peak_bytes=memory.peak_bytes,
                    before_bytes=memory.before_bytes,
                    device=memory.device,
                )
            step(done, name)
    return measured


def _studies(ablation: Ablation, record: AblationRecord) -> list[tuple[int, Study]]:
    """The studies with their seeds, seed by seed: one for the first variants, one for those that were added next."""
    rounds: dict[int, list[str]] = {}
    for name, variant in record.variants.items():
        rounds.setdefault(variant.round, []).append(name)
    return [(seed, ablation.study(seed, *one)) for seed in record.seeds for one in sorted(rounds.items())]


def _run_studies(ablation: Ablation, record: AblationRecord, reporter: Reporter) -> int:
    failed = 0
    folds = (ablation.out / "splits.json").read_text(encoding="utf-8")
    for seed, study in _studies(ablation, record):
        reporter.say(f"seed {seed} of {len(record.seeds)}: {', '.join(study.names)}")
        if not (study.out / "splits.json").exists():
            write_text_atomically(study.out / "splits.json", folds)
        failed += cross_validate(study, reporter, is_forecast=False).failed
    return failed


def _collect(ablation: Ablation, record: AblationRecord) -> None:
    """Writes the tables of all seeds as one: agreement, and the trainings' epochs."""
    agreement, training = [], []
    configs = {name: yaml.safe_load(one.config) for name, one in record.variants.items()}
    per_epoch = {name: int(config["data"]["steps_per_epoch"]) for name, config in configs.items()}
    for seed, study in _studies(ablation, record):
        rows = read_table(study.out / AGREEMENT)
        rows = rows[rows["reader"].isin(study.names)].rename(columns={"reader": "variant"})
        agreement.append(rows.assign(seed=seed))
        epochs = read_table(study.out / TRAINING).rename(columns={"network": "variant"})
        training.append(epochs.assign(seed=seed, steps_per_epoch=epochs["variant"].map(per_epoch)))
    order = {name: place for place, name in enumerate(record.variants)}
    for name, parts in ((AGREEMENT, agreement), (TRAINING, training)):
        table = pd.concat(parts, ignore_index=True)
        write_table(table.sort_values("variant", key=lambda one: one.map(order), kind="stable"), ablation.out / name)
