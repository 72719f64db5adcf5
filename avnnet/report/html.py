"""The report of a study: one HTML file that needs nothing else, runs nothing and prints."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.columns import IGNORED_VOLUME
from avnnet.report import wording
from avnnet.report.checklist import checklist
from avnnet.report.figures import charts, sizes, training_charts
from avnnet.report.flow import flow_printed
from avnnet.report.methods import methods_paragraphs
from avnnet.report.statistics_words import statistics_printed
from avnnet.report.study_words import (
    agreement_printed,
    cleaning_printed,
    dice_printed,
    fast_printed,
    locator_printed,
    readers_printed,
    study_printed,
    volumes_printed,
)
from avnnet.report.tables import STUDY_TABLE, StudyTables, read_study, save_tables
from avnnet.report.template import rendered
from avnnet.stats import early_or_advanced
from avnnet.stats.study import STAGE

MAX_FIGURES = 60  # at some 200 kB each, a report stays below what a mail server takes
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def write_report(folder: str | Path, done: Callable[[str], None] = lambda _: None) -> Path:
    """The path of `folder/report.html`, made anew from the study's tables and figures alone.

    Writes the result tables, `results.json` and the charts (`figures/*.svg`) too. The file holds its images, needs no
    network and forbids scripts by its content security policy; text from the cohort is escaped and cut to 64 printable
    characters. Overlays are taken from `folder/figures/*.png`.

    Args:
        folder: a study's output folder with measurements.csv, agreement.csv and study.json.
        done: told the name of each table and chart.

    Raises:
        MissingFile: if one of the three files is absent.
        UnreadableFile: if one is not CSV, or no record of a study.
        InvalidConfig: if `study.json` names no label scheme.
        StatisticsError: if a table lacks a column, label or reader.
    """
    folder = Path(folder)
    study = read_study(folder)
    tables = save_tables(study, folder, done)
    drawn = {name: (caption, svg) for name, caption, svg in charts(study)}
    for name, (_, svg) in drawn.items():
        write_text_atomically(folder / "figures" / f"{name}.svg", svg.decode("utf-8"))
        done(name)
    page = rendered("report.html.j2", _content(study, tables, list(drawn.values()), folder / "figures"))
    return write_text_atomically(folder / "report.html", page)


def _content(
    study: StudyTables, tables: dict[str, pd.DataFrame], drawn: list[tuple[str, bytes]], figures: Path
) -> dict[str, Any]:
    """Everything that the template prints."""
    record, scheme, question = study.record, study.scheme, study.question
    (automatic, rule), cases = study.automatic, study.cases()
    overlays = sorted(figures.glob("*.png")) if figures.is_dir() else []
    failed = wording.remarks_printed(study.measurements, "error", "Failed cases")
    n_failed = len({(case, side) for case, side, *_ in failed.rows})
    has_stages = STAGE in study.measurements and any(map(early_or_advanced, study.measurements[STAGE]))
    labels = [*scheme.names.values()] if scheme else []
    part, whole = (scheme.part, scheme.whole) if scheme else ("", "")
    each = [volumes_printed(tables["volumes"]), agreement_printed(tables["agreement_statistics"])]
    if "dice" in tables:
        networks = [readers_printed(tables["readers"])] if "readers" in tables else []
        each = [dice_printed(tables["dice"]), *networks, *each]
    if "locator" in tables:
        each.append(locator_printed(tables["locator"]))
    if "cleaning" in tables:
        each.append(cleaning_printed(tables["cleaning"]))
    if "fast" in tables:
        each.append(fast_printed(tables["fast"]))
    return {
        "title": wording.printable(record.title or "Study", 120),
        "digital": record.digital,
        "part": part,
        "whole": whole,
        "labels": labels,
        "quantities": [wording.printable(value) for value in study.values],
        "n_cases": len(cases),
        "n_failed": n_failed,
        "n_patients": cases["patient_id"].nunique(),
        "best": wording.printable(automatic),
        "rule": wording.printable(rule, wording.ERROR_CHARACTERS),
        "held_out": wording.held_out(record),
        "folds": record.folds,
        "folds_done": record.folds_done,
        "flow": flow_printed(study.measurements, question),
        "results": study_printed(tables[STUDY_TABLE]) if STUDY_TABLE in tables else None,
        "sections": [("Each network", each), *statistics_printed(tables, sizes(study), question.automatic, labels)],
        "plots": [{"caption": caption, "image": data_uri(svg, "svg+xml")} for caption, svg in drawn],
        "training": [{"caption": c, "image": data_uri(i, "svg+xml")} for c, i in training_charts(study)],
        "overlays": [
            {"caption": wording.printable(path.stem), "image": data_uri(content, "png")}
            for path in overlays[:MAX_FIGURES]
            if (content := path.read_bytes()).startswith(PNG_SIGNATURE)
        ],
        "overlays_left_out": max(len(overlays) - MAX_FIGURES, 0),
        "remarks": [failed, wording.remarks_printed(study.measurements, "flags", "Flagged cases")],
        "methods": methods_paragraphs(
            record, part=part, whole=whole, draws=question.draws, has_ignored=IGNORED_VOLUME in study.measurements
        ),
        "checklist": checklist(
            record, has_stages=has_stages, has_second_reader=bool(question.humans), n_failed=n_failed
        ),
        "run": wording.run_rows(record),
        "versions": list(wording.settings_rows(record.versions)),
        "settings": list(
            wording.settings_rows({**{n: asdict(o) for n, o in record.training.items()}, **record.settings})
        ),
    }


def data_uri(image: bytes, kind: str) -> str:
    """An image as an address that holds it.

    Args:
        image: the file's content.
        kind: "png" or "svg+xml".

    Examples:
        >>> data_uri(b"<svg/>", "svg+xml")
        'data:image/svg+xml;base64,PHN2Zy8+'
    """
    return f"data:image/{kind};base64," + base64.b64encode(image).decode("ascii")
