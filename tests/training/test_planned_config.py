"""A plan as a config: it is parsed, built and trained as it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from avnnet.labels import LabelScheme
from avnnet.models.planning.cpu import plan_for_cpu
from avnnet.models.planning.fingerprint import Fingerprint
from avnnet.models.planning.plan import plan_network
from avnnet.models.planning.topology import Topology, small_patch
from avnnet.training.config.experiment import load_experiment
from avnnet.training.config.planned import PlannedData, config_text, slices_per_case
from tests.training.test_experiments import EXPERIMENTS, one_step

CROP = Fingerprint((1.0, 0.44, 0.44), (80, 160, 160), cases=34)
DATA = PlannedData("hips.csv", CROP, crop_mm=(80.0, 70.4, 70.4))
COARSE = PlannedData("hips.csv", Fingerprint((3.2, 2.8, 3.0), (25, 25, 23), cases=6), crop_mm=(80.0, 70.4, 70.4))


def written(folder, text) -> Path:
    path = folder / "planned.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("ndim", [2, 3])
def test_the_abstracts_crop_gets_the_abstracts_network(ndim):
    planned = yaml.safe_load(config_text(plan_network(CROP, ndim=ndim), DATA, heading=[]))
    config = yaml.safe_load((EXPERIMENTS / "abstract" / f"unet{ndim}d.yaml").read_text())
    ours, theirs = planned["model"], config["model"]
    same = ["channels", "strides", "deep_supervision"] + (["kernels"] if ndim == 3 else [])
    assert [ours["net"]["init_args"][key] for key in same] == [theirs["net"]["init_args"][key] for key in same]
    assert (ours["optimizer"], ours["schedule"]) == (theirs["optimizer"], theirs["schedule"])
    same = ["spacing_mm", "crop", "patch", "labels", "augment"] + (["batch_size"] if ndim == 3 else [])
    assert [planned["data"][key] for key in same] == [config["data"][key] for key in same]
    assert planned["data"].get("sampler") == config["data"].get("sampler")
    assert planned["trainer"] == config["trainer"]


@pytest.mark.parametrize("name", ["laptop/unet3d", "hippocampus/growing3d", "abstract/unet3d"])
def test_the_configs_patches_grow_from_the_size_that_the_planner_gives(name):
    config = yaml.safe_load((EXPERIMENTS / f"{name}.yaml").read_text())
    net, data = config["model"]["net"]["init_args"], config["data"]
    strides = ((1, 1, 1), *map(tuple, net["strides"]))
    topology = Topology(tuple(data["patch"]), strides, ((3, 3, 3),) * len(strides))
    sizes = data["sampler"]["init_args"]["sizes"]
    assert [list(small_patch(topology))] == sizes


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_plan_for_two_cores_trains_a_step_as_it_is(hips, tmp_path, ndim):
    plan = plan_for_cpu(COARSE.fingerprint, ndim=ndim, minutes=0.5)
    config = written(tmp_path, config_text(plan, COARSE, heading=["a line", "another"], minutes=0.5))
    one_step([config], hips, tmp_path / "cache", "--trainer.accelerator=cpu")


def test_a_plan_for_a_gpu_builds_and_trains_a_step_of_one_case(hips, tmp_path):
    plan = plan_network(COARSE.fingerprint, memory_gb=0.1)
    config = written(tmp_path, config_text(plan, COARSE, heading=[]))
    one_step([config], hips, tmp_path / "cache", "--trainer.accelerator=cpu", "--data.batch_size=1")


@pytest.mark.parametrize("channels", [1, 4])
@pytest.mark.parametrize("first_axis", ["superior", "posterior", "left"])
def test_channels_slices_and_the_left_of_the_patient_stand_in_the_config(tmp_path, channels, first_axis):
    data = replace(DATA, fingerprint=replace(CROP, channels=channels), first_axis=first_axis, crop_mm=None)
    config = written(tmp_path, config_text(plan_network(data.fingerprint, ndim=2), data, heading=[]))
    experiment = load_experiment([config], ["--trainer.accelerator=cpu"])
    assert experiment.model.net.in_channels == channels
    assert experiment.datamodule.patch == [80, 160, 160]
    assert experiment.datamodule.crop is None
    left = {"superior": 2, "posterior": 2, "left": 0}[first_axis]
    assert experiment.datamodule.augment.mirror_axes == [left]


def test_a_residual_plan_is_written_for_the_residual_network(tmp_path):
    plan = plan_network(CROP, planner="resenc-m")
    text = config_text(plan, DATA, heading=[])
    net = yaml.safe_load(text)["model"]["net"]
    assert net["class_path"] == "avnnet.models.ResEncUNet3D"
    assert (net["init_args"]["blocks"], net["init_args"]["convs"]) == ([1, 3, 4, 6, 6, 6], 1)
    assert load_experiment([written(tmp_path, text)], ["--trainer.accelerator=cpu"]).model.net.classes == 3


@pytest.mark.parametrize("name", ["no", "null", "on", "ö"])
def test_a_name_of_a_label_is_a_word_also_where_yaml_would_read_another(name):
    labels = LabelScheme({1: name, 2: "vital"}, part=name, whole="head")
    read = yaml.safe_load(config_text(plan_network(CROP), replace(DATA, labels=labels), heading=[]))["data"]["labels"]
    assert (read["names"][1], read["part"]) == (name, name)


@pytest.mark.parametrize("batch", [2, 7, 22, 32, 127, 292, 366, 1028])
@pytest.mark.parametrize(("cases", "depth"), [(2, 80), (34, 80), (208, 12), (3, 4)])
def test_cases_times_slices_never_exceed_the_planned_batch(batch, cases, depth):
    chosen, slices = slices_per_case(batch, cases, depth)
    assert 1 <= chosen <= cases
    assert 1 <= slices <= depth
    assert chosen * slices <= batch
    # where there are cases and slices enough, hardly one is missing
    assert chosen * slices >= min(0.85 * batch, 0.9 * cases * depth)


def test_a_line_of_the_heading_cannot_leave_its_comment():
    text = config_text(plan_network(CROP), DATA, heading=["a: [b", "avnnet plan 'x\ntrainer: y'", "word " * 60])
    assert set(yaml.safe_load(text)) == {"seed_everything", "model", "data", "trainer"}
    assert max(map(len, text.splitlines())) <= 120


def test_the_path_of_a_cohort_is_a_word_whatever_it_holds():
    for name in ("a: b.csv", "#.csv", "'x\".csv", "ö [1].csv", "C:\\hips.csv"):
        text = config_text(plan_network(CROP), replace(DATA, cohort=name), heading=[])
        assert yaml.safe_load(text)["data"]["cohort"] == name


def test_the_patch_is_a_multiple_of_what_the_network_divides():
    generator = np.random.default_rng(3)
    for _ in range(20):
        shape = tuple(map(float, generator.integers(12, 300, 3)))
        plan = plan_for_cpu(replace(CROP, shape=shape), minutes=3)
        assert all(edge % step == 0 for edge, step in zip(plan.patch, plan.topology.divisors, strict=True))
