"""Networks that are nobody's subclass of ours, from a YAML to a mask without a line of Python."""

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from avnnet.cli import main
from avnnet.errors import InvalidConfig, InvalidNetwork
from avnnet.models import Foreign, UNet3D
from avnnet.progress import Reporter
from avnnet.training.config.experiment import load_experiment
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.cli.test_predict import centre_of
from tests.models.test_foreign import SMALL

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
BASE = EXPERIMENTS / "hippocampus" / "unet3d.yaml"
OVERLAYS = sorted((EXPERIMENTS / "foreign").glob("*.yaml"))
CPU = ["--trainer.accelerator=cpu", "--trainer.precision=32-true"]


def overlay(folder: Path, net: dict, name: str = "foreign") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({"model": {"net": net}}))
    return path


def monai(name: str, **init_args: object) -> dict:
    inner = {"class_path": f"monai.networks.nets.{name}", "init_args": init_args}
    return {"class_path": "avnnet.models.Foreign", "init_args": {"net": inner}}


def needs(name: str) -> None:
    if name.lower() == "swinunetr" and importlib.util.find_spec("einops") is None:
        pytest.skip("MONAI's transformers need einops")


@pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
def test_an_overlay_replaces_the_network_and_keeps_the_rest(path, cohort):
    needs(path.stem)
    base, laid = load_experiment([BASE], CPU), load_experiment([BASE, path], CPU)
    laid.check_network(cohort)
    assert isinstance(laid.model.net, Foreign)
    assert laid.model.net.classes == 3
    own, other = base.as_plain(), laid.as_plain()
    assert own["trainer"] == other["trainer"]
    assert [key for key in own["data"] if own["data"][key] != other["data"][key]] in ([], ["patch"])
    assert own["model"].pop("net") != other["model"].pop("net")
    assert own["model"] == other["model"]


def test_an_overlay_on_an_overlay_keeps_no_argument_of_the_class_below(tmp_path):
    dynunet, segresnet = (EXPERIMENTS / "foreign" / f"{name}.yaml" for name in ("dynunet", "segresnet"))
    both = load_experiment([BASE, dynunet, segresnet], CPU)
    assert both.as_plain() == load_experiment([BASE, segresnet], CPU).as_plain()
    back = overlay(
        tmp_path, {"class_path": "avnnet.models.UNet3D", "init_args": {"channels": [4, 8], "strides": [[2] * 3]}}
    )
    assert type(load_experiment([BASE, dynunet, back], CPU).model.net) is UNet3D


def whole_study(name, hips, net_yaml, folder, monkeypatch):
    """A study of one network of MONAI's, without and with folds in an ensemble, and a mask from its model folder."""
    monkeypatch.chdir(folder)
    # SwinUNETR halves five times, and cannot normalise a voxel alone
    patch = [32, 32, 64] if name == "SwinUNETR" else [16, 16, 16]
    if name == "BasicUNetPlusPlus":
        patch = [32, 32, 32]
    config = net_yaml("unet3d", max_epochs=1, steps_per_epoch=1, crop=patch, patch=patch)
    foreign = overlay(folder, monai(name, **SMALL[name][0]))
    study = Study(hips, [Path(f"{config}+{foreign}")], folder / "study", folds=2, overrides=CPU)
    assert run_study(study, Reporter(is_quiet=True)) == 0


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(
    "name",
    [
        "DynUNet",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("SegResNet", "BasicUNetPlusPlus", "AttentionUnet")),
        pytest.param("SwinUNETR", marks=pytest.mark.slow),
    ],
)
def test_a_network_of_monais_runs_a_whole_study_and_predicts_from_its_folder(
    name, hips, cohort, net_yaml, tmp_path, monkeypatch
):
    needs(name)
    whole_study(name, hips, net_yaml, tmp_path, monkeypatch)
    image = str(cohort.cases[0].image[0])
    assert main(["predict", "study/model", image, "--out", "masks", centre_of(cohort.cases[0])]) == 0
    assert len(list((tmp_path / "masks").glob("*.nii.gz"))) == 1


OWN = """
from torch import nn

class Tiny(nn.Module):
    ndim, in_channels, classes, divisors = 3, 1, 3, (1, 1, 1)

    def __init__(self, width: int = 4):
        super().__init__()
        self.width = width
        self.layers = nn.Sequential(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 3, 1))

    def forward(self, x):
        return self.layers(x)

    def scales(self, x):
        return [self(x)]

class Listing(Tiny):
    def forward(self, x):
        return [self.layers(x)]

class Bare(nn.Sequential):
    def __init__(self, width: int = 4):
        super().__init__(nn.Conv3d(1, width, 3, padding=1), nn.ReLU(), nn.Conv3d(width, 3, 1))
        self.width = width
"""


@pytest.fixture
def own_module(tmp_path, monkeypatch):
    (tmp_path / "own_networks.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_networks", raising=False)


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize("name", ["Tiny", "Bare"])
def test_a_class_that_is_no_subclass_of_ours_is_trained_saved_and_loaded(name, hips, cohort, net_yaml, tmp_path):
    path = f"own_networks.{name}"
    bare = {"class_path": path, "init_args": {"width": 3}}
    net = bare if name == "Tiny" else {"class_path": "avnnet.models.Foreign", "init_args": {"net": bare}}
    config = net_yaml("unet3d", max_epochs=1, steps_per_epoch=1, cache=str(tmp_path / "c"), cohort=str(hips), folds=2)
    words = ["-c", str(config), "-c", str(overlay(tmp_path, net)), f"--trainer.default_root_dir={tmp_path / 'run'}"]
    assert main(["fit", *words, *CPU]) == 0
    image = str(cohort.cases[0].image[0])
    predict = ["predict", "run/model", image, "--out", "o", centre_of(cohort.cases[0])]
    assert main(predict) == 2
    assert main([*predict, "--classes", path]) == 0


BAD = [
    (
        {"class_path": "own_networks.Listing"},
        InvalidNetwork,
        r"Listing.forward must give one tensor .* gives a list of 1",
    ),
    ({"class_path": "own_networks.Bare"}, InvalidNetwork, "Bare lacks ndim, .*Your own class gets them as attributes"),
    ({"class_path": "monai.networks.nets.SegResNet"}, InvalidNetwork, r"Wrap it: class_path: avnnet\.models\.Foreign"),
    ({"class_path": "monai.networks.nets.SegResNetz"}, InvalidConfig, r"has no SegResNetz\. Did you mean"),
    (
        {"class_path": "own_networks.Tiny", "init_args": {"wdth": 3}},
        InvalidConfig,
        r"Did you mean 'width'\? own_networks",
    ),
    ({"class_path": "own_network.Tiny"}, InvalidConfig, "Run the command in the folder of own_network"),
    (monai("SegResNetz"), InvalidConfig, r"Did you mean 'monai\.networks\.nets\.SegResNet'\?"),
    (
        monai("SegResNet", init_filter=8),
        InvalidConfig,
        r"Did you mean 'init_filters'\? monai\.networks\.nets\.SegResNet",
    ),
    (
        monai("SegResNet", init_filters=8),
        InvalidConfig,
        "2 classes, .* of a Foreign that is classes or out_channels in",
    ),
    (
        monai("SegResNet", init_filters=8, out_channels=3, in_channels=2),
        InvalidNetwork,
        "SegResNet takes no image of 1",
    ),
    ({"init_args": {"net": "own_networks.Tiny"}}, InvalidConfig, r"avnnet\.models\.UNet3D takes channels, strides"),
]


@pytest.mark.usefixtures("own_module")
@pytest.mark.parametrize(("net", "error", "words"), BAD)
def test_c20_c21_an_overlay_that_makes_no_network_is_named_with_what_would_work(net, error, words, cohort, tmp_path):
    with pytest.raises(error, match=words):
        load_experiment([BASE, overlay(tmp_path, net)], CPU).check_network(cohort)


@pytest.mark.usefixtures("own_module")
def test_a_study_says_which_of_its_networks_it_is(hips, net_yaml, tmp_path):
    config, listing = net_yaml("unet3d"), overlay(tmp_path, {"class_path": "own_networks.Listing"}, "listing")
    study = Study(hips, [config, Path(f"{config}+{listing}")], tmp_path / "study", folds=2, overrides=CPU)
    with pytest.raises(InvalidNetwork, match=r"^unet3d-listing: Listing\.forward"):
        run_study(study, Reporter(is_quiet=True))
