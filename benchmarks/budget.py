"""Minutes asked for and taken: whole `avnnet fit --minutes N` commands, each in a folder of its own.

Other work on the machine shows: the load is said beside each figure.

Run: python benchmarks/budget.py 2 10 -- -c experiments/laptop/unet3d.yaml --data.cohort=runs/demo/hips/cohort.csv
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from avnnet.record import RunRecord


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="+", help="budgets")
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="-- WORDS", help="of avnnet fit")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    args = parser.parse_args(words[:cut])
    print(f"{'asked min':>9s} {'taken min':>9s} {'off %':>6s} {'steps':>6s} {'load before':>11s} {'after':>6s}")
    for minutes in args.minutes:
        with TemporaryDirectory() as folder:
            own = [f"--minutes={minutes:g}", f"--trainer.default_root_dir={folder}/run", f"--data.cache={folder}/cache"]
            load = os.getloadavg()[0]
            start_s = time.monotonic()
            command = [sys.executable, "-m", "avnnet.cli", "fit", *words[cut + 1 :], *own]
            subprocess.run(command, check=True, stdout=sys.stderr)
            taken = (time.monotonic() - start_s) / 60
            budget = RunRecord.read(Path(folder) / "run").budget
        steps = 0 if budget is None else budget.epochs * budget.steps_per_epoch
        off = 100 * (taken / minutes - 1)
        print(f"{minutes:9g} {taken:9.2f} {off:6.1f} {steps:6d} {load:11.1f} {os.getloadavg()[0]:6.1f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
