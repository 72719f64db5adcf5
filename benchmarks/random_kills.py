"""Kills a small study at random moments, resumes it, and compares every weight and table with an undisturbed run.

The reference run and the killed one have the same cohort and configs; the killed one is started again and again with
the same command and ended with SIGKILL after a random time, until it has been killed often enough; then it may finish.

Run: python benchmarks/random_kills.py --kills 20
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIG = """
seed_everything: 7
model:
  net:
    class_path: avnnet.models.UNet{ndim}D
    init_args: {{channels: [8, 16, 32], strides: [{stride}, {stride}], deep_supervision: 2}}
data:
  spacing_mm: [3.0, 3.0, 3.0]
  crop: [24, 24, 24]
  patch: [24, 24, 24]
  batch_size: 2
  steps_per_epoch: 20
  slices: {slices}
trainer: {{max_epochs: 6, precision: 32-true, accelerator: cpu, check_val_every_n_epoch: 2}}
"""
COMPARED = (
    "fold*/*/model/*",
    "fold*/*.csv",
    "measurements.csv",
    "agreement.csv",
    "tables/*.csv",
    "masks/*/*",
    "costs.csv",
    "model/*.json",
    "model/*.safetensors",
)


def study(cohort: Path, nets: list[Path], out: Path) -> subprocess.Popen:
    """The study as a process of its own, its words in `out`.log."""
    words = [sys.executable, "-m", "avnnet.cli", "study", str(cohort), "--folds", "2", "--out", str(out)]
    with open(out.with_suffix(".log"), "a", encoding="utf-8") as log:
        return subprocess.Popen([*words, "--nets", *map(str, nets)], stdout=log, stderr=log)


def differing(first: Path, second: Path) -> list[str]:
    """The files of two studies that are not equal byte by byte."""
    names = {
        path.relative_to(folder) for folder in (first, second) for pattern in COMPARED for path in folder.glob(pattern)
    }
    return sorted(
        str(name)
        for name in names
        if not (first / name).exists()
        or not (second / name).exists()
        or (first / name).read_bytes() != (second / name).read_bytes()
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="how often to kill (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (default 1)")
    args = parser.parse_args()
    moments = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        making = [sys.executable, "-m", "avnnet.cli", "phantom", "cohort", str(folder / "hips")]
        making += ["--patients", "6", "--size", "laptop", "--other-hip-every", "0"]
        subprocess.run(making, check=True)
        nets = []
        for ndim, slices in ((2, "4"), (3, "null")):
            nets.append(folder / f"unet{ndim}d.yaml")
            nets[-1].write_text(CONFIG.format(ndim=ndim, stride=[2] * ndim, slices=slices), encoding="utf-8")
        cohort = folder / "hips" / "cohort.csv"
        start = time.perf_counter()
        if study(cohort, nets, folder / "whole").wait() != 0:
            print((folder / "whole.log").read_text())
            return 1
        whole_s = time.perf_counter() - start
        print(f"undisturbed: {whole_s:.0f} s", flush=True)
        kills, starts = 0, 0
        while True:
            process = study(cohort, nets, folder / "killed")
            starts += 1
            if kills < args.kills:
                # most of a start is imports; the interesting moments come after them
                moment_s = moments.uniform(0.2, 0.5) * whole_s
                try:
                    process.wait(timeout=moment_s)
                except subprocess.TimeoutExpired:
                    process.send_signal(signal.SIGKILL)
                    process.wait()
                    kills += 1
                    last = (folder / "killed.log").read_text(encoding="utf-8").strip().splitlines()[-1]
                    print(f"kill {kills} after {moment_s:.1f} s: {last}", flush=True)
                    continue
            elif process.wait() != 0:
                print((folder / "killed.log").read_text())
                return 1
            if kills >= args.kills:
                break
            # finished before the kills were used up: begin anew, or nothing is left to kill
            wrong = differing(folder / "whole", folder / "killed")
            print(f"finished after {kills} kills: {len(wrong)} files differ {wrong[:5]}", flush=True)
            if wrong:
                return 1
            subprocess.run(["rm", "-r", str(folder / "killed")], check=True)
        wrong = differing(folder / "whole", folder / "killed")
        count = sum(1 for pattern in COMPARED for _ in (folder / "whole").glob(pattern))
        print(f"{kills} kills, {starts} starts: {len(wrong)} of {count} files differ {wrong[:5]}")
        return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
