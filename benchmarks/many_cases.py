"""Many small images through one `avnnet predict`, some of them broken, killed in the middle: rows and memory.

Pieces of a few digital hips, each with an intensity of its own, so that no two images are the same; every tenth file is
cut in half. The command is killed (SIGKILL) when about half of the masks are there, and given again. The same images
then lie in a folder that `avnnet predict --watch` watches, which is killed in the middle too.

Run: python benchmarks/many_cases.py [--cases 200]
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from avnnet.data.files import read_image, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.member import Member
from avnnet.inference.model_folder import save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.models import UNet3D

EVERY = 10  # of these images one is broken
SPACING_MM = [2.0, 2.0, 2.0]


def images(folder: Path, count: int) -> list[Path]:
    """Small images, every tenth of them cut in half."""
    words = [sys.executable, "-m", "avnnet.cli", "phantom", "cohort", str(folder / "hips"), "--patients", "4"]
    subprocess.run([*words, "--size", "laptop", "--other-hip-every", "0"], check=True, stdout=subprocess.DEVNULL)
    hips = [read_image(path) for path in sorted((folder / "hips" / "images").glob("*.nii.gz"))]
    made = []
    for number in range(count):
        hip = hips[number % len(hips)]
        piece = hip.array[20:44, 64:128, 64:128].astype(np.float64)
        array = np.clip(piece * (1 + 0.001 * number), 0, 32767).astype(np.int16)
        grid = Grid(array.shape, hip.grid.spacing)
        path = write_image(Image(array, grid), folder / "images" / f"scan-{number:03d}.nii.gz")
        if number % EVERY == EVERY - 1:
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])
        made.append(path)
    return made


def model(folder: Path) -> Path:
    """A small network of drawn weights: what is timed and counted is the way around it."""
    torch.manual_seed(0)
    member = Member(UNet3D([4, 8, 16], [[2, 2, 2]] * 2), Preprocess(SPACING_MM), Tiling([16, 24, 24]), "unet3d")
    return save_model(Segmenter([member], HIP), folder / "model")


def resident_mib(pid: int) -> float:
    """Memory of a process (Linux)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def followed(words: list[str], out: Path, until: int, end: int) -> list[tuple[int, float]]:
    """Cases done and memory, twice a second, of a command that gets the signal `end` when `until` cases are done."""
    before = len(list(out.glob("c*.json"))) if out.is_dir() else 0
    seen: list[tuple[int, float]] = []
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as process:
        while process.poll() is None:
            done = len(list(out.glob("c*.json"))) if out.is_dir() else 0
            if done > before:
                seen.append((done, resident_mib(process.pid)))
            if done >= until:
                process.send_signal(end)
                process.wait()
            time.sleep(0.5)
    return seen


def slope_mib(seen: list[tuple[int, float]]) -> float:
    """How memory grows with each case, by least squares over the second half of the cases."""
    half = np.array([one for one in seen if one[0] >= np.mean([seen[0][0], seen[-1][0]])])
    return float(np.polyfit(half[:, 0], half[:, 1], 1)[0])


def report(name: str, out: Path, count: int, seen: list[tuple[int, float]], seconds: float) -> None:
    """Rows, masks and memory in a line."""
    table = pd.read_csv(out / "measurements.csv", keep_default_na=False)
    failed = (table["error"] != "").sum()
    print(
        f"{name}: {count} images, {len(table)} rows of {table['case_id'].nunique()} cases, {failed} with an error, "
        f"{len(list(out.glob('c*.nii.gz')))} masks, {len(list(out.glob('.partial*')))} partial files left; "
        f"{seconds:.0f} s; memory {seen[-1][1]:.0f} MiB, {slope_mib(seen):+.3f} MiB a case",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200, help="how many images (default 200)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths, weights = images(folder, args.cases), model(folder)
        predict = [sys.executable, "-m", "avnnet.cli", "predict", str(weights), "--engine", "torch", "--out"]
        good = args.cases - args.cases // EVERY

        out, start = folder / "masks", time.perf_counter()
        command = [*predict, str(out), *map(str, paths)]
        followed(command, out, good // 2, signal.SIGKILL)
        seen = followed(command, out, args.cases, signal.SIGKILL)  # ends by itself
        report("predict, killed in the middle and given again", out, args.cases, seen, time.perf_counter() - start)

        out, start = folder / "watched", time.perf_counter()
        command = [*predict, str(out), "--watch", str(folder / "images"), "--settle", "0"]
        followed(command, out, good // 2, signal.SIGKILL)
        seen = followed(command, out, good, signal.SIGTERM)
        report("watch, killed in the middle and given again", out, args.cases, seen, time.perf_counter() - start)


if __name__ == "__main__":
    main()
