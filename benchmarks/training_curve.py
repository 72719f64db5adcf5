"""The validation Dice over the minutes of a study's training: a table, and a picture.

Mean over the folds at the same epoch. Progress, not a result: the voxels of a fold's held-out cases are taken together.

Run: python benchmarks/training_curve.py runs/hippocampus --png docs/images/hippocampus_training.png
"""

import argparse
import sys
from pathlib import Path

from matplotlib.figure import Figure

from avnnet.plots import save_png, training_plot
from avnnet.report import read_study


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="the study's folder")
    parser.add_argument("--png", type=Path, help="where the picture goes")
    args = parser.parse_args()
    study = read_study(args.study)
    if study.training is None:
        parser.error(f"no training.csv in {args.study}; run the study with this version")
    structures = list(study.scheme.names.values())
    values = [f"val_dice_{name}" for name in structures]
    validated = study.training.dropna(subset=values)
    for network, rows in validated.groupby("network", sort=False):
        means = rows.groupby("epoch")[["seconds", *values]].mean()
        print(f"\n{network}, mean of {rows['fold'].nunique()} folds")
        print("minutes    ", *(f"{seconds / 60:6.1f}" for seconds in means["seconds"]))
        for name, value in zip(structures, values, strict=True):
            print(f"{name:11s}", *(f"{dice:6.3f}" for dice in means[value]))
    if args.png:
        figure = Figure(figsize=(4.6 * len(structures), 3.6), layout="constrained")
        for axes, name in zip(figure.subplots(1, len(structures), squeeze=False)[0], structures, strict=True):
            training_plot(study.training, name, axes=axes)
        print(f"\n{save_png(figure, args.png, dots_per_inch=110)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
