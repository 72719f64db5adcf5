"""A finished study of two folds and two tiny networks, and a finished ablation, made once."""

import os
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from avnnet.cli import main
from avnnet.models import ConvBlock
from avnnet.progress import Reporter
from avnnet.training.config.experiment import load_experiment
from avnnet.training.study import run as study_module
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.conftest import once_per_run, write_net

QUIET = Reporter(is_quiet=True)
ROOT = Path(__file__).parents[2]


class OwnBlock(ConvBlock):
    """A block of a user's own, named by its import path in a config."""


@pytest.fixture
def plan(hips, net_yaml, tmp_path):
    def make(**changes) -> Study:
        if "nets" not in changes:
            changes["nets"] = [net_yaml("unet2d"), net_yaml("unet3d")]
        return Study(**{"cohort": hips, "out": tmp_path / "study", "folds": 2, **changes})

    return make


@pytest.fixture
def parsed(hips, net_yaml, tmp_path):
    """A tiny 3D network's config on the digital hips, with words of the command line: `parsed("--data.fold=1")`."""

    def make(*words: str):
        words = (f"--data.cohort={hips}", "--data.folds=2", f"--data.cache={tmp_path / 'cache'}", *words)
        experiment = load_experiment([net_yaml("unet3d")], words)
        experiment.datamodule.reporter = QUIET
        return experiment

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


def command_of_ablation() -> list[str]:
    """The words of the page's ablation: 3 variants, 3 seeds, 2 folds."""
    page = (ROOT / "docs" / "ablation.md").read_text(encoding="utf-8").replace("\\\n", " ")
    return shlex.split(re.findall(r"^avnnet (ablate .*)$", page, re.MULTILINE)[0])


def set_up_ablation(folder: Path, hips: Path) -> None:
    """Writes what the words of the page name: a tiny network in place of the laptop's, on six hips."""
    for place in ("experiments/laptop", "experiments/ablations"):
        (folder / place).mkdir(parents=True)
    write_net(folder / "experiments" / "laptop", "unet3d", steps_per_epoch=10)
    for name in ("residual", "averaged"):
        shutil.copy(ROOT / "experiments" / "ablations" / f"{name}.yaml", folder / "experiments" / "ablations")
    shutil.copytree(hips.parent, folder / "runs" / "hips")


@pytest.fixture(scope="session")
def ablated(tmp_path_factory, hips) -> Path:
    """A folder in which the ablation of docs/ablation.md has been run, in tiny form."""

    def make(folder: Path) -> None:
        set_up_ablation(folder, hips)
        before = os.getcwd()
        os.chdir(folder)
        try:
            assert main([*command_of_ablation(), "--seeds", "1"]) == 0  # the others are added after it
            assert main(command_of_ablation()) == 0
        finally:
            os.chdir(before)

    folder = once_per_run(tmp_path_factory, "ablated", make)
    # a copy for each process: a test may run the ablation again
    return shutil.copytree(folder, tmp_path_factory.mktemp("ablated") / "work")


def draw_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("write_report", "write_figures", "describe_model"):
        monkeypatch.setattr(study_module, name, lambda *_, **__: None)


@pytest.fixture
def no_report(monkeypatch):
    """Studies draw neither report nor pictures, half of their time here, for tests that look at neither."""
    draw_nothing(monkeypatch)
