"""Spacing and head-centred crop of one hip: this library's transforms beside spacing the whole image and cropping.

104 x 384 x 384 voxels at 1.1 x 0.47 x 0.47 mm go to 80 x 160 x 160 at 1 x 0.44 x 0.44 mm, side by side in one run.

Run: python benchmarks/spacing_and_crop.py
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Spacingd

from avnnet.data.transforms import CENTRE_KEY, HeadCentredCropd, spacing_and_crop

SHAPE, SOURCE_MM = (104, 384, 384), (1.1, 0.47, 0.47)
SPACING_MM, CROP = (1.0, 0.44, 0.44), (80, 160, 160)
RUNS = 7


def hip(keys: list[str]) -> dict:
    """A dict of MetaTensors of the abstract's size."""
    generator = np.random.default_rng(1)
    affine = torch.diag(torch.tensor([*SOURCE_MM, 1.0], dtype=torch.float64))
    arrays = {
        "image": generator.integers(0, 1000, SHAPE).astype(np.int16),
        "label": generator.integers(0, 3, SHAPE).astype(np.uint8),
    }
    data: dict = {key: MetaTensor(torch.from_numpy(arrays[key])[None], affine=affine) for key in keys}
    data[CENTRE_KEY] = tuple(s * n / 2 for s, n in zip(SOURCE_MM, SHAPE, strict=True))
    return data


def alternately(functions: list[Callable], data: dict) -> list[float]:
    """Median seconds of each function, called in turn so that a slow minute hits all alike."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(RUNS + 1):
        for number, function in enumerate(functions):
            start = time.perf_counter()
            function(dict(data))
            times[number].append(time.perf_counter() - start)
    return [statistics.median(one[1:]) for one in times]


def main() -> None:
    print(f"{torch.get_num_threads()} threads, median of {RUNS}")
    for keys, modes in ((["image"], ["bilinear"]), (["image", "label"], ["bilinear", "nearest"])):
        fast = spacing_and_crop(keys, modes, SPACING_MM, CROP)
        spacing = Spacingd(keys, pixdim=SPACING_MM, mode=modes, padding_mode="border", dtype=np.float32)
        whole = Compose([spacing, HeadCentredCropd(keys, CROP)])
        quick_s, slow_s = alternately([fast, whole], hip(keys))
        print(
            f"{' + '.join(keys):14s} crop only {quick_s:.3f} s, whole image first {slow_s:.3f} s, "
            f"ratio {slow_s / quick_s:.1f}"
        )


if __name__ == "__main__":
    main()
