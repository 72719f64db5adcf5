"""A finished study of two folds and two tiny networks, made once."""

import pytest

from avnnet.models import ConvBlock
from avnnet.progress import Reporter
from avnnet.training.plan import Study
from avnnet.training.study import run_study

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
    nets = []
    for ndim in (2, 3):
        path = folder / f"unet{ndim}d.yaml"
        path.write_text(f"""
seed_everything: 7
model:
  net:
    class_path: avnnet.models.UNet{ndim}D
    init_args: {{channels: [4, 8], strides: [{[2] * ndim}]}}
data:
  spacing_mm: [4.0, 4.0, 4.0]
  crop: [16, 18, 18]
  patch: [16, 18, 18]
  batch_size: 2
  steps_per_epoch: 10
  slices: {4 if ndim == 2 else "null"}
trainer: {{max_epochs: 2, precision: 32-true, accelerator: cpu}}
""")
        nets.append(path)
    study = Study(hips, nets, folder / "study", folds=2, command="avnnet study ...")
    return study, run_study(study, QUIET)
