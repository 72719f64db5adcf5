"""What the commands that end in tables write and print."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.errors import StatisticsError
from avnnet.progress import Reporter

if TYPE_CHECKING:
    import pandas as pd

    from avnnet.record import StudyRecord


def print_results(folder: Path, reporter: Reporter) -> int:
    """The number of cases that failed; prints the results table and the path of the report.

    Args:
        folder: of a study, an evaluation or a comparison.
        reporter: told of failed cases, the best network and the report.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from avnnet.report import read_study, results_table
    from avnnet.report.wording import ERROR_CHARACTERS, printable
    from avnnet.stats import best_reader

    header, *rows = results_table(folder)
    table = Table(*header, title="Results")
    for row in rows:
        table.add_row(*map(escape, row))
    console = Console()
    # a log has no width of its own, and a wrapped table cannot be read
    Console(width=console.width if console.is_terminal else 140).print(table)
    study = read_study(folder)
    measurements = study.measurements
    # a table made by hand may know no errors
    failed = 0 if "error" not in measurements else measurements.loc[measurements["error"] != "", "case_id"].nunique()
    if failed:
        reporter.say(f"{failed} cases failed; the column error of measurements.csv says why")
    if study.scheme is not None and len(study.agreement) and study.agreement["reader"].nunique() > 1:
        best, rule = best_reader(study.agreement, study.scheme)
        reporter.say(f"best: {printable(best)}, by the {printable(rule, ERROR_CHARACTERS)}")
    reporter.say(f"report: {(folder / 'report.html').resolve()}")
    return failed


def write_results(
    measurements: pd.DataFrame,
    agreement: pd.DataFrame,
    out: Path,
    record: StudyRecord,
    reporter: Reporter,
) -> int:
    """The number of cases that failed; writes tables, study.json and report, and prints the results.

    Args:
        measurements: case x reader.
        agreement: case x reader x structure.
        out: the folder.
        record: how the tables came about; the time is added.
        reporter: told where the report is.

    Raises:
        StatisticsError: if no case could be compared.
    """
    from avnnet.report import write_report
    from avnnet.tables import write_table

    if agreement.empty:
        raise StatisticsError(f"no case could be compared; the first: {measurements['error'].iloc[0]}")
    write_table(measurements, out / "measurements.csv")
    write_table(agreement, out / "agreement.csv")
    replace(record, finished=datetime.now(UTC).isoformat(timespec="seconds")).write(out)
    write_report(out)
    return print_results(out, reporter)
