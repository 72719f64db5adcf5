"""Dice of a study by stage, by sequence, or by any other column of its cohort.

Run: python benchmarks/dice_by.py runs/digital/study runs/digital/hips/cohort.csv arco_stage sequence
"""

import argparse
import sys
from pathlib import Path

import pandas as pd


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder with agreement.csv")
    parser.add_argument("cohort", type=Path, help="its cohort.csv")
    parser.add_argument("columns", nargs="+", help="columns of the cohort")
    args = parser.parse_args()
    cohort = pd.read_csv(args.cohort, dtype=str, keep_default_na=False)[["case_id", *args.columns]]
    agreement = pd.read_csv(args.study / "agreement.csv", dtype={"case_id": str})
    table = agreement.drop(columns=args.columns, errors="ignore").merge(cohort, on="case_id", validate="m:1")
    for column in args.columns:
        print(f"\n| {column} | n | reader | structure | Dice, mean ± SD | median | lowest |")
        print("|---|---|---|---|---|---|---|")
        for (value, label, reader), dice in table.groupby([column, "label", "reader"])["dice"]:
            spread = f"{dice.mean():.3f} ± {dice.std(ddof=1):.3f}"
            print(f"| {value} | {len(dice)} | {reader} | {label} | {spread} | {dice.median():.3f} | {dice.min():.3f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
