"""Seconds and memory of whole `avnnet predict` commands, engine beside engine, and how far their masks agree.

Every command is a process of its own, after one that warms the files and compiles the networks. "again" is the same
command where the masks are there already: what it takes beside reading and networks. The engines take turns.

Run: python benchmarks/prediction.py MODEL IMAGE... [--engines torch openvino] [--runs 3] [--centre=X,Y,Z --side right]
IMAGE is a file or a DICOM folder; a model with a locator needs no centre.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from avnnet.data.files import read_labels
from avnnet.metrics import dice

AVNNET = shutil.which("avnnet", path=str(Path(sys.executable).parent)) or "avnnet"


def timed(words: list[str], threads: int | None = None) -> tuple[float, float, float]:
    """Wall and processor seconds of a command, and the most memory of it in GiB."""
    environment = os.environ | ({} if threads is None else {"OMP_NUM_THREADS": str(threads)})
    start = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(words, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{words} ended with {process.returncode}: {said.read().decode()[-2000:]}")
    return time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def masks_in(folder: Path) -> dict[str, Path]:
    """The masks of a prediction by their name."""
    return {path.name: path for path in sorted(folder.glob("*.nii.gz"))}


def agreement(first: Path, second: Path) -> str:
    """Dice of each structure of each mask between two predictions, and whether all bytes are equal."""
    ours, theirs = masks_in(first), masks_in(second)
    if ours.keys() != theirs.keys():
        return f"other masks: {sorted(ours)} and {sorted(theirs)}"
    if all(ours[name].read_bytes() == theirs[name].read_bytes() for name in ours):
        return "equal bytes"
    said = []
    for name in ours:
        one, other = read_labels(ours[name]).array, read_labels(theirs[name]).array
        values = [dice(one == index, other == index) for index in np.unique(one) if index]
        said.append(f"{name} {' / '.join(f'{value:.5f}' for value in values)}")
    return "Dice " + ", ".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("images", nargs="+")
    parser.add_argument("--engines", nargs="+", default=["torch", "openvino"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--centre")
    parser.add_argument("--side")
    args = parser.parse_args()
    place = [f"--centre={args.centre}"] if args.centre else []
    place += ["--side", args.side] if args.side else []
    print(
        f"{'image':24s} {'engine':10s} {'first s':>8s} {'median s':>9s} {'max s':>7s} {'CPU s':>7s} {'again s':>8s} "
        f"{'GiB':>6s}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        for number, image in enumerate(args.images):
            out = {engine: Path(scratch, f"{number}-{engine}") for engine in args.engines}
            words = {
                engine: [AVNNET, "predict", str(args.model), image, *place, "--engine", engine, "--out", str(folder)]
                for engine, folder in out.items()
            }
            first = {engine: timed(words[engine])[0] for engine in args.engines}
            runs: dict[str, list[tuple[float, float, float]]] = {engine: [] for engine in args.engines}
            for _ in range(args.runs):
                for engine in args.engines:
                    shutil.rmtree(out[engine])
                    runs[engine].append(timed(words[engine]))
            for engine in args.engines:
                wall, cpu, memory = zip(*runs[engine], strict=True)
                again = statistics.median(timed(words[engine])[0] for _ in range(args.runs))
                print(
                    f"{Path(image).name:24s} {engine:10s} {first[engine]:8.1f} {statistics.median(wall):9.1f} "
                    f"{max(wall):7.1f} {statistics.median(cpu):7.1f} {again:8.1f} {max(memory):6.2f}",
                    flush=True,
                )
            for engine in args.engines:
                alone = Path(scratch, f"{number}-{engine}-alone")
                timed([*words[engine][:-1], str(alone)], threads=1)
                print(f"  {engine} with one thread: {agreement(out[engine], alone)}")
            for engine in args.engines[1:]:
                print(f"  {engine} against {args.engines[0]}: {agreement(out[args.engines[0]], out[engine])}")


if __name__ == "__main__":
    main()
