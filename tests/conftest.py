"""What many tests share: a tiny cohort of digital hips and tiny networks."""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from avnnet.data.cohort import read_cohort
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.phantom import Acquisition, CohortPlan, Plane, write_cohort

COARSE = Acquisition((32, 60, 56), (3.2, 2.8, 3.0), Plane.AXIAL)


# these begin, so that no process ends long after the other
LONGEST = [
    f"tests/{name}.py"
    for name in (
        "training/test_study", "training/test_ablation", "test_notebooks", "training/test_locator",
        "test_device_script", "training/test_notebook_kernel",
        "training/test_evaluate", "phantom/test_hip", "training/test_crashes", "training/test_resume",
        "training/test_snippets", "training/test_experiments", "training/test_channels", "report/test_html",
    )
]  # fmt: skip


def once_per_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder that `make` fills once for all processes of a test run; it is not to be changed."""
    base = factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    done = base / f"{name}.done"
    with open(base / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(base / name)
            done.touch()
    return base / name


def _write_hips(folder: Path) -> None:
    plan = CohortPlan(patients=6, seed=3, acquisition=COARSE, other_hip_every=0)
    path = write_cohort(plan, folder)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[1, "patient_id"] = table.loc[0, "patient_id"]
    table.to_csv(path, index=False)


@pytest.fixture(scope="session")
def hips(tmp_path_factory) -> Path:
    """The cohort.csv of six coarse digital hips; the first two are hips of one patient."""
    return once_per_run(tmp_path_factory, "hips", _write_hips) / "cohort.csv"


@pytest.fixture
def cohort(hips):
    return read_cohort(hips)


def write_net(folder: Path, name: str, *, max_epochs: int = 2, **data: object) -> Path:
    """The path of a tiny config, "unet2d" or "unet3d", in this folder; `data` replaces or adds keys of its data."""
    ndim = 2 if "2d" in name else 3
    init_args = {"channels": [4, 8], "strides": [[2] * ndim], "deep_supervision": 1}
    sizes = {"spacing_mm": [4.0, 4.0, 4.0], "crop": [16, 18, 18], "patch": [16, 18, 18]}
    counts = {"batch_size": 2, "steps_per_epoch": 3, **({"slices": 4} if ndim == 2 else {})}
    config = {
        "seed_everything": 7,
        "model": {"net": {"class_path": f"avnnet.models.UNet{ndim}D", "init_args": init_args}},
        "data": {**sizes, **counts, **data},
        "trainer": {"max_epochs": max_epochs, "precision": "32-true", "accelerator": "cpu"},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def net_yaml(tmp_path):
    """Writes a tiny config and gives its path: `net_yaml("unet3d")`."""
    return partial(write_net, tmp_path)


def reordered(image: Image, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Image:
    """The same image with its array axes permuted, then flipped; every voxel stays where it is in the patient."""
    grid = image.grid
    direction = np.asarray(grid.direction)[:, list(axes)]
    spacing = np.asarray(grid.spacing)[list(axes)]
    shape = np.asarray(grid.shape)[list(axes)]
    array, origin = image.array.transpose(axes), np.asarray(grid.origin)
    for axis, flip in enumerate(flips):
        if flip:
            array = np.flip(array, axis)
            origin = origin + direction[:, axis] * spacing[axis] * (shape[axis] - 1)
            direction = direction * np.where(np.arange(3) == axis, -1, 1)
    moved = Grid(tuple(shape), tuple(spacing), tuple(origin), tuple(map(tuple, direction)))
    if isinstance(image, LabelMap):
        return LabelMap(array, moved, image.scheme)
    return Image(array, moved)


ORDERS = [
    (axes, flips) for axes in itertools.permutations(range(3)) for flips in itertools.product((False, True), repeat=3)
]
"""All 48 orders in which a file can store the same image: 24 proper and 24 improper."""


def dice_of(first: np.ndarray, second: np.ndarray) -> float:
    return 2 * float((first & second).sum()) / float(first.sum() + second.sum())


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(place)))
    if torch.cuda.is_available():
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no CUDA device here"))
