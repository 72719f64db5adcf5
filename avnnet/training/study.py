"""The cross-validated study: every fold, every network, their ensemble, the tables and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.cases.evaluate import evaluate_cases
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Case, Cohort, read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.data.splits import stored_folds
from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import LabelScheme
from avnnet.progress import Reporter
from avnnet.readers import AUTOMATIC, ENSEMBLE, MANUAL, RESERVED
from avnnet.record import BudgetRecord
from avnnet.report import TRAINING, write_report
from avnnet.tables import read_table, write_table
from avnnet.training.apart import Job, run_apart
from avnnet.training.changes import OF_ANY_FOLD
from avnnet.training.config import Experiment
from avnnet.training.first_look import show_first
from avnnet.training.fit import check_same_run, is_trained, recorded_precision, train
from avnnet.training.folds import failed_in, folds_made, precision_of, tables_of, write_fold
from avnnet.training.plan import Study
from avnnet.training.record import begin_record, end_record
from avnnet.training.study_budget import budgeted_networks, say_forecast


def run_study(study: Study, reporter: Reporter | None = None) -> int:
    """The number of cases that failed in prediction; tables and `report.html` are in the study's folder.

    Args:
        study: what is to be done.
        reporter: told what is being done; a new one by default, which prints progress.

    Raises:
        AvnnetError: before any training, if a config, the cohort or the folds cannot be used.
    """
    reporter = reporter or Reporter()
    cohort = read_cohort(study.cohort)
    if cohort.read_as:
        reporter.say(cohort.read_as)
    chosen = list(range(study.folds)) if study.only_fold is None else [study.only_fold]
    if not 0 <= min(chosen) <= max(chosen) < study.folds:
        raise InvalidConfig(f"--only-fold must be 0 to {study.folds - 1}; found {study.only_fold}")
    first = {name: study.experiment(net, chosen[0]) for name, net in _networks(study).items()}
    scheme = _one_scheme(study, first, cohort)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        drawn = check_cohort(cohort, scheme, on_progress=lambda done, _: step(done))
    held_out = stored_folds(study.out / "splits.json", cohort, study.folds, seed=study.seed)
    part = next(index for index, name in scheme.names.items() if name == scheme.part)
    for fold, case_ids in enumerate(held_out):
        if not any(part in drawn[case_id] for case_id in case_ids):
            reporter.say(f"fold {fold} holds out no case with {scheme.part}: nothing will be known of it there")
    first, budgets = budgeted_networks(study, first, cohort, [held_out[fold] for fold in chosen], reporter)
    record = begin_record(study, cohort, scheme, first, held_out, budgets)
    if not budgets:
        say_forecast(study, first, cohort, [held_out[fold] for fold in chosen], reporter)
    # the configs have imported these classes, so that a network of the user's own can be read again
    classes = list({type(module) for experiment in first.values() for module in experiment.model.net.modules()})
    if study.processes > 1:
        _run_folds_apart(study, first, cohort, scheme, held_out, chosen, classes, reporter)
        _write_model(study, scheme, classes)
    else:
        for fold in chosen:
            _run_fold(study, first, budgets, cohort, scheme, held_out[fold], fold, classes, reporter)
            _write_model(study, scheme, classes)
    tables = _collect(study)
    _write_figures(study, cohort, scheme, tables["agreement"])
    end_record(study, record)
    write_report(study.out)
    measurements = tables["measurements"]
    return int(measurements.loc[measurements["error"] != "", "case_id"].nunique())


def _networks(study: Study) -> dict[str, Path]:
    """The configs of all trainings of a fold by name, the locator's last.

    Raises:
        InvalidConfig: if two have one name, or one that a reader has.
    """
    configs = [*study.nets, *([study.locator] if study.locator is not None else [])]
    names = study.trained_names
    if len(set(names)) != len(names) or RESERVED & set(names):
        raise InvalidConfig(
            f"the configs' file names name the networks, must differ, and be none of {sorted(RESERVED)}, which name "
            f"readers; found {names}. Rename a file"
        )
    return dict(zip(names, configs, strict=True))


def _one_scheme(study: Study, experiments: Mapping[str, Experiment], cohort: Cohort) -> LabelScheme:
    schemes = [experiment.datamodule.labels for experiment in experiments.values()]
    if study.locator is not None and [*experiments.values()][-1].datamodule.crop is not None:
        raise InvalidConfig("a locator sees the whole image: its config must say data.crop: null")
    if any(scheme != schemes[0] for scheme in schemes):
        raise InvalidConfig(f"all configs of a study need the same data.labels; found {schemes}")
    for name, experiment in experiments.items():
        try:
            experiment.check_network(cohort)
        except InvalidConfig as error:
            raise InvalidConfig(f"{name}: {error}") from error
    return schemes[0]


def _run_fold(
    study: Study,
    experiments: Mapping[str, Experiment],
    budgets: Mapping[str, BudgetRecord],
    cohort: Cohort,
    scheme: LabelScheme,
    held_out: list[str],
    fold: int,
    classes: list[type],
    reporter: Reporter,
) -> None:
    if failed_in(study, fold) == 0:
        reporter.say(f"{study.place_of(fold)}: done before")
        return
    for name, parsed in experiments.items():
        run = study.fold_folder(fold) / name
        if is_trained(run):  # the config may have been edited since
            check_same_run(run, parsed, irrelevant=OF_ANY_FOLD)
        else:
            _train_network(study, parsed.of_fold(fold), fold, name, budgets.get(name), reporter)
    _predict_fold(study, cohort, scheme, held_out, fold, classes, reporter)


def _train_network(
    study: Study, experiment: Experiment, fold: int, name: str, budget: BudgetRecord | None, reporter: Reporter
) -> None:
    experiment.datamodule.is_checked = True
    experiment.datamodule.reporter = reporter
    epochs = experiment.trainer.max_epochs or 0
    with reporter.steps(f"{study.place_of(fold)}, training {name}", epochs) as step:
        member = train(experiment, study.fold_folder(fold) / name, name=name, on_epoch=step, budget=budget)
    if (fold, name) == study.first_training:
        data = experiment.datamodule
        _show_first(study, data.held_out_cases, member, data.labels, reporter)


def _show_first(study: Study, cases: Sequence[Case], member: Member, scheme: LabelScheme, reporter: Reporter) -> None:
    fold, name = study.first_training
    precision = recorded_precision(study.fold_folder(fold) / name) or "32-true"
    show_first(cases[0], Segmenter([member], scheme, precision=precision), study.out, reporter)


def _predict_fold(
    study: Study,
    cohort: Cohort,
    scheme: LabelScheme,
    held_out: list[str],
    fold: int,
    classes: list[type],
    reporter: Reporter,
) -> None:
    runs = [study.fold_folder(fold) / name for name in study.trained_names]
    members = [member for run in runs for member in load_model(run / "model", classes=classes).members]
    precision = precision_of(study, fold)
    finder = Ensemble([members.pop()], scheme, precision=precision) if study.locator is not None else None
    locator = Locator(finder) if finder is not None else None
    model = Segmenter(members, scheme, precision=precision, locator=locator)
    cases = cohort.subset(held_out)
    if fold == study.first_training[0]:  # where the first training was stopped before it could show anything
        _show_first(study, cases, members[0], scheme, reporter)
    tables = evaluate_cases(
        cohort,
        cases,
        model,
        study.out / "masks",
        reporter=reporter,
        title=f"{study.place_of(fold)}, predicting held-out cases",
    )
    if tables.agreement.empty:
        first_error = tables.measurements["error"].iloc[0]
        raise StatisticsError(
            f"{study.place_of(fold)}: none of {len(held_out)} held-out cases could be segmented; the first: "
            f"{first_error}"
        )
    write_fold(study, fold, tables)


def _run_folds_apart(
    study: Study,
    experiments: Mapping[str, Experiment],
    cohort: Cohort,
    scheme: LabelScheme,
    held_out: Sequence[list[str]],
    folds: Sequence[int],
    classes: list[type],
    reporter: Reporter,
) -> None:
    """The same as `_run_fold` of every fold: each training, and each prediction of a fold, is a job of its own."""
    jobs: list[Job] = []
    for fold in folds:
        place, trainings = study.place_of(fold), []
        if failed_in(study, fold) == 0:
            reporter.say(f"{place}: done before")
            continue
        for name, parsed in experiments.items():
            run = study.fold_folder(fold) / name
            if is_trained(run):
                check_same_run(run, parsed, irrelevant=OF_ANY_FOLD)
            else:
                config, choice = parsed.plain_with({"data.fold": fold}), parsed.trainer.precision_choice
                trainings.append(Job(f"{place}, training {name}", (study, fold, name, config, choice)))
        words = (study, cohort, scheme, held_out[fold], fold, classes)
        after = tuple(job.name for job in trainings)
        jobs += [*trainings, Job(f"{place}, predicting held-out cases", words, after)]
    run_apart(jobs, _do_job, study.processes, reporter)


def _do_job(study: Study, *words: Any) -> None:
    """A training, whose first word is the fold, or a prediction."""
    if isinstance(words[0], int):
        fold, name, config, choice, reporter = words
        _train_network(study, Experiment.of_plain(config, choice), fold, name, None, reporter)
    else:
        _predict_fold(study, *words)


def _write_model(study: Study, scheme: LabelScheme, classes: list[type]) -> None:
    def trained(names: Sequence[str]) -> list[Member]:
        folders = [study.fold_folder(fold) / name for fold in range(study.folds) for name in names]
        done = [folder for folder in folders if is_trained(folder)]
        return [member for folder in done for member in load_model(folder / "model", classes=classes).members]

    finders = trained([name for name in study.trained_names if name not in study.names])
    locator = Locator(Ensemble(finders, scheme)) if finders else None
    planned = study.folds * len(study.names)
    save_model(Segmenter(trained(study.names), scheme, planned=planned, locator=locator), study.out / "model")


def _collect(study: Study) -> dict[str, pd.DataFrame]:
    tables = {}
    made = folds_made(study)
    for name, file in tables_of(study).items():
        parts = [read_table(study.fold_folder(fold) / file) for fold in made]
        tables[name] = pd.concat(parts, ignore_index=True)
        write_table(tables[name], study.out / file)
    epochs = [
        read_table(study.fold_folder(fold) / name / "metrics.csv").assign(network=name, fold=fold)
        for fold in made
        for name in study.trained_names
    ]
    progress = pd.concat(epochs, ignore_index=True)
    first = ["network", "fold"]
    write_table(progress[[*first, *progress.columns.drop(first)]], study.out / TRAINING)
    return tables


def _write_figures(study: Study, cohort: Cohort, scheme: LabelScheme, agreement: pd.DataFrame) -> None:
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
            MANUAL: read_labels(cases[case_id].label, scheme),
            AUTOMATIC: read_labels(study.out / "masks" / ENSEMBLE / f"{case_id}.nii.gz", scheme),
        }
        dice = rows.iloc[position]["dice"]
        name = f"{word} case, {case_id}, Dice {scheme.part} {dice:.2f}.png"
        for old in (study.out / "figures").glob(f"{word} case*.png"):
            old.unlink()
        save_png(overlay(image, contours), study.out / "figures" / name)
