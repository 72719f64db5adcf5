"""Minutes and peak memory of a whole command, and the Dice of the study it makes.

Run: python benchmarks/whole_command.py --study runs/demo/study -- make demo
     python benchmarks/whole_command.py --study runs/hippocampus -- avnnet study COHORT.csv --nets ... --out ...
"""

import argparse
import resource
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", type=Path, required=True, help="the study's folder, for its Dice")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- COMMAND WORDS")
    args = parser.parse_args()
    words = args.command[1:] if args.command[:1] == ["--"] else args.command
    start = time.perf_counter()
    code = subprocess.run(words, check=False).returncode
    minutes = (time.perf_counter() - start) / 60
    peak_gib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
    print(f"\nexit code {code}, {minutes:.1f} minutes, peak memory of the largest process {peak_gib:.2f} GiB")
    table = pd.read_csv(args.study / "tables" / "dice.csv")
    columns = ["reader", "label", "n", "n_missed", "n_undefined", "dice_mean", "dice_sd", "dice_median"]
    print(table[columns].to_string(index=False, float_format="{:.4f}".format))
    return code


if __name__ == "__main__":
    sys.exit(main())
