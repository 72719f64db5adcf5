"""`avnnet phantom`: makes digital hips, and pictures of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.choice import FileFormat, Plane, SignalMode, Size
from avnnet.cli.words import Commands, choices, output_folder, whole_number
from avnnet.progress import Reporter

MIXED = "mixed"


def add(commands: Commands) -> None:
    """Adds `phantom` to the commands, and to it `cohort` and `gallery`."""
    phantom = commands.add_parser(
        "phantom",
        help="make digital hips with known truth: a cohort, or a gallery to look at",
        description="Digital hips: MRI of random hips with necrosis, made from anatomy and physics, with exact truth.",
    )
    whats = phantom.add_subparsers(dest="what", required=True, metavar="WHAT")
    cohort = whats.add_parser(
        "cohort",
        help="a folder of images and masks with cohort.csv and truth.csv",
        description="Writes images, masks, a second reader's masks, cohort.csv and truth.csv of digital hips, composed "
        "like the abstract's patients. Its head centres are the true ones with 2 mm of noise, as a click by hand.",
    )
    cohort.set_defaults(run=run)
    cohort.add_argument("out", type=output_folder, metavar="OUT", help="folder to make; it must not exist, or be empty")
    cohort.add_argument("--patients", type=whole_number, default=34, help="how many (default 34)")
    cohort.add_argument("--seed", type=whole_number, default=1, help="another seed, other patients (default 1)")
    cohort.add_argument(
        "--sequence",
        choices=[MIXED, *choices(SignalMode)],
        default=str(SignalMode.VIBE),
        help="vibe: T1 VIBE; -we water excitation, -fs fat suppression, -gd gadolinium in the joint; dixon: four "
        "channels; pd-tse: coronal PD-weighted slices; random: random contrasts; mixed: VIBEs by turn (default vibe)",
    )
    _add_size(cohort)
    cohort.add_argument(
        "--plane",
        choices=choices(Plane),
        help="of the slices (default: along the neck; axial with both hips; coronal for pd-tse)",
    )
    cohort.add_argument("--both-hips", action="store_true", help="one scan of both hips instead of one hip")
    cohort.add_argument(
        "--other-hip-every",
        type=whole_number,
        default=3,
        metavar="N",
        help="scan the other hip too of every N-th patient, a case on top marked index_hip no; 0 for none (default 3)",
    )
    cohort.add_argument(
        "--format", choices=choices(FileFormat), default=str(FileFormat.NIFTI), help="of the images (default nifti)"
    )
    gallery = whats.add_parser(
        "gallery",
        help="pictures of hips of every stage and every sequence",
        description="Writes stages.png and sequences.png: mid-coronal, mid-sagittal and native planes through the head "
        "centre, plain and with the labels drawn on.",
    )
    gallery.set_defaults(run=draw)
    gallery.add_argument("out", type=output_folder, metavar="OUT", help="folder of the pictures")
    gallery.add_argument("--seed", type=whole_number, default=1, help="another seed, other hips (default 1)")
    _add_size(gallery)


def _add_size(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--size",
        choices=choices(Size),
        default=str(Size.FULL),
        help="full: 104 x 384 x 384 voxels of 1 x 0.44 x 0.44 mm; laptop: 64 x 192 x 192 (default full)",
    )


def run(args: argparse.Namespace) -> int:
    """0; writes a cohort of digital hips.

    Raises:
        InvalidConfig: if no such hips can be made.
        OutputNotWritable: if the folder holds something already.
    """
    from avnnet.phantom import CohortPlan, usual, write_cohort

    out: Path = args.out
    patients: int = args.patients
    seed: int = args.seed
    mode = None if args.sequence == MIXED else SignalMode(args.sequence)
    plane = Plane(args.plane) if args.plane else None
    both_hips: bool = args.both_hips
    other_hip_every: int = args.other_hip_every
    plan = CohortPlan(
        patients=patients,
        seed=seed,
        mode=mode,
        acquisition=usual(Size(args.size), plane=plane, both_hips=both_hips, is_2d=mode is SignalMode.PD_TSE),
        other_hip_every=other_hip_every,
        file_format=FileFormat(args.format),
    )
    reporter = Reporter()
    with reporter.steps("making digital hips", plan.patients) as step:
        path = write_cohort(plan, out, on_progress=lambda done, _: step(done))
    reporter.say(f"cohort: {path}")
    return 0


def draw(args: argparse.Namespace) -> int:
    """0; writes the gallery's pictures."""
    from avnnet.plots.gallery import write_gallery

    out: Path = args.out
    seed: int = args.seed
    reporter = Reporter()
    with reporter.steps("making pictures", 2) as step:
        for done, path in enumerate(write_gallery(out, seed=seed, size=Size(args.size)), start=1):
            step(done, path.name)
    reporter.say(f"pictures: {out}")
    return 0
