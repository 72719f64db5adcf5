"""A finished study of two folds and two tiny networks, made once."""

import pytest

from avnnet.models import ConvBlock
from avnnet.progress import Reporter
from avnnet.training.plan import Study
from avnnet.training.study import run_study
from tests.conftest import write_net

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
    folder = tmp_path_factory.mktemp("finished")
    nets = [write_net(folder, name, steps_per_epoch=10) for name in ("unet2d", "unet3d")]
    study = Study(hips, nets, folder / "study", folds=2, command="avnnet study ...")
    return study, run_study(study, QUIET)
