"""A finished study of two folds and two tiny networks, made once."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from avnnet.models import ConvBlock
from avnnet.progress import Reporter
from avnnet.training import study as study_module
from avnnet.training.plan import Study
from avnnet.training.study import run_study
from tests.conftest import once_per_run, write_net

QUIET = Reporter(is_quiet=True)


class OwnBlock(ConvBlock):
    """A block of a user's own, named by its import path in a config."""


@pytest.fixture
def plan(hips, net_yaml, tmp_path):
    def make(**changes) -> Study:
        if "nets" not in changes:
            changes["nets"] = [net_yaml("unet2d"), net_yaml("unet3d")]
        return Study(**{"cohort": hips, "out": tmp_path / "study", "folds": 2, **changes})

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory, hips):
    """A finished study of two folds and two networks, and how many cases failed."""

    def plan(folder: Path) -> Study:
        nets = [folder / f"{name}.yaml" for name in ("unet2d", "unet3d")]
        return Study(hips, nets, folder / "study", folds=2, command="avnnet study ...")

    def make(folder: Path) -> None:
        folder.mkdir()
        for name in ("unet2d", "unet3d"):
            write_net(folder, name, steps_per_epoch=10)
        (folder / "failed").write_text(str(run_study(plan(folder), QUIET)))

    folder = once_per_run(tmp_path_factory, "finished", make)
    # a copy for each process: a test may run the study again
    own = shutil.copytree(folder / "study", tmp_path_factory.mktemp("finished") / "study")
    return replace(plan(folder), out=own), int((folder / "failed").read_text())


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("write_report", "_write_figures"):
        monkeypatch.setattr(study_module, name, lambda *_: None)


@pytest.fixture
def no_report(monkeypatch):
    """Studies draw neither report nor pictures, half of their time here, for tests that look at neither."""
    draw_nothing(monkeypatch)
