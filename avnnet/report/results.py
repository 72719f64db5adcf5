"""`results.json`: every result table for other programs, with its schema beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.record import StudyRecord
from avnnet.stats import Question

SCHEMA_VERSION = 1
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "avnnet results",
    "type": "object",
    "required": ["schema_version", "about", "question", "tables"],
    "properties": {
        "schema_version": {"const": SCHEMA_VERSION},
        "about": {"type": "object", "description": "title, versions and times, from study.json"},
        "question": {
            "type": "object",
            "required": ["values", "manual", "automatic", "humans", "draws", "margins"],
            "properties": {
                "values": {"type": "array", "items": {"type": "string"}},
                "manual": {"type": "string"},
                "automatic": {"type": "string"},
                "humans": {"type": "array", "items": {"type": "string"}},
                "draws": {"type": "integer", "minimum": 1},
                "margins": {"type": "object", "additionalProperties": {"type": "number"}},
            },
        },
        "tables": {
            "type": "object",
            "description": "name of a table to its rows; columns as in tables/NAME.csv. NaN is null, infinity a word",
            "additionalProperties": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
                },
            },
        },
    },
}


def write_results(folder: Path, about: StudyRecord, question: Question, tables: dict[str, pd.DataFrame]) -> Path:
    """The path of `results.json`, written with `results.schema.json` (JSON Schema, draft 2020-12) beside it.

    Args:
        folder: where.
        about: what is known of the study.
        question: what was compared with what.
        tables: the result tables by name.
    """
    told = {
        "title": about.title,
        "digital": about.digital,
        "networks": list(about.networks),
        "folds": about.folds,
        "folds_done": list(about.folds_done),
        "versions": dict(about.versions),
        "started": about.started,
        "finished": about.finished,
    }
    results = {
        "schema_version": SCHEMA_VERSION,
        "about": {key: value for key, value in told.items() if value not in (None, "", [], {})},
        "question": {
            "values": list(question.values),
            "manual": question.manual,
            "automatic": question.automatic,
            "humans": list(question.humans),
            "draws": question.draws,
            "margins": dict(question.margins),
        },
        "tables": {name: plain_rows(table) for name, table in tables.items()},
    }
    write_text_atomically(folder / "results.schema.json", json.dumps(SCHEMA, indent=1))
    return write_text_atomically(folder / "results.json", json.dumps(results, indent=1, allow_nan=False))


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as JSON can hold them: JSON knows neither NaN nor infinity.

    Args:
        table: of text and numbers.

    Examples:
        >>> plain_rows(pd.DataFrame({"dice": [0.5, math.nan], "hd95_mm": [1.5, math.inf]}))
        [{'dice': 0.5, 'hd95_mm': 1.5}, {'dice': None, 'hd95_mm': 'Infinity'}]
    """
    return [{str(name): _cell(value) for name, value in row.items()} for row in table.to_dict("records")]


def _cell(value: Any) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, float) and math.isinf(plain):
        return "Infinity" if plain > 0 else "-Infinity"
    return plain if isinstance(plain, bool | int | float | str) else str(plain)
