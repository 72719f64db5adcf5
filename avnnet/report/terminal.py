"""The results as rows of text, for a terminal or a notebook."""

from __future__ import annotations

from pathlib import Path

from avnnet.report.study_words import agreement_printed, study_rows
from avnnet.report.tables import read_study
from avnnet.stats import study_table, volume_agreement


def results_table(folder: str | Path) -> list[list[str]]:
    """The header and rows of the results: the abstract's, or the agreement of sizes where no masks were compared.

    Args:
        folder: a study's output folder.

    Returns:
        A header and rows of cells. The abstract's are quantity, structure, reader, cases (patients), result, test, p.

    Raises:
        MissingFile: if the folder has no result tables.
        UnreadableFile: if one is not CSV or JSON.
        StatisticsError: if a table lacks a column, label or reader.
    """
    study = read_study(folder)
    if study.scheme is not None and len(study.agreement):
        header, rows = study_rows(study_table(study.measurements, study.agreement, study.scheme))
        return [row[1:-1] for row in [header, *rows]]
    printed = agreement_printed(volume_agreement(study.measurements, study.values))
    return [printed.header, *printed.rows]
