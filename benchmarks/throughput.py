"""A training step with its data, side by side: avnnet, nnU-Net's own trainer and MONAI's DynUNet, in float32.

All have the network, patch and batch of one config and the same cases, and each its own loader and augmentation, in the
process of the training. Every racer runs in a process of its own, in turns; ratios are of the medians over all turns.
Memory is what a process holds at most, in all and beyond what it held when its part began: nnU-Net's imports leave a
heap that its training then uses, which only the first of the two counts.
nnU-Net's environment: benchmarks/oracle/README.md.

Run: python benchmarks/throughput.py ../shared/data/hippocampus/cohort.csv --out runs/throughput --turns 3 \\
       --config benchmarks/racers/hippocampus.yaml --nnunet-python ../nnunet/bin/python \\
       --labels 1=anterior,2=posterior --part anterior --whole hippocampus
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median

import pandas as pd

ROOT = Path(__file__).parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--config", type=Path, required=True, help="avnnet's config: network, patch, batch")
    parser.add_argument("--steps", type=int, default=4, help="timed in every turn (default 4)")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--part", required=True)
    parser.add_argument("--whole", required=True)
    parser.add_argument("--nnunet-python", type=Path, help="without it nnU-Net is left out")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    from benchmarks.race import write_splits

    write_splits(args)
    racers = {"ours": sys.executable, "dynunet": sys.executable}
    if args.nnunet_python:
        racers["nnunet"] = str(args.nnunet_python)
    found: dict[str, list[dict]] = {name: [] for name in racers}
    for turn in range(args.turns):
        for name, python in racers.items():
            found[name].append(paced(args, name, python, turn))
    rows = []
    for name, turns in found.items():
        seconds = [second for one in turns for second in one["seconds"]]
        rows.append({"racer": name, "steps": len(seconds), "step_s": median(seconds), "slowest_s": max(seconds),
                     "memory_mib": median(one["memory_mib"] for one in turns),
                     "process_mib": median(one["memory_mib"] + one["before_mib"] for one in turns)})  # fmt: skip
    table = pd.DataFrame(rows)
    for name in ("step_s", "memory_mib", "process_mib"):
        table[f"ours/{name}"] = table[name].iloc[0] / table[name]
    table.to_csv(args.out / "throughput.csv", index=False)
    print(table.round(3).to_string(index=False))
    return 0


def paced(args: argparse.Namespace, name: str, python: str, turn: int) -> dict:
    """What a racer's process says of its steps; one that is there is not made again."""
    out = (args.out / f"{name}-turn{turn}").resolve()
    if not (out / "pace.json").exists():
        words = [python, str(ROOT / "benchmarks" / "racers" / f"{name}.py"), str(args.cohort)]
        words += ["--splits", str((args.out / "splits.json").resolve()), "--out", str(out)]
        words += ["--steps", str(args.steps), "--topology", str(args.config.resolve())]
        words += ["--shared", str((args.out / "nnunet").resolve())]
        words += ["--labels", args.labels, "--part", args.part, "--whole", args.whole]
        threads = str(args.threads)
        known = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)}
        print(f"{name}, turn {turn + 1} of {args.turns}", flush=True)
        subprocess.run(words, check=True, env=known)
    return json.loads((out / "pace.json").read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
