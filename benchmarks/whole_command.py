"""Minutes, processor time and peak memory of a whole command, and the Dice of the study it makes.

Run: python benchmarks/whole_command.py --study runs/demo/study -- make demo
     python benchmarks/whole_command.py --study runs/hippocampus -- avnnet study COHORT.csv --nets ... --out ...
"""

import argparse
import csv
import resource
import subprocess
import sys
import time
from pathlib import Path

# the standard library alone: it must run before `make demo` has installed anything
COLUMNS = ["reader", "label", "n", "n_missed", "n_undefined", "dice_mean", "dice_sd", "dice_median"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True, help="the study's folder, for its Dice")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND WORDS")
    args = parser.parse_args()
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    start = time.perf_counter()
    code = subprocess.run(words, check=False).returncode
    minutes = (time.perf_counter() - start) / 60
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # on a machine that others use too, processor time says more than the clock
    work = (used.ru_utime + used.ru_stime) / 60
    print(
        f"\nexit code {code}, {minutes:.1f} minutes, {work:.1f} minutes of processor time, peak memory of the largest "
        f"process {used.ru_maxrss / 1024**2:.2f} GiB"
    )
    print(" ".join(f"{name:>12s}" for name in COLUMNS))
    with open(args.study / "tables" / "dice.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            print(" ".join(f"{row[name][:6] if '.' in row[name] else row[name]:>12s}" for name in COLUMNS))
    return code


if __name__ == "__main__":
    sys.exit(main())
