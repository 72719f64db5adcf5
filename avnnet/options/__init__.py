"""The words of the command line and what they mean."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from avnnet.options.tables import add_margin, add_measure, add_prefer, add_stats, existing_word, point, whole_number

SEQUENCES = (
    "vibe", "vibe-gd", "vibe-we", "vibe-we-gd", "vibe-fs", "vibe-fs-gd", "dixon", "pd-tse", "random",
)  # fmt: skip

EPILOG = """
a first study on digital hips:
  avnnet phantom cohort runs/hips --size laptop
  avnnet study runs/hips/cohort.csv --out runs/study \\
    --nets experiments/laptop/unet2d.yaml experiments/laptop/unet3d.yaml
  avnnet predict runs/study/model runs/hips/images/hip-001.nii.gz --centre=30,12,-5 --side right --out runs/masks

research use only: not a medical device.
"""


class _Parser(argparse.ArgumentParser):
    """A parser to which `-95,12,-5` is a word and no option: most centres begin with a minus."""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._negative_number_matcher = re.compile(r"^-\.?\d[\d.,eE+-]*$")


def parser() -> argparse.ArgumentParser:
    """The parser of all commands but `fit`, whose words are Lightning's."""
    root: argparse.ArgumentParser = _Parser(
        prog="avnnet",
        description="Volumetry of femoral head necrosis on 3D hip MRI: segment, measure, compare.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    study = commands.add_parser(
        "study",
        help="cross-validate networks and their ensemble on a cohort, with tables and report",
        description="Trains every network on every fold, predicts the held-out cases, averages the softmax, and "
        "writes masks, measurements.csv, agreement.csv, tables/ and report.html. The same command goes on where "
        "it was stopped. Exit code 3: some cases failed, their rows say why.",
    )
    study.add_argument("cohort", type=Path, help="CSV with patient_id, case_id, image, label (paths relative to it)")
    study.add_argument(
        "--nets",
        type=Path,
        nargs="+",
        required=True,
        metavar="NET.yaml",
        help="a config per network; with an overlay for an ablation: unet3d.yaml+residual.yaml",
    )
    study.add_argument(
        "--locator",
        type=Path,
        metavar="NET.yaml",
        help="a config that finds the heads in the whole image; each fold's held-out cases are then predicted around "
        "the centres that it found too, as the reader ensemble_located, and the model needs no --centre",
    )
    study.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the study")
    add_margin(study)
    study.add_argument("--folds", type=whole_number, default=5, help="number of folds (default 5)")
    study.add_argument("--only-fold", type=whole_number, metavar="K", help="do fold K alone, counted from 0")
    study.add_argument("--seed", type=whole_number, default=1, help="of the folds (default 1)")
    study.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="overrides",
        help="change all configs, for example --set trainer.max_epochs=5; may be repeated",
    )

    commands.add_parser(
        "fit",
        help="train one network on one fold (Lightning CLI)",
        description="Trains one network on one fold.",
        add_help=False,
    )

    predict = commands.add_parser(
        "predict",
        help="segment images with a trained model",
        description="Segments images with the ensemble in a model folder; writes a mask per image, a .json that says "
        "what it was made from, and measurements.csv. The same command goes on where it was stopped. Exit code 3: some "
        "images failed, their rows say why.",
    )
    predict.add_argument("model", type=Path, help="model folder of a study or a fit")
    predict.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=".nii.gz, .nii, .nrrd, .mha or .mhd, a DICOM export (a folder, a tree of folders, or a multi-frame file); "
        "for a model of several channels 'IN.nii.gz;WATER.nii.gz' in quotes",
    )
    predict.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the masks")
    predict.add_argument(
        "--centre",
        type=point,
        metavar="X,Y,Z",
        help="head centre in mm, LPS, such as -95,12,-5; 3D Slicer shows RAS: change the sign of its first two. "
        "Without it the locator finds every head; a model without one slides a window over the image",
    )
    predict.add_argument(
        "--side",
        choices=["left", "right"],
        help="of the hip at --centre, to be given with it: networks see left hips mirrored. Without a centre, only the "
        "hip of this side",
    )
    predict.add_argument(
        "--series",
        type=whole_number,
        metavar="NUMBER",
        help="which series of a DICOM export, as avnnet scan counts them",
    )
    add_prefer(predict)
    predict.add_argument(
        "--format",
        choices=["nii.gz", "nrrd", "mha", "seg.nrrd"],
        default="nii.gz",
        help="of the masks; seg.nrrd: segments of 3D Slicer with names, colours and terms (default nii.gz)",
    )
    predict.add_argument(
        "--keep-names",
        action="store_true",
        help="name the masks after their images, whose names must then be no patients'; without it masks are c0001, "
        "c0002, ... and OUT/keys.csv, which stays with you, says which is which",
    )
    predict.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")

    evaluate = commands.add_parser(
        "evaluate",
        help="hold a trained model against the manual masks of a cohort that it never saw",
        description="External validation: segments every case of a cohort with the ensemble in a model folder and "
        "writes masks, measurements.csv, agreement.csv, tables/ and report.html. An image that was in the model's "
        "training is refused. Exit code 3: some cases failed, their rows say why.",
    )
    evaluate.add_argument("model", type=Path, help="model folder of a study or a fit")
    evaluate.add_argument("cohort", type=Path, help="CSV with patient_id, case_id, image, label")
    evaluate.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the evaluation")
    add_margin(evaluate)
    evaluate.add_argument("--device", default="auto", help="auto, cpu, cuda (default auto)")
    evaluate.add_argument("--mark-seen", action="store_true", help="flag images of the training instead of refusing")

    compare = commands.add_parser(
        "compare",
        help="compare two masks, or two folders of masks from anywhere",
        description="Dice, HD95, ASSD and volumes of automatic against manual masks, matched by file name: masks of "
        "nnU-Net, 3D Slicer or any other program. Exit code 3: some pairs failed, their rows say why.",
    )
    compare.add_argument("manual", type=Path, help="a mask, or a folder of masks")
    compare.add_argument("automatic", type=Path, help="a mask, or a folder of masks")
    compare.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the tables and the report")
    add_margin(compare)
    compare.add_argument(
        "--labels", type=_names, metavar="1=NAME,2=NAME", help="label ids and names (default 1=vital,2=necrosis)"
    )
    compare.add_argument("--part", default="necrosis", help="the label whose share is given (default necrosis)")
    compare.add_argument("--whole", default="head", help="the name of all labels together (default head)")
    add_prefer(compare)

    add_measure(commands)

    add_stats(commands)

    report = commands.add_parser(
        "report",
        help="make tables and report of a folder anew",
        description="Makes tables/ and report.html from measurements.csv, agreement.csv and study.json alone.",
    )
    report.add_argument("folder", type=Path, help="folder of a study, an evaluation or a comparison")

    scan = commands.add_parser(
        "scan",
        help="list the DICOM series in a folder, and which one would be read",
        description="Reads the headers of all DICOM files in a folder and its folders, lists the series, says which "
        "one would be read, and why the others would not. A '>' marks it. Nothing is written, and nothing that was "
        "typed about a person is shown. Exit code 3: none would be read.",
    )
    scan.add_argument(
        "folder", type=existing_word, help="an export of the scanner: a folder, a tree of folders, or one file"
    )
    scan.add_argument("--series", type=whole_number, metavar="NUMBER", help="choose this one of the list")

    cohort = commands.add_parser(
        "cohort",
        help="write the cohort.csv of a folder of images and masks",
        description="Lists nnU-Net's raw data (imagesTr, labelsTr), a folder with images and labels of equal names, or "
        "a flat folder of CASE.nii.gz and CASE_label.nii.gz as FOLDER/cohort.csv.",
    )
    cohort.add_argument("folder", type=Path, help="the folder")

    phantom = commands.add_parser(
        "phantom",
        help="make digital hips with known truth: a cohort, or a gallery to look at",
        description="Digital hips: MRI of random hips with necrosis, made from anatomy and physics, with exact truth.",
    )
    _add_phantom(phantom.add_subparsers(dest="what", required=True, metavar="WHAT"))
    return root


def _add_phantom(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cohort = commands.add_parser(
        "cohort",
        help="a folder of images and masks with cohort.csv and truth.csv",
        description="Writes images, masks, a second reader's masks, cohort.csv and truth.csv of digital hips, composed "
        "like the abstract's patients. Its head centres are the true ones with 2 mm of noise, as a click by hand.",
    )
    cohort.add_argument("out", type=Path, metavar="OUT", help="folder to make; it must not exist, or be empty")
    cohort.add_argument("--patients", type=whole_number, default=34, help="how many (default 34)")
    cohort.add_argument("--seed", type=whole_number, default=1, help="another seed, other patients (default 1)")
    cohort.add_argument(
        "--sequence",
        choices=["mixed", *SEQUENCES],
        default="vibe",
        help="vibe: T1 VIBE; -we water excitation, -fs fat suppression, -gd gadolinium in the joint; dixon: four "
        "channels; pd-tse: coronal PD-weighted slices; random: random contrasts; mixed: VIBEs by turn (default vibe)",
    )
    _add_size(cohort)
    cohort.add_argument(
        "--plane",
        choices=["oblique", "axial", "coronal", "sagittal"],
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
    cohort.add_argument("--format", choices=["nifti", "dicom"], default="nifti", help="of the images (default nifti)")
    gallery = commands.add_parser(
        "gallery",
        help="pictures of hips of every stage and every sequence",
        description="Writes stages.png and sequences.png: mid-coronal, mid-sagittal and native planes through the head "
        "centre, plain and with the labels drawn on.",
    )
    gallery.add_argument("out", type=Path, metavar="OUT", help="folder of the pictures")
    gallery.add_argument("--seed", type=whole_number, default=1, help="another seed, other hips (default 1)")
    _add_size(gallery)


def _add_size(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--size",
        choices=["full", "laptop"],
        default="full",
        help="full: 104 x 384 x 384 voxels of 1 x 0.44 x 0.44 mm; laptop: 64 x 192 x 192 (default full)",
    )


def _names(text: str) -> dict[int, str]:
    try:
        return {int(index): name for index, name in (part.split("=") for part in text.split(","))}
    except ValueError:
        raise argparse.ArgumentTypeError(f"label ids and names such as 1=vital,2=necrosis; found {text!r}") from None
