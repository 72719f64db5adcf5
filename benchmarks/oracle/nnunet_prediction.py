"""Seconds of a prediction by avnnet and by nnUNetPredictor (nnunetv2 2.8.1), the same weights, file to file.

One plain network of nnU-Net's size on an image of 80 x 160 x 160 voxels, which is one tile; weights are drawn, as time
does not depend on them. Both have their model loaded and have computed once; then they take turns: read, prepare,
predict, write.

Run where nnunetv2 is installed beside avnnet (README.md in this folder says how):
python benchmarks/oracle/nnunet_prediction.py --work EMPTY_FOLDER [--engines torch openvino] [--runs 3]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

warnings.filterwarnings("ignore")
words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
words.add_argument("--work", type=Path, required=True)
words.add_argument("--engines", nargs="+", default=["torch", "openvino"])
words.add_argument("--mirrored", nargs="+", type=int, default=[0, 1], help="without and with mirror images: 0 1")
words.add_argument("--runs", type=int, default=3)
ARGS = words.parse_args()
os.environ.update(
    {f"nnUNet_{name}": str(ARGS.work / name) for name in ("raw", "preprocessed", "results")}, nnUNet_compile="0"
)

from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor  # noqa: E402

from avnnet.data.files import read_image, read_labels, write_image  # noqa: E402
from avnnet.data.normalise import ZScore  # noqa: E402
from avnnet.data.preprocess import Preprocess  # noqa: E402
from avnnet.exchange import export_nnunet  # noqa: E402
from avnnet.grid import Grid  # noqa: E402
from avnnet.image import Image  # noqa: E402
from avnnet.inference.engines import chosen_engine  # noqa: E402
from avnnet.inference.member import Member  # noqa: E402
from avnnet.inference.segmenter import Segmenter  # noqa: E402
from avnnet.inference.tiling import Tiling  # noqa: E402
from avnnet.labels import HIP  # noqa: E402
from avnnet.metrics import dice  # noqa: E402
from avnnet.models import UNet3D  # noqa: E402

SHAPE, SPACING = (80, 160, 160), (1.0, 0.44, 0.44)


def member(mirror_axes: list[int]) -> Member:
    """The abstract's 3D network, with drawn weights."""
    torch.manual_seed(1)
    net = UNet3D(
        [32, 64, 128, 256, 320, 320],
        [[1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2]],
        kernels=[[1, 3, 3], *[[3, 3, 3]] * 5],
    )
    how = Preprocess(SPACING, normalise=ZScore(clip_percentiles=[0, 100]))
    return Member(net, how, Tiling(SHAPE, mirror_axes), "unet3d")


def seconds_in_turns(work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of some runs of each, after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(ARGS.runs + 1):
        for name, one in work.items():
            start = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                one()
            if turn:
                found[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> None:
    noise = np.random.default_rng(1).normal(size=SHAPE)
    image = Image((gaussian_filter(noise, 3) * 1000 + 100).astype(np.float32), Grid(SHAPE, SPACING))
    file = write_image(image, ARGS.work / "images" / "hip_0000.nii.gz")
    print(f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, {SHAPE} voxels")
    for is_mirrored in map(bool, ARGS.mirrored):
        one = member([0, 1, 2] if is_mirrored else [])
        folder = ARGS.work / "results" / f"Dataset{601 + is_mirrored}_Speed"
        export_nnunet(Segmenter([one], HIP), folder)
        theirs = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False, use_mirroring=is_mirrored)
        with contextlib.redirect_stdout(io.StringIO()):
            theirs.initialize_from_trained_model_folder(str(next(folder.glob("*__*__*"))), (0,))
        out = {name: ARGS.work / name / f"{is_mirrored}.nii.gz" for name in ("nnunet", *ARGS.engines)}
        for path in out.values():
            path.parent.mkdir(parents=True, exist_ok=True)

        def predicted_by_nnunet(path: Path = out["nnunet"], model: nnUNetPredictor = theirs) -> None:
            model.predict_from_files_sequential([[str(file)]], [str(path)[: -len(".nii.gz")]])

        work: dict[str, Callable[[], object]] = {"nnunet": predicted_by_nnunet}
        for name in ARGS.engines:
            model = Segmenter([one], HIP, engine=chosen_engine(name, "cpu", None, print))
            work[name] = lambda model=model, path=out[name]: model.predict(read_image(file)).save(path)
        seconds = seconds_in_turns(work)
        mask = read_labels(out["nnunet"]).array
        for name in ARGS.engines:
            own = read_labels(out[name]).array
            equal = " / ".join(f"{dice(mask == index, own == index):.4f}" for index in (1, 2))
            ratio = seconds["nnunet"] / seconds[name]
            print(
                f"{'8 mirror images' if is_mirrored else 'no mirror image':16s} {name:9s} {seconds[name]:7.2f} s, "
                f"nnUNetPredictor {seconds['nnunet']:7.2f} s: {ratio:.2f} times as fast; Dice {equal}",
                flush=True,
            )


if __name__ == "__main__":
    main()
