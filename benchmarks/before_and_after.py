"""Whether two checkouts make the same tables and masks: one small study by each, compared file by file, byte by byte.

Run: git worktree add --detach ../before REVISION
     python benchmarks/before_and_after.py ../before . --out runs/before_and_after

Digital hips of twelve patients, a 2D and a 3D network, their ensemble and a locator on two folds, and what `predict`,
`evaluate`, `measure`, `compare` and `stats` make of them. Every process has one thread and the precision 32-true, which
the locator had always before it obeyed another. A run that is there already is not made again.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

TABLES_AND_MASKS = (".csv", ".nii.gz", ".seg.nrrd")
LAPTOP = "experiments/laptop"
SHORT = ["--set", "trainer.precision=32-true", "--set", "trainer.max_epochs=3", "--set", "data.steps_per_epoch=8",
         "--set", "trainer.check_val_every_n_epoch=1"]  # fmt: skip
NETS = [f"{LAPTOP}/unet2d.yaml", f"{LAPTOP}/unet3d.yaml"]
CASES = ["hip-001", "hip-002"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout")
    parser.add_argument("after", type=Path, help="another")
    parser.add_argument("--out", type=Path, required=True, help="folder of all that both make")
    args = parser.parse_args()
    folders = [args.out.resolve() / name for name in ("before", "after")]
    for checkout, folder in zip([args.before, args.after], folders, strict=True):
        folder.mkdir(parents=True, exist_ok=True)
        for nth, words in enumerate(commands(folder), start=1):
            run(checkout.resolve(), folder, nth, words)
    return compare(*folders)


def commands(folder: Path) -> list[list[str]]:
    """The words of every command, in order; all that is written lies in the folder, named the same in both."""
    cohort, study, model = "hips/cohort.csv", "study", "study/model"
    images = [f"hips/images/{case}.nii.gz" for case in CASES]
    masks = ["study/masks/unet2d", "study/masks/unet3d"]
    return [
        ["phantom", "cohort", "hips", "--size", "laptop", "--patients", "12", "--other-hip-every", "6"],
        [
            "study",
            cohort,
            "--out",
            study,
            "--folds",
            "2",
            "--nets",
            *NETS,
            "--locator",
            f"{LAPTOP}/locator.yaml",
            *SHORT,
        ],
        ["predict", model, *images, "--out", "predicted", "--keep-names"],
        ["predict", model, images[0], "--out", "keyed", "--format", "seg.nrrd"],
        ["evaluate", model, cohort, "--out", "evaluated", "--mark-seen"],
        ["measure", *(f"study/masks/ensemble/{case}.nii.gz" for case in CASES), "--out", "measured"],
        ["compare", *masks, "--out", "compared"],
        [
            "stats",
            "study/measurements.csv",
            "--agreement",
            "study/agreement.csv",
            "--automatic",
            "ensemble",
            "--out",
            "statistics",
        ],
    ]


def run(checkout: Path, folder: Path, nth: int, words: list[str]) -> None:
    """One command of a checkout, run in the folder; its last lines if it fails."""
    log = folder / f"{nth} {words[0]}.log"
    if log.exists() and log.read_text().endswith("exit code 0\n"):
        return
    print(f"{folder.name}: avnnet {' '.join(words)[:100]}", flush=True)
    experiments = folder / "experiments"
    if not experiments.exists():
        experiments.symlink_to(checkout / "experiments")
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    program = "import sys; from avnnet.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    log.write_text(f"{done.stdout}\nexit code {done.returncode}\n")
    if done.returncode:
        print("\n".join(done.stdout.splitlines()[-5:]))


def compare(before: Path, after: Path) -> int:
    """The number of tables and masks that differ or that only one of both has; each is named."""
    found = [
        {path.relative_to(folder) for path in folder.rglob("*") if path.name.endswith(TABLES_AND_MASKS)}
        for folder in (before, after)
    ]
    both = sorted(found[0] & found[1])
    differ = [path for path in both if content(before / path, before) != content(after / path, after)]
    for path in differ:
        print(f"differs: {path}")
        if path.suffix == ".csv":
            explain(before / path, after / path)
    for folder, own in zip((before, after), (found[0] - found[1], found[1] - found[0]), strict=True):
        for path in sorted(own):
            print(f"only {folder.name}: {path}")
    masks = sum(path.suffix != ".csv" for path in both)
    print(f"{len(both) - masks} tables and {masks} masks of both: {len(both) - len(differ)} equal byte by byte")
    return len(differ) + len(found[0] ^ found[1])


def content(path: Path, folder: Path) -> bytes:
    """The bytes of a file, without what must differ: the folder's own path, and the seconds of a table of training."""
    whole = path.read_bytes().replace(str(folder).encode(), b".")
    header, *rows = whole.split(b"\n")
    if path.suffix != ".csv" or b"seconds" not in (columns := header.strip().split(b",")):
        return whole
    nth = columns.index(b"seconds")
    return b"\n".join(
        [header, *(b",".join(cell for n, cell in enumerate(row.split(b",")) if n != nth) for row in rows)]
    )


def explain(before: Path, after: Path) -> None:
    """The columns that only one table has, and those whose values differ."""
    import pandas as pd

    tables = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in (before, after)]
    shared = [name for name in tables[0] if name in tables[1]]
    for nth, word in enumerate(("before", "after")):
        own = [name for name in tables[nth] if name not in shared]
        if own:
            print(f"  columns only {word}: {' '.join(own)}")
    if len(tables[0]) != len(tables[1]):
        print(f"  {len(tables[0])} rows before, {len(tables[1])} after")
        return
    for name in shared:
        is_other = tables[0][name] != tables[1][name]
        if is_other.any():
            row = is_other.idxmax()
            print(f"  {name}: {is_other.sum()} rows, such as {tables[0][name][row]!r} now {tables[1][name][row]!r}")


if __name__ == "__main__":
    sys.exit(main())
