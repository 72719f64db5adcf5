"""How far a locator's centres lie from those of manual masks, and how long it takes, by the overlap of its tiles.

Run: python benchmarks/locator_overlap.py MODEL COHORT.csv [COHORT.csv ...]
MODEL has a locator, which never saw the cohorts.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.inference.engines import chosen_engine
from avnnet.inference.heads import heads_in
from avnnet.inference.locate import Locator
from avnnet.inference.model_folder import load_model

OVERLAPS = (0.5, 0.25, 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("cohorts", type=Path, nargs="+")
    args = parser.parse_args()
    locator = load_model(args.model, engine=chosen_engine("auto", "cpu", None, print)).locator
    members = locator.ensemble.members
    for path in args.cohorts:
        cases = read_cohort(path).cases
        off = {overlap: [] for overlap in OVERLAPS}
        seconds = {overlap: [] for overlap in OVERLAPS}
        for case in cases:
            image = read_image(case.image)
            (head,) = heads_in(read_labels(case.label))
            for overlap in OVERLAPS:
                made = Locator(locator.ensemble)
                made.ensemble.members = [member.tiled(overlap) for member in members]
                start = time.perf_counter()
                found = made.find(image)
                seconds[overlap].append(time.perf_counter() - start)
                errors = [np.linalg.norm(np.subtract(head.centre_mm, one.centre_mm)) for one in found]
                off[overlap].append(min(errors, default=np.inf))
        print(f"{path}: {len(cases)} heads; error of the centre in mm")
        for overlap in OVERLAPS:
            errors = np.asarray(off[overlap])
            print(
                f"  overlap {overlap:4.2f}: mean {errors.mean():.2f}, median {np.median(errors):.2f}, largest "
                f"{errors.max():.2f}; not found {np.isinf(errors).sum()}; {np.median(seconds[overlap]):.2f} s an image",
                flush=True,
            )


if __name__ == "__main__":
    main()
