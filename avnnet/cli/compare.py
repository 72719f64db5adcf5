"""`avnnet compare`: holds masks from anywhere against manual ones."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.cli.words import Commands, add_margin, add_out, add_prefer, names_by_id
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter
from avnnet.readers import AUTOMATIC


def add(commands: Commands) -> None:
    """Adds `compare` to the commands."""
    compare = commands.add_parser(
        "compare",
        help="compare two masks, or two folders of masks from anywhere",
        description="Dice, HD95, ASSD and volumes of automatic against manual masks, matched by file name: masks of "
        "nnU-Net, 3D Slicer or any other program. Exit code 3: some pairs failed, their rows say why.",
    )
    compare.set_defaults(run=run)
    compare.add_argument("manual", type=Path, help="a mask, or a folder of masks")
    compare.add_argument("automatic", type=Path, help="a mask, or a folder of masks")
    add_out(compare, "folder of the tables and the report")
    add_margin(compare)
    compare.add_argument(
        "--labels", type=names_by_id, metavar="1=NAME,2=NAME", help="label ids and names (default 1=vital,2=necrosis)"
    )
    compare.add_argument("--part", default="necrosis", help="the label whose share is given (default necrosis)")
    compare.add_argument("--whole", default="head", help="the name of all labels together (default head)")
    add_prefer(compare)


def run(args: argparse.Namespace) -> int:
    """The number of pairs that could not be compared.

    Raises:
        MissingFile, InvalidCohort: if the masks cannot be paired.
        StatisticsError: if no pair could be compared.
    """
    from avnnet.cases.compare import compare_masks, pair_masks
    from avnnet.cli.results import write_results
    from avnnet.record import StudyRecord
    from avnnet.stats.battery import check_margins

    manual: Path = args.manual
    automatic: Path = args.automatic
    out: Path = args.out
    names: dict[int, str] | None = args.labels
    margins: dict[str, float] = dict(args.margin)
    prefer: str | None = args.prefer
    reporter = Reporter()
    scheme = HIP if names is None else LabelScheme(names, part=args.part, whole=args.whole)
    check_margins(margins, scheme.volume_columns)
    pairs = pair_masks(manual, automatic)
    tables = compare_masks(pairs, scheme, reporter, prefer=prefer)
    record = StudyRecord(
        title="Two sets of masks",
        cohort=f"{manual} against {automatic}",
        networks=(AUTOMATIC,),
        margins=margins,
        scheme=scheme,
    )
    return write_results(*tables, out, record, reporter)
