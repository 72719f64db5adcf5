"""The cross-validated study: every fold, every network, their ensemble, the tables and the report."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import Cohort, read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.data.splits import stored_folds
from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter, load_model, save_model
from avnnet.labels import LabelScheme
from avnnet.progress import Reporter
from avnnet.report import write_report
from avnnet.tables import read_table, write_table
from avnnet.training.config import Experiment, load_experiment
from avnnet.training.fit import recorded_precision, train
from avnnet.training.heldout import ENSEMBLE, predict_held_out

VERSIONS = ["avnnet", "torch", "monai", "pytorch-lightning", "SimpleITK", "numpy", "scipy", "pandas"]


@dataclass(frozen=True)
class Study:
    """What is to be done.

    Args:
        cohort: path of the cohort's CSV.
        nets: config files; a file's stem names the network in all tables.
        out: folder of the study; a second call goes on where the first stopped.
        folds: of the cross-validation.
        seed: of the folds.
        only_fold: do this fold alone.
        overrides: further `--key=value` of all configs.
        command: the words typed, for the report.
    """

    cohort: Path
    nets: Sequence[Path]
    out: Path
    folds: int = 5
    seed: int = 1
    only_fold: int | None = None
    overrides: Sequence[str] = ()
    command: str = ""

    @property
    def names(self) -> list[str]:
        """The networks' names: their configs' stems."""
        return [Path(net).stem for net in self.nets]

    def fold_folder(self, fold: int) -> Path:
        """Where a fold's runs and tables are."""
        return self.out / f"fold{fold}"

    def experiment(self, net: Path, fold: int) -> Experiment:
        """The parsed config of a network for a fold.

        Raises:
            MissingFile, InvalidConfig: if the config cannot be used.
        """
        data = {
            "cohort": self.cohort,
            "fold": fold,
            "folds": self.folds,
            "split_seed": self.seed,
            "splits": self.out / "splits.json",
            "cache": self.out / "cache",
        }
        words = [*(f"--data.{key}={value}" for key, value in data.items()), *self.overrides]
        precision = recorded_precision(self.fold_folder(fold) / net.stem)
        return load_experiment([net], [*words, f"--trainer.precision={precision}"] if precision else words)


def run_study(study: Study, reporter: Reporter) -> int:
    """The number of cases that failed in prediction; tables and `report.html` are in the study's folder.

    Args:
        study: what is to be done.
        reporter: told what is being done.

    Raises:
        AvnnetError: before any training, if a config, the cohort or the folds cannot be used.
    """
    cohort = read_cohort(study.cohort)
    chosen = list(range(study.folds)) if study.only_fold is None else [study.only_fold]
    if not 0 <= min(chosen) <= max(chosen) < study.folds:
        raise InvalidConfig(f"--only-fold must be 0 to {study.folds - 1}; found {study.only_fold}")
    first = [study.experiment(net, chosen[0]) for net in study.nets]
    scheme = _one_scheme(study, first)
    with reporter.steps("checking the cohort", len(cohort)) as step:
        check_cohort(cohort, scheme, on_progress=lambda done, _: step(done))
    held_out = stored_folds(study.out / "splits.json", cohort, study.folds, seed=study.seed)
    record = _record(study, cohort, scheme, first)
    _write_record(study.out, record)
    for fold in chosen:
        _run_fold(study, cohort, scheme, held_out[fold], fold, reporter)
        _write_model(study, scheme)
    tables = _collect(study)
    _write_figures(study, cohort, scheme, tables["agreement"])
    record["finished"] = datetime.now(UTC).isoformat(timespec="seconds")
    _write_record(study.out, record)
    write_report(study.out)
    measurements = tables["measurements"]
    return int(measurements.loc[measurements["error"] != "", "case_id"].nunique())


def _one_scheme(study: Study, experiments: list[Experiment]) -> LabelScheme:
    names = study.names
    if len(set(names)) != len(names) or {ENSEMBLE, "manual"} & set(names):
        raise InvalidConfig(f"the configs' file names name the networks and must differ; found {names}")
    schemes = [experiment.datamodule.labels for experiment in experiments]
    if any(scheme != schemes[0] for scheme in schemes):
        raise InvalidConfig(f"all configs of a study need the same data.labels; found {schemes}")
    for name, experiment in zip(names, experiments, strict=True):
        if experiment.model.net.classes != schemes[0].classes:
            raise InvalidConfig(
                f"{name}: the network has {experiment.model.net.classes} classes, data.labels {schemes[0].classes} "
                "with the background; set model.net.init_args.classes"
            )
    return schemes[0]


def _run_fold(
    study: Study, cohort: Cohort, scheme: LabelScheme, held_out: list[str], fold: int, reporter: Reporter
) -> None:
    folder = study.fold_folder(fold)
    place = f"fold {fold + 1} of {study.folds}"
    if _is_done(folder):
        reporter.say(f"{place}: done before")
        return
    members: list[Member] = []
    precision = "32-true"
    for net, name in zip(study.nets, study.names, strict=True):
        run = folder / name
        if not (run / "model" / "model.json").exists():
            experiment = study.experiment(net, fold)
            experiment.datamodule.is_checked = True
            experiment.datamodule.reporter = reporter
            epochs = experiment.trainer.max_epochs or 0
            with reporter.steps(f"{place}, training {name}", epochs) as step:
                train(experiment, run, name=name, on_epoch=step)
        members += load_model(run / "model").members
        precision = recorded_precision(run) or precision
    tables = predict_held_out(
        cohort,
        cohort.subset(held_out),
        members,
        scheme,
        study.out / "masks",
        precision=precision,
        reporter=reporter,
        title=f"{place}, predicting held-out cases",
    )
    if tables.agreement.empty:
        first_error = tables.measurements["error"].iloc[0]
        raise StatisticsError(
            f"{place}: none of {len(held_out)} held-out cases could be segmented; the first: {first_error}"
        )
    write_table(tables.measurements.assign(fold=fold), folder / "measurements.csv")
    write_table(tables.agreement.assign(fold=fold), folder / "agreement.csv")  # last: it says the fold is done


def _is_done(folder: Path) -> bool:
    # cases that failed are tried again: the fault may have been mended since
    if not (folder / "agreement.csv").exists():
        return False
    return bool((read_table(folder / "measurements.csv")["error"] == "").all())


def _write_model(study: Study, scheme: LabelScheme) -> None:
    folders = [study.fold_folder(fold) / name / "model" for fold in range(study.folds) for name in study.names]
    members = [m for folder in folders if (folder / "model.json").exists() for m in load_model(folder).members]
    save_model(Segmenter(members, scheme), study.out / "model")


def _collect(study: Study) -> dict[str, pd.DataFrame]:
    tables = {}
    for name in ("measurements", "agreement"):
        paths = [study.fold_folder(fold) / f"{name}.csv" for fold in range(study.folds)]
        parts = [read_table(path) for path in paths if path.exists()]
        tables[name] = pd.concat(parts, ignore_index=True)
        write_table(tables[name], study.out / f"{name}.csv")
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
            "manual": read_labels(cases[case_id].label, scheme),
            "automatic": read_labels(study.out / "masks" / ENSEMBLE / f"{case_id}.nii.gz", scheme),
        }
        dice = rows.iloc[position]["dice"]
        name = f"{word} case, {case_id}, Dice {scheme.part} {dice:.2f}.png"
        for old in (study.out / "figures").glob(f"{word} case*.png"):
            old.unlink()
        save_png(overlay(image, contours), study.out / "figures" / name)


def _record(study: Study, cohort: Cohort, scheme: LabelScheme, experiments: list[Experiment]) -> dict[str, Any]:
    with_centre = sum(case.centre_mm is not None for case in cohort)
    crops = [experiment.datamodule.crop for experiment in experiments]
    centre = "no crop: the whole image is segmented"
    if any(crop is not None for crop in crops):
        centre = f"cohort columns centre_*_mm for {with_centre} of {len(cohort)} cases; a sliding window for the others"
    source = cohort.table["source"].astype(str) if "source" in cohort.table.columns else pd.Series(dtype=str)
    return {
        "title": f"{study.folds}-fold cross-validation of {', '.join(study.names)} and their ensemble",
        "command": study.command,
        "cohort": str(study.cohort),
        "digital": bool((source == "digital hip").any()),
        "scheme": {"names": scheme.names, "part": scheme.part, "whole": scheme.whole},
        "networks": study.names,
        "folds": study.folds,
        "only_fold": study.only_fold,
        "seed": study.seed,
        "centre": centre,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in VERSIONS}},
        "settings": {
            name: {
                "precision": experiment.trainer.precision_choice.record(),
                "config": experiment.as_text(),
            }
            for name, experiment in zip(study.names, experiments, strict=True)
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished": "",
    }


def _write_record(out: Path, record: dict[str, Any]) -> None:
    write_text_atomically(out / "study.json", json.dumps(record, indent=1))
