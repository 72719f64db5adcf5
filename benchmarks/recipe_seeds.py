"""What a change of a recipe is worth: the base and its variants on the same folds, over several seeds.

A difference below 0.005 Dice is within what another seed gives, so it needs at least three of them. A variant is a
list of keys as in a config; a call that was stopped goes on.

Run: python benchmarks/recipe_seeds.py ../shared/data/hippocampus/cohort.csv --out runs/recipe \\
       --base experiments/hippocampus/unet3d.yaml --variant wide "model.net.init_args.channels=[24,48,96,192]"
"""

import argparse
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="config of a network")
    parser.add_argument("--variant", nargs="+", action="append", default=[], metavar="NAME KEY=VALUE")
    parser.add_argument("--overlay", type=Path, action="append", default=[], help="a variant that is a file already")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--fold", type=int, default=0, help="the fold held out (default 0 of 5)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for the base and all variants")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    overlays = [*args.overlay, *(write_overlay(args.out, *variant) for variant in args.variant)]
    nets = [str(args.base), *(f"{args.base}+{overlay}" for overlay in overlays)]
    rows = []
    for seed in args.seeds:
        out = args.out / f"seed{seed}"
        words = [str(Path(sys.executable).with_name("avnnet")), "study", str(args.cohort), "--nets", *nets]
        words += ["--only-fold", str(args.fold), "--out", str(out), "--set", f"seed_everything={seed}"]
        words += [word for key in args.set for word in ("--set", key)]
        code = subprocess.run(words, check=False).returncode
        if code:
            return code
        rows.append(pd.read_csv(out / "agreement.csv").assign(seed=seed))
    print_table(pd.concat(rows), args.base.stem)
    return 0


def write_overlay(out: Path, name: str, *keys: str) -> Path:
    """The path of a YAML with these `a.b.c=value` keys."""
    content: dict = {}
    for key in keys:
        path, value = key.split("=", 1)
        inner = content
        *parents, last = path.split(".")
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[last] = yaml.safe_load(value)
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{name}.yaml"
    target.write_text(yaml.safe_dump(content), encoding="utf-8")
    return target


def print_table(agreement: pd.DataFrame, base: str) -> None:
    """Mean Dice of every network per structure, and its difference from the base: mean and SD over the seeds."""
    means = agreement.groupby(["label", "reader", "seed"])["dice"].mean().unstack("seed")
    readers = [reader for reader in means.index.unique("reader") if reader.startswith(base)]
    print(f"\n{'structure':12s} {'network':24s} {'Dice':>7s} {'difference':>11s} {'SD over seeds':>14s}  per seed")
    for label in means.index.unique("label"):
        for reader in readers:
            dice = means.loc[(label, reader)]
            difference = dice - means.loc[(label, base)]
            spread = difference.std(ddof=1) if reader != base else dice.std(ddof=1)
            each = " ".join(f"{value:.4f}" for value in dice)
            print(f"{label:12s} {reader:24s} {dice.mean():7.4f} {difference.mean():+11.4f} {spread:14.4f}  {each}")


if __name__ == "__main__":
    sys.exit(main())
