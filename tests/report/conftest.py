"""A made-up study folder."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP
from avnnet.plots import overlay, png_bytes
from avnnet.record import StudyRecord
from avnnet.report import write_report
from avnnet.tables import write_table
from tests.stats.conftest import made_up_study

ABOUT = StudyRecord(
    title="Femoral head necrosis, digital hips", command="avnnet study --cohort cohort.csv",
    digital=True,
    cohort="cohort.csv", networks=("unet2d", "unet3d", "ensemble"), folds=5, seed=7,
    scheme=HIP,
    centre="found by the network", versions={"avnnet": "0.1.0", "torch": "2.10.0"},
    settings={"crop": {"shape": [80, 160, 160]}, "epochs": 60},
    draws=200, started="2025-01-02T03:04:05Z", finished="2025-01-02T05:04:05Z",
)  # fmt: skip


def write_study(folder: Path, measurements, agreement, **about) -> Path:
    """A study's output folder with these tables."""
    write_table(measurements, folder / "measurements.csv")
    write_table(agreement, folder / "agreement.csv")
    replace(ABOUT, **about).write(folder)
    return folder


@pytest.fixture(scope="session")
def hips():
    return made_up_study()


@pytest.fixture
def folder(tmp_path, hips):
    return write_study(tmp_path, *hips)


@pytest.fixture(scope="session")
def written(tmp_path_factory, hips):
    """The report of the made-up study, made once for the tests that only read it."""
    return write_report(write_study(tmp_path_factory.mktemp("written"), *hips))


@pytest.fixture(scope="session")
def figure_png():
    labels = LabelMap(np.pad(np.full((6, 8, 8), 1), 4), Grid((14, 16, 16)), HIP)
    return png_bytes(overlay(Image(labels.array * 10.0, labels.grid), {"manual": labels}), dots_per_inch=40)
