"""avnnet's exchange with nnU-Net against nnunetv2 2.8.1 itself: data set, results folder and back.

Run where nnunetv2 is installed beside avnnet (README.md in this folder says how), with a cohort that has images of the
model's spacing and a model without a crop:
python benchmarks/oracle/nnunet_exchange.py COHORT.csv MODEL --work EMPTY_FOLDER --cases 20 --labels 1=anterior,2=posterior --part anterior --whole hippocampus
It prints the largest difference of logits of every network, and the Dice of nnU-Net's masks with avnnet's: as the model
is; without clipping; without mirror images; and in one tile. The import reads a checkpoint that nnU-Net's own trainer has
written after one step of training on the exported data set, which nnU-Net has planned and preprocessed.
"""  # noqa: E501

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import torch

warnings.filterwarnings("ignore")


def arguments() -> argparse.Namespace:
    from avnnet.cli.words import names_by_id

    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("cohort", type=Path)
    words.add_argument("model", type=Path)
    words.add_argument("--work", type=Path, required=True)
    words.add_argument("--cases", type=int, default=20)
    words.add_argument("--labels", type=names_by_id, default={1: "vital", 2: "necrosis"})
    words.add_argument("--part", default="necrosis")
    words.add_argument("--whole", default="head")
    return words.parse_args()


ARGS = arguments()
ROOTS = {f"nnUNet_{name}": str(ARGS.work / name) for name in ("raw", "preprocessed", "results")}
os.environ.update(ROOTS, nnUNet_n_proc_DA="1", nnUNet_def_n_proc="1", nnUNet_compile="0")
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))

from nnunetv2.experiment_planning import plan_and_preprocess_api as planning  # noqa: E402
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor  # noqa: E402
from nnunetv2.run.run_training import get_trainer_from_args  # noqa: E402

from avnnet.data.cohort import Cohort, read_cohort  # noqa: E402
from avnnet.data.files import read_image, write_image  # noqa: E402
from avnnet.data.orientation import orientation_of  # noqa: E402
from avnnet.data.preprocess import Preprocess  # noqa: E402
from avnnet.data.splits import make_folds  # noqa: E402
from avnnet.exchange import DatasetPlan, ImportPlan, export_nnunet, import_nnunet, write_nnunet_dataset  # noqa: E402
from avnnet.exchange.architecture import architecture_of  # noqa: E402
from avnnet.exchange.names import to_nnunet  # noqa: E402
from avnnet.grid import Grid  # noqa: E402
from avnnet.image import Image  # noqa: E402
from avnnet.inference.member import Member  # noqa: E402
from avnnet.inference.model_folder import load_model  # noqa: E402
from avnnet.inference.segmenter import Segmenter  # noqa: E402
from avnnet.inference.tiling import Tiling  # noqa: E402
from avnnet.labels import LabelScheme  # noqa: E402
from avnnet.models import NetworkLike  # noqa: E402

quiet = contextlib.redirect_stdout


def predictor(folder: Path) -> nnUNetPredictor:
    with quiet(io.StringIO()):
        made = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
        made.initialize_from_trained_model_folder(str(next(folder.glob("*__*__*"))), None)
    return made


def as_nnunet_sees(cohort: Cohort, folder: Path) -> list[tuple[Path, Image]]:
    """The first images in the order of avnnet's canonical axes, which is that of LPS files."""
    found = []
    for case in list(cohort)[: ARGS.cases]:
        image = read_image(case.image)
        turn = orientation_of(image.grid)
        array = np.ascontiguousarray(turn.apply(image.array))
        turned = Image(array, Grid(array.shape, tuple(image.grid.spacing[axis] for axis in turn.axes)))
        found.append((write_image(turned, folder / f"{case.case_id}_0000.nii.gz"), turned))
    return found


def compare(name: str, theirs: nnUNetPredictor, ours: Segmenter, images: list[tuple[Path, Image]]) -> None:
    """Prints logits of equal input, then Dice of masks, as the mean over images and the least."""
    off = 0.0
    for member, weights in zip(ours.members, theirs.list_of_parameters, strict=True):
        theirs.network.load_state_dict(weights)
        x = torch.randn(1, member.net.in_channels, *member.tiling.patch[-member.net.ndim :])
        with torch.inference_mode():
            off = max(off, float((theirs.network.eval()(x) - member.net.eval()(x)).abs().max()))
    scores = []
    for path, image in images:
        with quiet(io.StringIO()):
            mask = theirs.predict_from_files_sequential([[str(path)]], None)[0]
        own = ours.predict(image).labels.array
        both = [(mask == index, own == index) for index in ours.scheme.names]
        scores.append([2 * (a & b).sum() / max(a.sum() + b.sum(), 1) for a, b in both])
    mean, least = np.mean(scores, axis=0), np.min(scores, axis=0)
    dice = ", ".join(f"{n} {a:.4f} ({b:.4f})" for n, a, b in zip(ours.scheme.names.values(), mean, least, strict=True))
    print(f"{name:34s} logits differ by {off:.1e}; Dice, mean (least): {dice}", flush=True)


def variant(model: Segmenter, *, mirrors: bool, patch: list[int] | None = None) -> Segmenter:
    """The model without clipping, with or without mirror images, in other tiles."""
    members = []
    for one in model.members:
        how = Preprocess(one.preprocess.spacing_mm, None, one.preprocess.first_axis, (0, 100))
        tiling = Tiling(patch or one.tiling.patch, one.tiling.mirror_axes if mirrors else [], one.tiling.overlap)
        members.append(Member(one.net, how, tiling, one.name, one.trained_on, one.dataset))
    return Segmenter(members, model.scheme)


def trained_by_nnunet(cohort: Cohort, scheme: LabelScheme, net: NetworkLike) -> Path:
    """A results folder after one step of nnU-Net's own trainer on the data set that avnnet wrote.

    Of a step of a network that knows nothing the masks would be noise, so it begins with avnnet's weights, and its
    learning rate is 0.
    """
    few = Cohort(cohort.table.head(10), cohort.root)
    raw = Path(ROOTS["nnUNet_raw"]) / "Dataset501_Exchange"
    write_nnunet_dataset(few, raw, make_folds(few, 5, seed=1), DatasetPlan(scheme))
    with quiet(io.StringIO()):
        planning.extract_fingerprints([501], num_processes=1, check_dataset_integrity=True)
        plans = planning.plan_experiments([501])
        path = Path(ROOTS["nnUNet_preprocessed"]) / raw.name / "nnUNetPlans.json"
        content = json.loads(path.read_text())
        content["configurations"]["3d_fullres"] |= {"architecture": architecture_of(net), "batch_size": 2}
        path.write_text(json.dumps(content))
        planning.preprocess([501], plans if isinstance(plans, str) else "nnUNetPlans", ["3d_fullres"], [1])
        folds = Path(ROOTS["nnUNet_preprocessed"]) / raw.name / "splits_final.json"
        folds.write_bytes((raw / "splits_final.json").read_bytes())
        name = "nnUNetTrainer"
        trainer = get_trainer_from_args("501", "3d_fullres", 0, name, device=torch.device("cpu"))
        trainer.num_epochs = trainer.num_iterations_per_epoch = trainer.num_val_iterations_per_epoch = 1
        trainer.initial_lr = 0.0
        trainer.initialize()
        trainer.network.load_state_dict(to_nnunet(net))
        with mock.patch.object(trainer, "perform_actual_validation", return_value=None):
            trainer.run_training()
    return Path(ROOTS["nnUNet_results"]) / raw.name


def main() -> None:
    cohort, model = read_cohort(ARGS.cohort), load_model(ARGS.model)
    images = as_nnunet_sees(cohort, ARGS.work / "images")
    largest = np.max([image.grid.shape for _, image in images], axis=0)
    steps = [net.divisors[-1] for net in [model.members[0].net]] * 3
    whole = [int(-(-size // step) * step) for size, step in zip(largest, steps, strict=True)]
    variants = {
        "as it is": model,
        "no clip": variant(model, mirrors=True),
        "no clip, no mirror": variant(model, mirrors=False),
        "no clip, no mirror, one tile": variant(model, mirrors=False, patch=whole),
    }
    for number, (name, one) in enumerate(variants.items(), start=601):
        out = ARGS.work / "results" / f"Dataset{number}_Exchange"
        export_nnunet(one, out)
        compare(f"export, {name}", predictor(out), one, images)
    folder = trained_by_nnunet(cohort, LabelScheme(ARGS.labels, ARGS.part, ARGS.whole), model.members[0].net)
    described = json.loads(next(folder.glob("*/dataset.json")).read_text())
    print("nnU-Net planned, preprocessed and trained on the exported data set:", described["labels"], flush=True)
    own = import_nnunet([folder], ImportPlan("LPS", ARGS.part, ARGS.whole))
    compare("import, of nnU-Net's own trainer", predictor(folder), own, images)


if __name__ == "__main__":
    main()
