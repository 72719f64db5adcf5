"""`avnnet export`: cohorts and models as other programs take them."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.choice import DatasetFormat, ModelFormat
from avnnet.cli.classes import add_classes
from avnnet.cli.words import Commands, choices, names_by_id, nonempty_path, output_folder, whole_number
from avnnet.labels import HIP, LabelScheme
from avnnet.progress import Reporter

FOLDS = "splits_final.json"


def add(commands: Commands) -> None:
    """Adds `export` to the commands, and to it `dataset` and `model`."""
    export = commands.add_parser(
        "export",
        help="write a cohort or a model as another program takes it",
        description="Writes what other programs take: nnU-Net's data sets and results folders.",
    )
    whats = export.add_subparsers(dest="what", required=True, metavar="WHAT")
    dataset = whats.add_parser("dataset", help="a cohort as a data set of another program")
    dataset.set_defaults(run=run_dataset)
    dataset.add_argument("cohort", type=nonempty_path, help="CSV with patient_id, case_id, image, label")
    dataset.add_argument("--format", required=True, choices=choices(DatasetFormat), help="whose data set")
    dataset.add_argument(
        "--out", type=output_folder, required=True, metavar="DIR", help="folder to make: nnUNet_raw/Dataset501_NAME"
    )
    dataset.add_argument(
        "--labels", type=names_by_id, metavar="1=NAME,2=NAME", help="label ids and names (default 1=vital,2=necrosis)"
    )
    dataset.add_argument("--part", default="necrosis", help="the label whose share is given (default necrosis)")
    dataset.add_argument("--whole", default="head", help="the name of all labels together (default head)")
    dataset.add_argument("--regions", action="store_true", help="learn the whole, and in it the part, as regions")
    dataset.add_argument("--ignored", action="store_true", help="voxels of id 255 in the masks count nowhere")
    dataset.add_argument("--channels", nargs="+", default=[], metavar="NAME", help="names of the channels (MRI)")
    dataset.add_argument("--folds", type=whole_number, default=5, help="how many folds (default 5)")
    dataset.add_argument("--seed", type=whole_number, default=1, help="of the folds, as of avnnet study (default 1)")
    dataset.add_argument(
        "--splits", type=nonempty_path, metavar="splits.json", help="take the folds of a study instead of making some"
    )
    model = whats.add_parser("model", help="a model as another program runs it")
    model.set_defaults(run=run_model)
    model.add_argument("model", type=nonempty_path, help="OUT/model of a study, or RUN/model of avnnet fit")
    model.add_argument("--format", required=True, choices=choices(ModelFormat), help="whose model")
    model.add_argument(
        "--out",
        type=output_folder,
        required=True,
        metavar="PATH",
        help="file or folder to make: NAME.onnx, NAME.pt2, a bundle, for nnU-Net nnUNet_results/Dataset501_NAME",
    )
    model.add_argument("--only", metavar="NAME", help="only the networks of this name, such as unet3d")
    model.add_argument(
        "--uncropped",
        action="store_true",
        help="for nnU-Net: also networks of head-centred crops, which it slides over whole images",
    )
    model.add_argument(
        "--member",
        type=whole_number,
        metavar="NUMBER",
        help="for onnx, torch-export and monai-bundle, which hold one network: which one of a model of several, from 1",
    )
    add_classes(model)


def run_dataset(args: argparse.Namespace) -> int:
    """0; writes a data set.

    Raises:
        AvnnetError: if the cohort cannot be read, or not be written so.
    """
    from avnnet.data.cohort import read_cohort
    from avnnet.data.splits import make_folds, read_folds
    from avnnet.exchange import DatasetPlan, check_dataset_name, write_nnunet_dataset

    out: Path = args.out
    splits: Path | None = args.splits
    names: dict[int, str] | None = args.labels
    scheme = HIP if names is None else LabelScheme(names, part=args.part, whole=args.whole)
    name = check_dataset_name(out)
    cohort = read_cohort(args.cohort)
    held_out = make_folds(cohort, args.folds, seed=args.seed) if splits is None else read_folds(splits, cohort)
    plan = DatasetPlan(scheme, has_ignored=args.ignored, is_of_regions=args.regions, channels=args.channels)
    reporter = Reporter()
    with reporter.steps("writing cases", len(cohort)) as step:
        remarks = write_nnunet_dataset(cohort, out, held_out, plan, on_case=lambda done: step(done))
    for remark in remarks:
        reporter.say(remark)
    reporter.say(f"{len(cohort)} cases, {len(held_out)} folds: {out}")
    number = int(name[len("Dataset") :][:3])
    reporter.say(f"nnUNetv2_plan_and_preprocess -d {number} --verify_dataset_integrity")
    reporter.say(f"then copy {FOLDS} from it to nnUNet_preprocessed/{name}, so that nnU-Net's folds are these")
    return 0


def run_model(args: argparse.Namespace) -> int:
    """0; writes a model.

    Raises:
        AvnnetError: if the model cannot be read, or not be written so.
    """
    match ModelFormat(args.format):
        case ModelFormat.NNUNET:
            return _nnunet(args)
        case _:
            return _alone(args)


def _nnunet(args: argparse.Namespace) -> int:
    from avnnet.exchange import check_dataset_name, export_nnunet
    from avnnet.inference.model_folder import load_model

    out: Path = args.out
    check_dataset_name(out)
    reporter = Reporter()
    for remark in export_nnunet(load_model(args.model), out, only=args.only, is_uncropped=args.uncropped):
        reporter.say(remark)
    for folder in sorted(out.iterdir()):
        folds = " ".join(sorted(fold.name.removeprefix("fold_") for fold in folder.glob("fold_*")))
        reporter.say(f"nnUNetv2_predict_from_modelfolder -i IMAGES -o MASKS -m {folder} -f {folds}")
    return 0


def _alone(args: argparse.Namespace) -> int:
    from avnnet.atomic import check_absent
    from avnnet.exchange.bundle import write_monai_bundle
    from avnnet.exchange.onnx_file import write_onnx
    from avnnet.exchange.program import write_torch_export
    from avnnet.inference.model_folder import load_model

    out: Path = args.out
    number: int | None = args.member
    check_absent(out)
    model = load_model(args.model, classes=args.classes)
    write = {
        ModelFormat.ONNX: write_onnx,
        ModelFormat.TORCH_EXPORT: write_torch_export,
        ModelFormat.MONAI_BUNDLE: write_monai_bundle,
    }[ModelFormat(args.format)]
    sizes = write(model, out, number=number)
    reporter = Reporter()
    reporter.say(f"{out}: images of {sizes}; other sizes are refused")
    return 0
