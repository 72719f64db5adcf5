"""A study's folder of tables: read, computed and written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.errors import InvalidConfig, MissingFile, UnreadableFile
from avnnet.labels import LabelScheme
from avnnet.stats import (
    abstract_table,
    compare_readers,
    summarise_agreement,
    summarise_volumes,
    volume_agreement,
)
from avnnet.tables import read_table, write_table

TRAINING = "training.csv"


@dataclass(frozen=True, eq=False)
class StudyTables:
    """The two result tables of a study and what is known about how they came about.

    Args:
        measurements: one row per case and reader, with `scheme.volume_columns`.
        agreement: one row per case, reader and label.
        about: the content of `study.json`.
        scheme: the label scheme in it.
        training: loss and validation Dice, one row per network, fold and epoch; None without a training.
    """

    measurements: pd.DataFrame
    agreement: pd.DataFrame
    about: dict[str, Any]
    scheme: LabelScheme
    training: pd.DataFrame | None = None


def read_study(folder: str | Path) -> StudyTables:
    """The tables in a study's folder: `measurements.csv`, `agreement.csv`, `study.json` and, if there, `training.csv`.

    Ids, stages and errors are read as text: patient 007 stays 007.

    Raises:
        MissingFile: if one of the three is absent.
        UnreadableFile: if one is not CSV or JSON.
        InvalidConfig: if `study.json` names no label scheme.
        InvalidScheme: if the scheme contradicts itself.
    """
    folder = Path(folder)
    about = _json(folder / "study.json")
    scheme = about.get("scheme")
    if not isinstance(scheme, dict) or not {"names", "part", "whole"} <= set(scheme):
        raise InvalidConfig(
            f'study.json must hold a "scheme" with names, part and whole; found {scheme!r}. '
            "Run the study again, or write the scheme into the file"
        )
    return StudyTables(
        measurements=read_table(_existing(folder / "measurements.csv")),
        agreement=read_table(_existing(folder / "agreement.csv")),
        about=about,
        scheme=LabelScheme(scheme["names"], part=scheme["part"], whole=scheme["whole"]),
        training=read_table(folder / TRAINING) if (folder / TRAINING).is_file() else None,
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingFile(f"no {path.name} in {path.parent}; give the output folder of a study")
    return path


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_existing(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UnreadableFile(f"{path.name} is not JSON ({error}); run the study again") from error
    if not isinstance(content, dict):
        raise UnreadableFile(f"{path.name} must hold an object; found {type(content).__name__}")
    return content


def compute_tables(study: StudyTables) -> dict[str, pd.DataFrame]:
    """The five result tables by name: abstract, dice, volumes, readers and agreement_statistics.

    Raises:
        StatisticsError: if the study's tables lack a column, label or reader.
    """
    columns = study.scheme.volume_columns
    return {
        "abstract": abstract_table(study.measurements, study.agreement, study.scheme),
        "dice": summarise_agreement(study.agreement),
        "volumes": summarise_volumes(study.measurements, columns),
        "readers": compare_readers(study.agreement),
        "agreement_statistics": volume_agreement(study.measurements, columns),
    }


def write_tables(folder: str | Path) -> dict[str, pd.DataFrame]:
    """The five result tables of a study, by name, once they are written to `folder/tables/<name>.csv`.

    Made from `measurements.csv`, `agreement.csv` and `study.json` alone: no image, no model, no GPU.

    Raises:
        MissingFile: if one of the three files is absent.
        UnreadableFile: if one is not CSV or JSON.
        InvalidConfig: if `study.json` names no label scheme.
        StatisticsError: if a table lacks a column, label or reader.
    """
    tables = compute_tables(read_study(folder))
    for name, table in tables.items():
        write_table(table, Path(folder) / "tables" / f"{name}.csv")
    return tables
