"""A race on one fold: avnnet, nnU-Net's own trainer and MONAI's DynUNet, with the same cores and the same minutes.

Each racer trains for the minutes, planning and preprocessing of nnU-Net not counted, and segments the held-out cases
on their own grid; that is not counted either. Operations are those of a whole training step as torch counts them. One
training after another, each in a process of its own; a race that was stopped goes on. nnU-Net runs in an environment of
its own, which has what avnnet needs too (benchmarks/oracle/README.md): --nnunet-python names it; without it nnU-Net is
left out.

Run: python benchmarks/race.py ../shared/data/hippocampus/cohort.csv --minutes 5 10 20 --out runs/race \\
       --config experiments/hippocampus/unet3d.yaml --labels 1=anterior,2=posterior --part anterior --whole hippocampus
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd

from avnnet.report.formats import as_markdown

ROOT = Path(__file__).parents[1]
OURS = "avnnet"
NAMES = {OURS: OURS, "dynunet": "DynUNet", "nnunet": "nnU-Net"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--config", action="append", required=True, help="of avnnet's network; later ones go over it")
    parser.add_argument("--minutes", type=float, nargs="+", default=[5, 10, 20])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--labels", required=True)
    parser.add_argument("--part", required=True)
    parser.add_argument("--whole", required=True)
    parser.add_argument("--nnunet-python", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    write_splits(args)
    racers = {OURS: sys.executable, "dynunet": sys.executable}
    if args.nnunet_python:
        racers["nnunet"] = str(args.nnunet_python)
    for minutes in args.minutes:
        for seed in args.seeds:
            for name, python in racers.items():
                race(args, name, python, minutes, seed)
    rows = pd.concat(scored(args, folder) for folder in sorted(args.out.glob("*-*min-seed*")))
    rows.to_csv(args.out / "race.csv", index=False)
    table = summary(rows)
    print(table.to_string(index=False))
    cells = [["" if cell != cell else str(cell) for cell in row] for row in table.to_numpy().tolist()]
    (args.out / "race.md").write_text(as_markdown(list(table), cells), encoding="utf-8")
    draw(table, args.out / "race.png")
    return 0


def write_splits(args: argparse.Namespace) -> None:
    """The folds, those of a study of seed 1."""
    from avnnet.data.cohort import read_cohort
    from avnnet.data.splits import stored_folds

    args.out.mkdir(parents=True, exist_ok=True)
    stored_folds(args.out / "splits.json", read_cohort(args.cohort), args.folds, seed=1)


def race(args: argparse.Namespace, name: str, python: str, minutes: float, seed: int) -> None:
    """One racer's training and masks, if they are not there yet."""
    out = (args.out / f"{name}-{minutes:g}min-seed{seed}").resolve()
    if (out / "done").exists():
        return
    script = {OURS: "ours", "dynunet": "dynunet", "nnunet": "nnunet"}[name]
    words = [python, str(ROOT / "benchmarks" / "racers" / f"{script}.py"), str(args.cohort)]
    words += ["--splits", str((args.out / "splits.json").resolve()), "--fold", str(args.fold)]
    words += ["--minutes", f"{minutes:g}", "--seed", str(seed), "--out", str(out)]
    words += ["--shared", str((args.out / "nnunet").resolve())]
    words += ["--labels", args.labels, "--part", args.part, "--whole", args.whole]
    if name == OURS:
        words += [word for config in args.config for word in ("--config", config)]
    threads = str(args.threads)
    known = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "PYTHONPATH": str(ROOT)}
    print(f"{name}, {minutes:g} minutes, seed {seed}", flush=True)
    subprocess.run(words, check=True, env=known)
    (out / "done").touch()


def scored(args: argparse.Namespace, folder: Path) -> pd.DataFrame:
    """A row per held-out case and label: Dice, and what the training took."""
    from avnnet.cli.words import names_by_id
    from avnnet.data.cohort import read_cohort
    from avnnet.data.files import read_labels
    from avnnet.labels import LabelScheme
    from avnnet.measure import agreement_rows, case_row

    scheme = LabelScheme(names_by_id(args.labels), args.part, args.whole)
    manual = {case.case_id: case.label for case in read_cohort(args.cohort)}
    record = json.loads((folder / "race.json").read_text(encoding="utf-8"))
    racer, _, seed = folder.name.split("-")
    rows = []
    for mask in sorted((folder / "masks").glob("*.nii.gz")):
        case_id = mask.name.removesuffix(".nii.gz")
        pair = read_labels(manual[case_id], scheme), read_labels(mask, scheme)
        rows.append(agreement_rows(case_row(case_id), racer, *pair)[["case_id", "label", "dice", "hd95_mm"]])
    tflop = record["steps"] * record["step_gflop"] / 1e3
    told = {"racer": racer, "minutes": record["minutes"], "seed": int(seed.removeprefix("seed")), "train_tflop": tflop}
    return pd.concat(rows).assign(**told, steps=record["steps"], precision=record["precision"])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """A row per racer, minutes and label: steps, operations, mean Dice, and avnnet's lead with its 95 % interval.

    The interval is of the paired differences by case, the seeds of a case averaged before.
    """
    from scipy import stats

    per_case = rows.groupby(["minutes", "label", "racer", "case_id"])["dice"].mean()
    found = []
    for (minutes, label, racer), group in rows.groupby(["minutes", "label", "racer"], sort=False):
        row = {"racer": racer, "minutes": minutes, "label": label, "seeds": group["seed"].nunique()}
        row |= {
            "steps": group["steps"].mean(),
            "train_tflop": group["train_tflop"].mean(),
            "dice": group["dice"].mean(),
        }
        if racer != OURS and (minutes, label, OURS) in per_case.index.droplevel("case_id"):
            lead = per_case[minutes, label, OURS] - per_case[minutes, label, racer]
            low, high = stats.t.interval(0.95, len(lead) - 1, lead.mean(), stats.sem(lead))
            row |= {"lead_of_avnnet": lead.mean(), "ci_low": low, "ci_high": high}
        found.append(row)
    order = ["minutes", "label", "racer"]
    return pd.DataFrame(found).sort_values(order).reset_index(drop=True).round(4)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Mean Dice over minutes and over operations, a row of panels per label."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import FixedLocator, LogLocator, NullLocator, ScalarFormatter

    labels = sorted(table["label"].unique())
    figure = Figure(figsize=(9, 3 * len(labels)), layout="constrained")
    axes = figure.subplots(len(labels), 2, squeeze=False)
    for row, label in zip(axes, labels, strict=True):
        for ax, column, words in zip(row, ("minutes", "train_tflop"), ("minutes of training", "TFLOP"), strict=True):
            for racer, one in table[table["label"] == label].groupby("racer"):
                ax.plot(one[column], one["dice"], marker="o", label=NAMES[racer])
            ax.set(xlabel=words, ylabel=f"Dice, {label}")
            ax.set_xscale("log")
            ax.set_ylim(-0.03, 1)  # a Dice of 0 is seen
            marks = (
                FixedLocator(sorted(table["minutes"].unique())) if column == "minutes" else LogLocator(subs=[1, 2, 5])
            )
            ax.xaxis.set_major_locator(marks)
            ax.xaxis.set_minor_locator(NullLocator())
            ax.xaxis.set_major_formatter(ScalarFormatter())
            ax.grid(alpha=0.3)
    axes[0][0].legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    sys.exit(main())
