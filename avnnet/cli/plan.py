"""`avnnet plan`: a config from a cohort."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from avnnet.atomic import check_absent
from avnnet.choice import Budget, Planner
from avnnet.cli.words import Commands, Point, choices, minutes_of_budget, names_by_id, nonempty_path, point
from avnnet.errors import InvalidConfig
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter

if TYPE_CHECKING:
    from avnnet.models.planning.fingerprint import Fingerprint
    from avnnet.models.planning.plan import Plan

ABSTRACTS_CROP_MM = (80.0, 70.4, 70.4)
CPU_MINUTES = 10.0
EPILOG = """examples:
  avnnet plan COHORT.csv                                       # prints the plan and its reasons, writes nothing
  avnnet plan COHORT.csv --crop-mm --out unet3d.yaml           # around the head centres, for a GPU of 8 GB
  avnnet plan COHORT.csv --crop-mm --dims 2 --memory 24 --out unet2d.yaml
  avnnet plan COHORT.csv --budget cpu --minutes 30 --out laptop3d.yaml
  avnnet study COHORT.csv --nets unet2d.yaml unet3d.yaml --out runs/planned

Only headers are read, so it takes seconds. The rules are nnU-Net's (Isensee et al., Nat Methods 2021;18:203). It also
cuts images to what is not zero, which headers do not show: cut off wide black margins before.
"""


def add(commands: Commands) -> None:
    """Adds `plan` to the commands."""
    plan = commands.add_parser(
        "plan",
        help="write a config that fits a cohort: spacing, patch, batch and network by nnU-Net's rules",
        description="Reads the headers of a cohort's images, chooses voxel spacing, patch, batch, stages, strides,\n"
        "kernels and channels by nnU-Net's rules, says why, and writes a config for avnnet fit and avnnet study.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    plan.set_defaults(run=run)
    plan.add_argument("cohort", type=nonempty_path, help="CSV with patient_id, case_id, image, label")
    plan.add_argument(
        "--out", type=nonempty_path, metavar="NET.yaml", help="the config to write; must not be there yet"
    )
    plan.add_argument(
        "--dims", type=int, choices=(2, 3), default=3, help="a network on slices, or on volumes (default 3)"
    )
    plan.add_argument(
        "--crop-mm",
        type=_field_mm,
        nargs="?",
        const=ABSTRACTS_CROP_MM,
        metavar="SLICE,ROW,COLUMN",
        help="plan for a crop around the cohort's head centres, lengths in mm, slice axis first; without numbers that "
        "of the abstract, 80,70.4,70.4",
    )
    plan.add_argument(
        "--memory",
        type=_gigabytes,
        metavar="GB",
        help="memory of the GPU (default: what the planner was made for, 8, 24 or 40)",
    )
    plan.add_argument(
        "--preset",
        choices=choices(Planner),
        default=Planner.DEFAULT,
        help="nnU-Net's planner: a plain U-Net, or residual encoders for GPUs of 8, 24 and 40 GB (default: plain)",
    )
    plan.add_argument(
        "--budget",
        choices=choices(Budget),
        default=Budget.GPU,
        help="cpu: a narrower network on coarser voxels, which two cores train in --minutes (default gpu)",
    )
    plan.add_argument(
        "--minutes",
        type=minutes_of_budget,
        metavar="N",
        help=f"with --budget cpu: how long a training may take (default {CPU_MINUTES:g})",
    )
    plan.add_argument(
        "--labels", type=names_by_id, metavar="1=NAME,2=NAME", help="label ids and names (default 1=vital,2=necrosis)"
    )
    plan.add_argument("--part", default="necrosis", help="the label whose share is given (default necrosis)")
    plan.add_argument("--whole", default="head", help="the name of all labels together (default head)")


def run(args: argparse.Namespace) -> int:
    """0; prints the plan, and writes its config.

    Raises:
        AvnnetError: if the cohort cannot be read or planned for.
        InvalidConfig: if words contradict each other.
        OutputNotWritable: if there is such a file already.
    """
    table: Path = args.cohort
    out: Path | None = args.out
    names: dict[int, str] | None = args.labels
    crop_mm: Point | None = args.crop_mm
    minutes = _minutes(args)
    scheme = HIP if names is None else LabelScheme(names, part=args.part, whole=args.whole)
    _check_out(out)
    from avnnet.data.cohort import read_cohort
    from avnnet.data.survey import survey_of

    reporter = Reporter()
    cohort = read_cohort(table)
    if cohort.read_as:
        reporter.say(cohort.read_as)
    with reporter.steps("reading headers", len(cohort)) as step:
        survey = survey_of(cohort, crop_mm=crop_mm, on_progress=lambda done, _: step(done))
    from avnnet.models.planning.fingerprint import fingerprint_of
    from avnnet.models.planning.reasons import why_spacing

    fingerprint = fingerprint_of(survey.spacings_mm, survey.shapes, channels=cohort.channels, classes=scheme.classes)
    plan = _planned(args, fingerprint, minutes)
    why = [why_spacing(survey.spacings_mm, fingerprint.spacing_mm), *plan.reasons]
    said = [*(f"- {reason}" for reason in why), *(f"! {remark}" for remark in survey.remarks)]
    print("\n".join([*_table(plan, fingerprint), "", *said, ""]))
    if out is None:
        print("nothing is written; --out NET.yaml writes the config")
        return 0
    from avnnet.atomic import write_text_atomically
    from avnnet.training.config.planned import PlannedData, config_text

    budget = "" if minutes is None else f" --minutes {minutes:g}"
    data = PlannedData(str(table), fingerprint, survey.first_axis, scheme, crop_mm)
    heading = [f"Planned from {len(cohort)} cases: {args.typed}", f"avnnet fit -c {out}{budget}", "", *said]
    write_text_atomically(out, config_text(plan, data, heading=heading, minutes=minutes))
    print(f"config: {out}\n  avnnet fit -c {out}{budget}\n  avnnet study {table} --nets {out} --out OUT{budget}")
    return 0


def _planned(args: argparse.Namespace, fingerprint: Fingerprint, minutes: float | None) -> Plan:
    from avnnet.models.planning.cpu import plan_for_cpu
    from avnnet.models.planning.plan import plan_network

    if minutes is not None:
        return plan_for_cpu(fingerprint, ndim=args.dims, minutes=minutes)
    return plan_network(fingerprint, ndim=args.dims, planner=Planner(args.preset), memory_gb=args.memory)


def _minutes(args: argparse.Namespace) -> float | None:
    """The minutes of a plan for two CPU cores, None for a GPU; words that contradict each other are refused."""
    minutes: float | None = args.minutes
    if Budget(args.budget) is Budget.GPU:
        if minutes is not None:
            raise InvalidConfig(
                "--minutes plans for two CPU cores; found it without --budget cpu. For a GPU leave it out, and give it "
                "to avnnet fit or study"
            )
        return None
    if args.memory is not None:
        raise InvalidConfig("--memory is a GPU's; found it with --budget cpu, which goes by --minutes. Leave one out")
    if Planner(args.preset) is not Planner.DEFAULT:
        raise InvalidConfig(f"--preset {args.preset} is for a GPU; found it with --budget cpu. Leave one out")
    return CPU_MINUTES if minutes is None else minutes


def _check_out(out: Path | None) -> None:
    if out is None:
        return
    check_absent(out)
    if out.suffix not in (".yaml", ".yml"):
        raise InvalidConfig(f"a config ends in .yaml, as avnnet fit -c takes it; found --out {out.name}")


def _gigabytes(text: str) -> float:
    try:
        memory = float(text)
    except ValueError:
        memory = math.nan
    if not 0 < memory < math.inf:
        raise argparse.ArgumentTypeError(f"must be the GB of a GPU's memory, such as 8 or 24; found {text!r}")
    return memory


def _field_mm(text: str) -> Point:
    try:
        return point(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"must be three lengths in mm with commas between, slice axis first, such as 80,70.4,70.4; found {text!r}"
        ) from None


def _table(plan: Plan, fingerprint: Fingerprint) -> list[str]:
    from avnnet.models.planning.footprint import step_gflop
    from avnnet.models.planning.rules import by

    rows = {
        "cohort": f"{fingerprint.cases} cases, {fingerprint.channels} channel(s), {fingerprint.classes} classes",
        "median image": f"{by(fingerprint.shape)} voxels at {by(fingerprint.spacing_mm)} mm (slice axis first)",
        "network": f"{'residual-encoder ' if plan.is_residual else ''}U-Net of {plan.ndim} dimensions",
        "spacing": f"{by(plan.spacing_mm)} mm",
        "patch": by(plan.patch),
        "batch": str(plan.batch),
        "channels": ", ".join(map(str, plan.channels)),
        "strides": "; ".join(by(stride) for stride in plan.topology.strides[1:]),
        "kernels": "; ".join(by(kernel) for kernel in plan.topology.kernels),
        "features": f"{plan.size:,} values per patch",
    }
    if not plan.is_residual:
        counts = {"in_channels": fingerprint.channels, "classes": fingerprint.classes}
        rows["step"] = f"{step_gflop(plan.topology, plan.channels, patches=plan.batch, **counts):,.3g} GFLOP"
    return [f"{name:<13} {value}" for name, value in rows.items()]
