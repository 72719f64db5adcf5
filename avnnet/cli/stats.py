"""`avnnet stats`: every statistic and the report, from any CSV of measurements."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet import __version__
from avnnet.choice import Decimal
from avnnet.cli.words import Commands, add_margin, add_out, choices, whole_number
from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.labels import HIP
from avnnet.progress import Reporter
from avnnet.readers import MANUAL

if TYPE_CHECKING:
    import pandas as pd

    from avnnet.tables import Sheet


def add(commands: Commands) -> None:
    """Adds `stats` to the commands."""
    stats = commands.add_parser(
        "stats",
        help="every statistic of a table of measurements, and its report: no image, no network needed",
        description="Compares the readers of a long table: one row per case and reader, with the columns patient_id, "
        "case_id, reader (side and arco_stage if known) and quantities. Bland-Altman, ICC, CCC, regression, "
        "equivalence, grades, groups, clustered intervals; with a table of Dice per case also the segmentation. Writes "
        "tables/*.csv, figures/*.svg, results.json and report.html. Readers whose names begin with manual are human. "
        "Or of a wide table: one row per case, and the columns that --manual-column and --automatic-column name. "
        "Semicolons, tabs, decimal commas, UTF-16 and byte-order marks of a spreadsheet are understood.",
        epilog="""examples:
  avnnet stats runs/study/measurements.csv --agreement runs/study/agreement.csv --out runs/statistics
  avnnet stats volumes.csv --value volume_ml --manual reader_A --automatic nnunet --margin volume_ml=2 --out runs/stats
  avnnet stats results.csv --manual-column "manual (cm³)" --automatic-column "auto (cm³)" --patient-column Patient \\
    --out runs/stats
""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    stats.set_defaults(run=run)
    stats.add_argument("measurements", type=Path, help="CSV, one row per case and reader, or a wide one")
    add_out(stats, "folder of tables, figures and report")
    stats.add_argument(
        "--agreement", type=Path, metavar="CSV", help="one row per case, reader and label with dice and outcome"
    )
    stats.add_argument("--value", nargs="+", metavar="COLUMN", help="what to compare (default: the volumes of a hip)")
    stats.add_argument("--manual", default=MANUAL, metavar="READER", help="the reference reader (default manual)")
    stats.add_argument(
        "--automatic",
        metavar="READER",
        help="the network in question (default: the only one, or that of the best Dice)",
    )
    wide = stats.add_argument_group("wide tables, one row per case")
    wide.add_argument("--manual-column", metavar="COLUMN", help="the values of the reference reader")
    wide.add_argument("--automatic-column", metavar="COLUMN", help="the values that are held against them")
    wide.add_argument(
        "--patient-column",
        metavar="COLUMN",
        help="whose hip it is (default patient_id if there is one; else each row is a patient of its own)",
    )
    stats.add_argument(
        "--decimal",
        choices=choices(Decimal),
        help="the decimal sign, where the table does not show it: 1,234 may be a thousand or one",
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
    from avnnet.tables import read_sheet, write_table

    path: Path = args.measurements
    agreement_path: Path | None = args.agreement
    out: Path = args.out
    margins: dict[str, float] = dict(args.margin)
    decimal = Decimal(args.decimal) if args.decimal else None
    reporter = Reporter()
    _check_words(args)
    if args.manual_column:
        measurements, values, sheet = _wide(args, decimal, reporter)
    else:
        measurements, values, sheet = _long(args, decimal, reporter)
    tidy(measurements)  # says what is missing before anything is written
    agreement = pd.DataFrame()
    if agreement_path is not None:
        agreed = read_sheet(agreement_path, decimal=decimal)
        reporter.say(f"{agreement_path.name}: {agreed}")
        agreed.check_numbers(agreed.unclear)
        agreement = agreed.table
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
        settings={} if sheet.is_plain else {"table": f"{path.name}: {sheet}"},
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


def _check_words(args: argparse.Namespace) -> None:
    """Refuses words of long and of wide tables beside each other."""
    if bool(args.manual_column) != bool(args.automatic_column) or (args.patient_column and not args.manual_column):
        raise InvalidConfig(
            "a wide table, one row per case, needs both --manual-column and --automatic-column; "
            f"found {args.manual_column!r} and {args.automatic_column!r}"
        )
    if not args.manual_column:
        return
    given = {"--manual": args.manual != MANUAL, "--automatic": args.automatic, "--agreement": args.agreement}
    refused = [word for word, value in given.items() if value]
    if refused:
        raise InvalidConfig(
            f"{' and '.join(refused)} belong to a table with one row per case and reader; leave them out"
        )
    if len(args.value or []) > 1:
        raise InvalidConfig(f"two columns are of one quantity; --value can give it one name, found {args.value}")


def _long(
    args: argparse.Namespace, decimal: Decimal | None, reporter: Reporter
) -> tuple[pd.DataFrame, list[str], Sheet]:
    """A table with one row per case and reader, the quantities to compare, and how it was written."""
    from avnnet.tables import read_sheet

    path: Path = args.measurements
    sheet = read_sheet(path, decimal=decimal)
    reporter.say(f"{path.name}: {sheet}")
    if sheet.table.empty:
        raise StatisticsError(f"{path.name} has no rows; it needs one per case and reader")
    if "reader" not in sheet.table:
        raise StatisticsError(
            f"the table has no column 'reader'; it has {list(sheet.table.columns)}. If it has one row per case, name "
            "two columns of numbers with --manual-column and --automatic-column"
        )
    table = _readers(sheet.table, args.manual)
    values = args.value or _usual(table)
    sheet.check_numbers(values)
    return table, values, sheet


def _wide(
    args: argparse.Namespace, decimal: Decimal | None, reporter: Reporter
) -> tuple[pd.DataFrame, list[str], Sheet]:
    """The same of a table with one row per case."""
    from avnnet.stats.wide import check_apart, column_called, long_of_wide, quantity_name
    from avnnet.tables import read_sheet

    path: Path = args.measurements
    names = list(read_sheet(path).table.columns)
    manual, automatic = (column_called(name, names) for name in (args.manual_column, args.automatic_column))
    patient = column_called(args.patient_column, names) if args.patient_column else ""
    sheet = read_sheet(path, text=[patient] if patient else [], decimal=decimal)
    reporter.say(f"{path.name}: {sheet}")
    if sheet.table.empty:
        raise StatisticsError(f"{path.name} has no rows; it needs one per case")
    value = args.value[0] if args.value else quantity_name(manual, automatic)
    check_apart(manual, automatic, patient)
    sheet.check_numbers([manual, automatic])
    table = long_of_wide(sheet.table, manual, automatic, patient=patient, value=value)
    whose = patient or ("patient_id" if "patient_id" in names else "")
    n_patients = table["patient_id"].nunique()
    reporter.say(
        f"{value}: {manual!r} as the manual reader, {automatic!r} as the automatic one; {len(sheet.table)} cases of "
        + (f"{n_patients} patients by {whose!r}" if whose else "as many patients (name them with --patient-column)")
    )
    return table, [value], sheet


def _readers(table: pd.DataFrame, manual: str) -> pd.DataFrame:
    """The table with the reference reader under the name "manual"."""
    if manual == MANUAL:
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
