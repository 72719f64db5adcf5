"""`avnnet stats`: every statistic and the report of anybody's table."""

from __future__ import annotations

import argparse

import pandas as pd

from avnnet import __version__
from avnnet.commands.results import print_results
from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.labels import HIP
from avnnet.progress import Reporter
from avnnet.record import StudyRecord
from avnnet.report import read_study, write_report
from avnnet.stats.battery import check_margins, numeric_columns, table_names
from avnnet.stats.pairs import tidy
from avnnet.stats.study import MANUAL
from avnnet.tables import read_table, write_table


def stats(args: argparse.Namespace, *, command: str) -> int:
    """0, after tables, charts and report of a measurements table are written.

    Raises:
        MissingFile, UnreadableFile: if a table cannot be read.
        StatisticsError: if it lacks a column or a reader.
        InvalidConfig: if the words do not fit together.
    """
    reporter = Reporter()
    measurements = read_table(args.measurements)
    if measurements.empty:
        raise StatisticsError(f"{args.measurements.name} has no rows; it needs one per case and reader")
    measurements = _readers(measurements, args.manual)
    tidy(measurements)  # says what is missing before anything is written
    agreement = pd.DataFrame() if args.agreement is None else read_table(args.agreement)
    values = args.value or _usual(measurements)
    check_margins(dict(args.margin), values)
    is_of_hips = len(agreement) and set(HIP.structures) <= set(agreement.get("label", []))
    record = StudyRecord(
        title=args.title or f"Statistics of {args.measurements.name}",
        command=command,
        values=tuple(values),
        margins=dict(args.margin),
        automatic=args.automatic or "",
        draws=args.draws,
        versions={"avnnet": __version__},
        scheme=HIP if is_of_hips else None,
    )
    write_table(measurements, args.out / "measurements.csv")
    if len(agreement):
        write_table(agreement, args.out / "agreement.csv")
    record.write(args.out)
    study = read_study(args.out)
    names = table_names(study.measurements, study.agreement, study.question)
    with reporter.steps("computing", len(names)) as step:
        write_report(args.out, lambda name: step(names.index(name) + 1, name) if name in names else None)
    print_results(args.out, reporter)
    reporter.say("tables/*.csv, figures/*.svg and results.json lie beside it")
    return 0


def _readers(table: pd.DataFrame, manual: str) -> pd.DataFrame:
    """The table with the reference reader under the name "manual"."""
    if manual == MANUAL or "reader" not in table:
        return table
    names = table["reader"].unique().tolist()
    if manual not in names:
        raise StatisticsError(f"no reader {manual!r} in the table; it has {names}. Choose one with --manual")
    if MANUAL in names:
        raise InvalidConfig(f"the table has a reader {MANUAL!r} already, so that {manual!r} cannot take its place")
    return table.assign(reader=table["reader"].replace(manual, MANUAL))


def _usual(measurements: pd.DataFrame) -> list[str]:
    """The volumes of a hip, where the table has them."""
    usual = [name for name in HIP.volume_columns if name in measurements]
    if not usual:
        found = [name for name in numeric_columns(measurements) if name not in ("patient_id", "case_id")]
        raise StatisticsError(f"which column is to be compared? Name it with --value; columns of numbers: {found}")
    return usual
