"""`avnnet stats`: every statistic and the report, from any CSV of measurements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet import __version__
from avnnet.cli.words import Commands, add_margin, add_out, whole_number
from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.labels import HIP
from avnnet.progress import Reporter

if TYPE_CHECKING:
    import pandas as pd


def add(commands: Commands) -> None:
    """Adds `stats` to the commands."""
    stats = commands.add_parser(
        "stats",
        help="every statistic of a table of measurements, and its report: no image, no network needed",
        description="Compares the readers of a long table: one row per case and reader, with the columns patient_id, "
        "case_id, reader (side and arco_stage if known) and quantities. Bland-Altman, ICC, CCC, regression, "
        "equivalence, grades, groups, clustered intervals; with a table of Dice per case also the segmentation. Writes "
        "tables/*.csv, figures/*.svg, results.json and report.html. Readers whose names begin with manual are human.",
        epilog="""examples:
  avnnet stats runs/study/measurements.csv --agreement runs/study/agreement.csv --out runs/statistics
  avnnet stats volumes.csv --value volume_ml --manual reader_A --automatic nnunet --margin volume_ml=2 --out runs/stats
""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    stats.set_defaults(run=run)
    stats.add_argument("measurements", type=Path, help="CSV, one row per case and reader")
    add_out(stats, "folder of tables, figures and report")
    stats.add_argument(
        "--agreement", type=Path, metavar="CSV", help="one row per case, reader and label with dice and outcome"
    )
    stats.add_argument("--value", nargs="+", metavar="COLUMN", help="what to compare (default: the volumes of a hip)")
    stats.add_argument("--manual", default="manual", metavar="READER", help="the reference reader (default manual)")
    stats.add_argument(
        "--automatic",
        metavar="READER",
        help="the network in question (default: the only one, or that of the best Dice)",
    )
    add_margin(stats)
    stats.add_argument("--draws", type=whole_number, default=10_000, help="of the bootstrap (default 10000)")
    stats.add_argument("--title", help="of the report")


def run(args: argparse.Namespace) -> int:
    """0; writes tables, charts and report of a measurements table.

    Raises:
        MissingFile, UnreadableFile: if a table cannot be read.
        StatisticsError: if it lacks a column or a reader.
        InvalidConfig: if the words do not fit together.
    """
    import pandas as pd

    from avnnet.cli.results import print_results
    from avnnet.record import StudyRecord
    from avnnet.report import read_study, write_report
    from avnnet.stats.battery import check_margins, table_names
    from avnnet.stats.pairs import tidy
    from avnnet.tables import read_table, write_table

    path: Path = args.measurements
    agreement_path: Path | None = args.agreement
    out: Path = args.out
    named: list[str] | None = args.value
    margins: dict[str, float] = dict(args.margin)
    reporter = Reporter()
    measurements = read_table(path)
    if measurements.empty:
        raise StatisticsError(f"{path.name} has no rows; it needs one per case and reader")
    measurements = _readers(measurements, args.manual)
    tidy(measurements)  # says what is missing before anything is written
    agreement = pd.DataFrame() if agreement_path is None else read_table(agreement_path)
    values = named or _usual(measurements)
    check_margins(margins, values)
    is_of_hips = len(agreement) and set(HIP.structures) <= set(agreement.get("label", []))
    record = StudyRecord(
        title=args.title or f"Statistics of {path.name}",
        command=args.typed,
        values=tuple(values),
        margins=margins,
        automatic=args.automatic or "",
        draws=args.draws,
        versions={"avnnet": __version__},
        scheme=HIP if is_of_hips else None,
    )
    write_table(measurements, out / "measurements.csv")
    if len(agreement):
        write_table(agreement, out / "agreement.csv")
    record.write(out)
    study = read_study(out)
    names = table_names(study.measurements, study.agreement, study.question)
    with reporter.steps("computing", len(names)) as step:
        write_report(out, lambda name: step(names.index(name) + 1, name) if name in names else None)
    print_results(out, reporter)
    reporter.say("tables/*.csv, figures/*.svg and results.json lie beside it")
    return 0


def _readers(table: pd.DataFrame, manual: str) -> pd.DataFrame:
    """The table with the reference reader under the name "manual"."""
    from avnnet.readers import MANUAL

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
    from avnnet.stats.battery import numeric_columns

    usual = [name for name in HIP.volume_columns if name in measurements]
    if not usual:
        found = [name for name in numeric_columns(measurements) if name not in ("patient_id", "case_id")]
        raise StatisticsError(f"which column is to be compared? Name it with --value; columns of numbers: {found}")
    return usual
