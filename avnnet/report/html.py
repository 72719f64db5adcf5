"""The report of a study: one HTML file that needs nothing else, runs nothing and prints."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.plots import bland_altman_plot, group_plot, png_bytes, scatter_plot, training_plot
from avnnet.plots.style import words
from avnnet.report import wording
from avnnet.report.tables import StudyTables, read_study, write_tables
from avnnet.stats import best_reader, early_or_advanced
from avnnet.stats.study import MANUAL, STAGE

MAX_FIGURES = 60  # at some 200 kB each, a report stays below what a mail server takes
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
RUN_KEYS = ("command", "cohort", "networks", "folds", "folds_done", "seed", "centre", "started", "finished")


def write_report(folder: str | Path) -> Path:
    """The path of `folder/report.html`, made anew from the study's tables and figures alone.

    Writes the result tables too. The file holds its images, needs no network and forbids scripts by its
    content security policy; text from the cohort is escaped and cut to 64 printable characters. Overlays are
    taken from `folder/figures/*.png`.

    Args:
        folder: a study's output folder with measurements.csv, agreement.csv and study.json.

    Raises:
        MissingFile: if one of the three files is absent.
        UnreadableFile: if one is not CSV or JSON.
        InvalidConfig: if `study.json` names no label scheme.
        StatisticsError: if a table lacks a column, label or reader.
    """
    folder = Path(folder)
    tables = write_tables(folder)
    study = read_study(folder)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("avnnet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("report.html.j2").render(_content(study, tables, folder / "figures"))
    return write_text_atomically(folder / "report.html", page)


def _content(study: StudyTables, tables: dict[str, pd.DataFrame], figures: Path) -> dict[str, Any]:
    """Everything that the template prints."""
    about, scheme = study.about, study.scheme
    automatic, rule = best_reader(study.agreement, scheme)
    overlays = sorted(figures.glob("*.png")) if figures.is_dir() else []
    manual = study.measurements[study.measurements["reader"] == MANUAL]
    side = [] if "side" not in manual.columns else ["side"]
    failed = wording.remarks_printed(study.measurements, "error", "Failed cases")
    return {
        "title": wording.printable(about.get("title") or "Study", 120),
        "digital": about.get("digital") is True,
        "part": scheme.part,
        "whole": scheme.whole,
        "labels": list(scheme.names.values()),
        "n_cases": len(manual.drop_duplicates(["case_id", *side])),
        "n_failed": len({(case, side) for case, side, *_ in failed.rows}),
        "n_patients": manual["patient_id"].nunique(),
        "best": wording.printable(automatic),
        "rule": wording.printable(rule, wording.ERROR_CHARACTERS),
        "held_out": wording.held_out(about),
        "folds": about["folds"] if isinstance(about.get("folds"), int) else None,
        "folds_done": about["folds_done"] if isinstance(about.get("folds_done"), list) else [],
        "results": wording.abstract_printed(tables["abstract"]),
        "tables": [
            wording.dice_printed(tables["dice"]),
            wording.volumes_printed(tables["volumes"]),
            wording.agreement_printed(tables["agreement_statistics"]),
            wording.readers_printed(tables["readers"]),
        ],
        "plots": [{"caption": c, "image": _data_uri(i)} for c, i in _plots(study, automatic)],
        "training": [{"caption": c, "image": _data_uri(i)} for c, i in _training(study)],
        "overlays": [
            {"caption": wording.printable(path.stem), "image": _data_uri(content)}
            for path in overlays[:MAX_FIGURES]
            if (content := path.read_bytes()).startswith(PNG_SIGNATURE)
        ],
        "overlays_left_out": max(len(overlays) - MAX_FIGURES, 0),
        "remarks": [
            failed,
            wording.remarks_printed(study.measurements, "flags", "Flagged cases"),
        ],
        "run": [[key, _run_text(about.get(key))] for key in RUN_KEYS if about.get(key) not in (None, "")],
        "versions": list(wording.settings_rows(about.get("versions") or {})),
        "settings": list(wording.settings_rows(about.get("settings") or {})),
    }


def _run_text(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else value
    return wording.printable(text, wording.ERROR_CHARACTERS)


def _data_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _plots(study: StudyTables, automatic: str) -> Iterable[tuple[str, bytes]]:
    """Captions and PNGs of the figures that the tables give."""
    table, part = study.measurements, study.scheme.part
    for value in (f"{part}_cm3", f"{part}_percent"):
        caption = f"Bland-Altman plot, {words(value)}: bias and limits of agreement with 95 % intervals."
        yield caption, png_bytes(bland_altman_plot(table, value, automatic=automatic))
        caption = f"{words(value)}, {automatic} over manual, with the line of identity."
        yield caption, png_bytes(scatter_plot(table, value, automatic=automatic))
    if STAGE in table.columns and table[STAGE].map(early_or_advanced).notna().any():
        for value in (f"{part}_percent", f"{part}_cm3"):
            caption = f"{words(value)} in early (ARCO I, II) and advanced (ARCO III) stages."
            plot = group_plot(table, value, group=STAGE, readers=(MANUAL, automatic))
            yield caption, png_bytes(plot)


def _training(study: StudyTables) -> Iterable[tuple[str, bytes]]:
    """Captions and PNGs of the curves of the training, if there was one and it was validated."""
    table = pd.DataFrame() if study.training is None else study.training
    for name in study.scheme.names.values():
        if table.get(f"val_dice_{name}", pd.Series(dtype=float)).notna().any():
            caption = (
                f"Validation Dice of {name} over the minutes of the training: a thin line per fold, and their mean."
            )
            yield caption, png_bytes(training_plot(table, name))
