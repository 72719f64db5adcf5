"""Dice of networks of crops in images that are larger than a crop, where nobody says where the head is.

Each image of a cohort that the model never saw is cut to a multiple of the crop around its head's centre, and a window
slides over it; beside it stands the Dice around the given centre, and around the one that the model's locator finds in
the whole image.

Run: python benchmarks/without_centre.py MODEL COHORT.csv
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.image import Image, LabelMap
from avnnet.inference import ensemble
from avnnet.inference.engines import chosen_engine
from avnnet.inference.model_folder import load_model
from avnnet.inference.segmentation import Segmentation
from avnnet.metrics import dice

SHARES = (1.0, 1.2, 1.4, 1.6, 1.8, math.inf)


def cut(image: Image, manual: LabelMap, centre_mm: tuple[float, ...], size_mm: float) -> tuple[Image, LabelMap]:
    """A cube of an image, or as much of it as there is."""
    grid = image.grid
    middle, half = np.asarray(grid.to_index(centre_mm)), size_mm / 2 / np.asarray(grid.spacing)
    first = np.maximum(np.round(middle - half), 0).astype(int)
    stop = np.minimum(np.round(np.minimum(middle + half, grid.shape)), grid.shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(first, stop, strict=True))
    part = replace(grid, shape=tuple(int(n) for n in stop - first), origin=tuple(grid.to_lps(first)))
    return Image(image.array[box], part), LabelMap(manual.array[box], part, manual.scheme)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("cohort", type=Path)
    args = parser.parse_args()
    ensemble.LARGER_THAN_A_CROP = math.inf  # what is to be shown is why it is refused
    model = load_model(args.model, engine=chosen_engine("auto", "cpu", None, print))
    locator, scheme, how = model.locator, model.scheme, model.members[0].preprocess
    size_mm = max(n * mm for n, mm in zip(how.crop, how.spacing_mm, strict=True))
    names = [scheme.whole, scheme.part]
    found: dict[str, list[list[float]]] = {}

    def add(name: str, hip: Segmentation, manual: LabelMap) -> None:
        found.setdefault(name, []).append([dice(manual.mask(one), hip.labels.mask(one)) for one in names])

    cases = read_cohort(args.cohort).cases
    for case in cases:
        image, manual = read_image(case.image), read_labels(case.label)
        model.locator = None
        for share in SHARES:
            part, drawn = (image, manual) if share == math.inf else cut(image, manual, case.centre_mm, share * size_mm)
            name = "whole image" if share == math.inf else f"{share:g} crops"
            add(name, model.hips(part, side=case.side)[0], drawn)
        add("given centre", model.hips(image, side=case.side, centre_mm=case.centre_mm)[0], manual)
        model.locator = locator
        if locator is not None:
            add("located", model.hips(image, side=case.side)[0], manual)
    print(f"{len(cases)} cases; {size_mm:.0f} mm are a crop. Mean Dice (lowest)")
    for name, values in found.items():
        means, lowest = np.nanmean(values, axis=0), np.nanmin(values, axis=0)
        said = [f"{one} {mean:.3f} ({low:.3f})" for one, mean, low in zip(names, means, lowest, strict=True)]
        print(f"{name:14s} {', '.join(said)}")


if __name__ == "__main__":
    main()
