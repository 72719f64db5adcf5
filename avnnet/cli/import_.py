"""`avnnet import`: models of other programs."""

from __future__ import annotations

import argparse
from pathlib import Path

from avnnet.atomic import whole_folder
from avnnet.cli.words import Commands, add_out, nonempty_path
from avnnet.progress import Reporter


def add(commands: Commands) -> None:
    """Adds `import` to the commands, and to it `nnunet`."""
    command = commands.add_parser(
        "import",
        help="read a model of another program",
        description="Makes a model folder of nnU-Net's results. Nothing in them is run.",
    )
    whats = command.add_subparsers(dest="what", required=True, metavar="WHAT")
    nnunet = whats.add_parser("nnunet", help="a results folder of nnU-Net: 3d_fullres or 2d, all folds")
    nnunet.set_defaults(run=run)
    nnunet.add_argument(
        "results",
        nargs="+",
        type=nonempty_path,
        metavar="RESULTS",
        help="nnUNet_results/DatasetXXX_NAME/nnUNetTrainer__nnUNetPlans__3d_fullres; several are averaged",
    )
    add_out(nnunet, "model folder to make; must not exist, or be empty")
    nnunet.add_argument(
        "--stored-as",
        metavar="RAS",
        help="how the training's files were stored: where x, y, z run to, as nibabel.aff2axcodes says; needed where "
        "the training did not mirror every axis (default LPS)",
    )
    nnunet.add_argument("--part", metavar="NAME", help="the label whose share is given (default: the last)")
    nnunet.add_argument("--whole", default="whole", metavar="NAME", help="of all labels together (default whole)")
    nnunet.add_argument(
        "--trainer", metavar="NAME", help="take a trainer of your own, whose network and prediction are nnU-Net's"
    )
    nnunet.add_argument(
        "--checkpoint",
        default="checkpoint_final.pth",
        metavar="FILE",
        help="of each fold (default checkpoint_final.pth)",
    )


def run(args: argparse.Namespace) -> int:
    """0; writes a model folder.

    Raises:
        AvnnetError: if the results cannot be read, or hold what avnnet does not have.
    """
    out: Path = args.out
    from avnnet.exchange import ImportPlan, import_nnunet
    from avnnet.inference.model_folder import save_model

    plan = ImportPlan(args.stored_as, args.part, args.whole, args.trainer, args.checkpoint)
    with whole_folder(out) as partial:  # refuses a folder that holds something before the results are read
        model = import_nnunet(args.results, plan)
        save_model(model, partial)
    reporter = Reporter()
    reporter.say(
        f"{model.summary()}; labels {', '.join(f'{i} {name}' for i, name in model.scheme.names.items())}: {out}"
    )
    reporter.say("which images it was trained on is not known: avnnet evaluate cannot tell a leak")
    return 0
