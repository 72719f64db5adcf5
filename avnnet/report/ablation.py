"""The tables and the report of an ablation, made from its folder alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.ablation_record import AblationRecord
from avnnet.atomic import write_text_atomically
from avnnet.errors import MissingFile
from avnnet.metrics.catalogue import METRICS
from avnnet.plots import forest_plot, pareto_plot, svg_bytes
from avnnet.report import wording
from avnnet.report.ablation_words import (
    answers,
    changes_printed,
    cost_printed,
    difference_rows,
    differences_printed,
    left_to_do,
    methods,
    warnings_of,
)
from avnnet.report.formats import as_markdown
from avnnet.report.html import data_uri
from avnnet.report.results import plain_rows
from avnnet.report.template import rendered
from avnnet.stats import ablation_table
from avnnet.tables import read_table, write_table

AGREEMENT, TRAINING = "agreement.csv", "training.csv"
MIB = 2**20
SCHEMA_VERSION = 1


@dataclass(frozen=True, eq=False)
class AblationTables:
    """The tables of an ablation and what is known of how they came about.

    Args:
        record: how.
        agreement: one row per case, variant, seed and label.
        training: one row per variant, seed, fold and epoch.
    """

    record: AblationRecord
    agreement: pd.DataFrame
    training: pd.DataFrame

    @cached_property
    def done(self) -> AblationRecord:
        """The record without variants and seeds that the tables lack: an ablation that grows writes it before them."""
        seeds, variants = set(self.agreement["seed"]), set(self.agreement["variant"])
        return replace(
            self.record,
            seeds=tuple(seed for seed in self.record.seeds if seed in seeds),
            variants={name: one for name, one in self.record.variants.items() if name in variants},
        )

    @cached_property
    def differences(self) -> pd.DataFrame:
        """Every variant against the base, by label and metric."""
        return ablation_table(
            self.agreement,
            base=self.record.base,
            metrics=[one.name for one in METRICS if one.name in self.agreement],
        )

    @cached_property
    def costs(self) -> pd.DataFrame:
        """What each variant costs, one row each."""
        return pd.DataFrame([self._cost(name) for name in self.done.variants])

    def _cost(self, name: str) -> dict[str, Any]:
        variant, own = self.record.variants[name], self.training[self.training["variant"] == name]
        runs = own.groupby(["seed", "fold"])
        steps = float((runs.size() * runs["steps_per_epoch"].first()).mean())
        return {
            "variant": name,
            "parameters": variant.parameters,
            "forward_gflop": variant.forward_gflop,
            "step_gflop": variant.step_gflop,
            "trainings": len(runs),
            "steps": steps,
            "train_tflop": steps * variant.step_gflop / 1e3,
            "minutes": float(runs["seconds"].last().mean()) / 60,
            "peak_mib": _mib(variant.peak_bytes),
            "before_mib": _mib(variant.before_bytes),
        }


def _mib(count_bytes: int | None) -> float:
    return float("nan") if count_bytes is None else count_bytes / MIB


def read_ablation(folder: str | Path) -> AblationTables:
    """The tables in the folder of an ablation: `ablation.json`, `agreement.csv` and `training.csv`.

    Raises:
        MissingFile: if one of them is absent.
        UnreadableFile: if a table is not CSV.
        InvalidRecord: if the record is damaged, or of a newer avnnet.
    """
    folder = Path(folder)
    record = AblationRecord.read(folder)
    for name in (AGREEMENT, TRAINING):
        if not (folder / name).is_file():
            raise MissingFile(
                f"no {name} in {folder}: the trainings of this ablation are not done; its command goes on"
            )
    return AblationTables(record, read_table(folder / AGREEMENT), read_table(folder / TRAINING))


def write_ablation_report(folder: str | Path, done: Callable[[str], None] = lambda _: None) -> Path:
    """The path of `folder/report.html`, made anew from `ablation.json`, `agreement.csv` and `training.csv` alone.

    Writes `tables/differences.csv`, `tables/costs.csv`, the same as Markdown, `results.json` and the charts
    (`figures/*.svg`) too. The file needs no network and forbids scripts.

    Args:
        folder: an ablation's output folder.
        done: told the name of each table and chart.

    Raises:
        MissingFile, UnreadableFile, StatisticsError: if a table is absent or cannot be used.
    """
    folder = Path(folder)
    tables = read_ablation(folder)
    _save(tables, folder, done)
    drawn = list(_charts(tables))
    for name, _, svg in drawn:
        write_text_atomically(folder / "figures" / f"{name}.svg", svg.decode("utf-8"))
        done(name)
    plots = [{"caption": caption, "image": data_uri(svg, "svg+xml")} for _, caption, svg in drawn]
    page = rendered("ablation.html.j2", _content(tables) | {"plots": plots})
    return write_text_atomically(folder / "report.html", page)


def _save(tables: AblationTables, folder: Path, done: Callable[[str], None]) -> None:
    named = {"differences": tables.differences, "costs": tables.costs}
    for name, table in named.items():
        write_table(table, folder / "tables" / f"{name}.csv")
        done(name)
    costs = cost_printed(tables.costs)
    write_text_atomically(folder / "tables" / "differences.md", as_markdown(*difference_rows(tables.differences)))
    write_text_atomically(folder / "tables" / "costs.md", as_markdown(costs.header, costs.rows))
    record = tables.done
    about = {
        "base": record.base,
        "variants": list(record.variants),
        "seeds": list(record.seeds),
        "folds": record.folds,
        "minutes": record.minutes,
        "digital": record.digital,
        "versions": dict(record.versions),
        "started": record.started,
        "finished": record.finished,
    }
    results = {
        "schema_version": SCHEMA_VERSION,
        "about": {key: value for key, value in about.items() if value not in (None, "", [], {})},
        "tables": {name: plain_rows(table) for name, table in named.items()},
    }
    write_text_atomically(folder / "results.json", json.dumps(results, indent=1, allow_nan=False))


def _charts(tables: AblationTables) -> Any:
    """Names, captions and SVGs."""
    for one in METRICS[:2]:
        if one.name in tables.agreement and len(tables.done.variants) > 1:
            caption = f"{one.printed}: difference of each variant from {tables.record.base}, with its 95 % interval."
            yield f"forest_{one.name}", caption, svg_bytes(forest_plot(tables.differences, metric=one.name))
    for label in tables.record.scheme.names.values():
        caption = f"Dice of {label} over the operations of a prediction; the line joins variants that no other beats."
        yield f"pareto_{label}", caption, svg_bytes(pareto_plot(tables.differences, tables.costs, label))


def _content(tables: AblationTables) -> dict[str, Any]:
    record, agreement = tables.done, tables.agreement
    run = {
        "command": record.command,
        "cohort": record.cohort,
        "base": record.base,
        "seeds": ", ".join(map(str, record.seeds)),
        "folds": f"{record.folds}, made with seed {record.split_seed}",
        "minutes": "" if record.minutes is None else f"{record.minutes:g} for each training",
        "started": record.started,
        "finished": record.finished,
    }
    return {
        "title": wording.printable(f"Ablation of {record.base}", 120),
        "base": wording.printable(record.base),
        "variants": [wording.printable(name) for name in record.variants if name != record.base],
        "digital": record.digital,
        "labels": list(record.scheme.names.values()),
        "n_cases": int(agreement["case_id"].nunique()),
        "n_patients": int(agreement["patient_id"].nunique()),
        "seeds": len(record.seeds),
        "folds": record.folds,
        "warnings": left_to_do(tables.record, record) + warnings_of(tables.differences),
        "answers": answers(tables.differences, record.scheme.part),
        "changes": changes_printed(record),
        "differences": differences_printed(tables.differences),
        "costs": cost_printed(tables.costs),
        "methods": methods(record),
        "run": [[name, wording.printable(value, wording.ERROR_CHARACTERS)] for name, value in run.items() if value],
        "versions": list(wording.settings_rows(record.versions)),
        "settings": list(wording.settings_rows({name: one.config for name, one in record.variants.items()})),
    }
