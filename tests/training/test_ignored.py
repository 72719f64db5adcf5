"""Voxels of id 255 in the masks of a cohort: they count nowhere in a training, and are refused where they would."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from avnnet.data.augment import patch_centre
from avnnet.data.cache import load_entry
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_labels, write_image
from avnnet.errors import InvalidConfig, InvalidLabelValues
from avnnet.image import Image
from avnnet.labels import HIP, IGNORED
from avnnet.training import task as task_module
from avnnet.training.config import load_experiment
from avnnet.training.examples import ExampleOverlays
from avnnet.training.fit import train
from avnnet.training.study import run_study
from tests.training.conftest import QUIET

HAS = "--data.has_ignored=true"
LOSS = ["--model.loss=avnnet.losses.DiceCE", f"--model.loss.ignore_index={IGNORED}"]


@pytest.fixture(scope="module")
def partly(hips, tmp_path_factory):
    """A cohort whose masks are drawn in the lower slices alone; of the others nobody said anything."""
    folder = tmp_path_factory.mktemp("partly")
    table = pd.read_csv(hips, dtype=str, keep_default_na=False).drop(columns="second_label")
    for row, path in enumerate(table["label"]):
        labels = read_labels(hips.parent / path)
        array = labels.array.copy()
        array[int(np.nonzero(array)[0].max()) - 1 :] = IGNORED
        table.loc[row, "label"] = str(write_image(Image(array, labels.grid), folder / f"{row}.nii.gz"))
    table["image"] = [str(hips.parent / path) for path in table["image"]]
    table.to_csv(folder / "cohort.csv", index=False)
    return folder / "cohort.csv"


@pytest.fixture
def experiment(net_yaml, tmp_path):
    def make(cohort, *words, name="unet3d"):
        given = [f"--data.cohort={cohort}", "--data.folds=2", f"--data.cache={tmp_path / 'cache'}", *words]
        made = load_experiment([net_yaml(name)], given)
        made.datamodule.reporter = QUIET
        return made

    return make


def test_c32_without_a_word_of_them_ignored_voxels_are_refused(experiment, partly):
    with pytest.raises(InvalidLabelValues, match="255"):
        experiment(partly).datamodule.setup()


def test_c32_other_ids_are_refused_with_the_names_of_the_scheme(cohort, tmp_path):
    case = cohort.cases[0]
    labels = read_labels(case.label)
    write_image(Image(np.where(labels.array == 2, 3, labels.array), labels.grid), tmp_path / "three.nii.gz")
    table = cohort.table.iloc[:1].assign(
        image=str(case.image[0]), label=str(tmp_path / "three.nii.gz"), second_label=""
    )
    table.to_csv(tmp_path / "three.csv", index=False)
    with pytest.raises(InvalidLabelValues, match=r"one of \{1: 'vital', 2: 'necrosis'\}"):
        check_cohort(read_cohort(tmp_path / "three.csv"), HIP, has_ignored=True)


@pytest.mark.parametrize("name", ["unet3d", "unet2d"])
def test_a_training_on_parts_of_masks_comes_to_an_end_with_a_dice_of_what_is_known(experiment, partly, tmp_path, name):
    made = experiment(partly, HAS, *LOSS, name=name)
    train(made, tmp_path / "run", name=name, on_epoch=lambda *_: None)
    entry = load_entry(made.datamodule.training_entries[0])[1]
    assert set(entry.unique().tolist()) <= {0, 1, 2, IGNORED}
    assert IGNORED in entry
    dice = pd.read_csv(tmp_path / "run" / "metrics.csv").filter(like="val_dice")
    assert dice.notna().all(axis=None)
    assert yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())["data"]["has_ignored"] is True


def test_masks_of_which_everything_is_known_are_prepared_as_ever(experiment, hips):
    plain, asked = experiment(hips), experiment(hips, HAS, *LOSS)
    for made in (plain, asked):
        made.datamodule.setup()
    for first, second in zip(plain.datamodule.training_entries, asked.datamodule.training_entries, strict=True):
        assert first != second  # the cache does not take one for the other
        assert all(torch.equal(*pair) for pair in zip(load_entry(first), load_entry(second), strict=True))


def test_no_patch_is_aimed_at_ignored_voxels():
    label = torch.full((1, 9, 9, 9), IGNORED, dtype=torch.uint8)
    label[0, 2, 3, 4] = 1
    generator = np.random.default_rng(1)
    centres = {tuple(patch_centre(label, (3, 3, 3), 1.0, generator)) for _ in range(20)}
    assert centres == {(2.0, 3.0, 4.0)}


def test_the_dice_of_a_validation_is_without_ignored_voxels(experiment, hips, monkeypatch):
    made = experiment(hips)
    task = made.model
    monkeypatch.setattr(type(task), "cohort_data", made.datamodule)
    automatic = torch.tensor([1, 1, 0, 2, 1, 2])
    manual = torch.tensor([1, 0, 1, 2, IGNORED, IGNORED], dtype=torch.uint8)
    softmax = torch.nn.functional.one_hot(automatic, 3).T[:, None, None].float()
    monkeypatch.setattr(task_module, "class_probabilities", lambda *_: softmax)
    task.on_validation_epoch_start()
    task.validation_step((torch.zeros(1, 1, 1, 1, 6), manual[None, None, None, None]), 0)
    # in both, found, drawn; by hand, of the first four voxels
    assert task.overlap.T.tolist() == [[1, 2, 2], [1, 1, 1]]


def test_the_picture_of_a_validation_shows_no_ignored_voxel(experiment, hips):
    class Trainer:
        datamodule = experiment(hips).datamodule

    overlays = ExampleOverlays()
    label = torch.tensor([0, 1, IGNORED], dtype=torch.uint8)[None, None, None, None]
    overlays.on_validation_batch_end(Trainer(), None, label[0, 0], (torch.zeros(1, 1, 1, 1, 3), label), 0)
    assert overlays.example[1].flatten().tolist() == [0, 1, 0]


@pytest.mark.parametrize("loss", ["DiceCE", "Boundary"])
def test_c32_a_loss_that_would_count_them_is_refused_before_any_work(experiment, partly, tmp_path, loss):
    made = experiment(partly, HAS, f"--model.loss=avnnet.losses.{loss}")
    with pytest.raises(InvalidConfig, match=rf"255 count nowhere, and {loss} has the ignore_index None; give it"):
        train(made, tmp_path / "run", name="unet3d", on_epoch=lambda *_: None)
    assert not (tmp_path / "cache").exists()


def test_c32_a_study_which_compares_whole_masks_is_refused(plan, partly):
    with pytest.raises(InvalidConfig, match=r"unet2d: a study compares whole masks.*train with avnnet fit"):
        run_study(plan(cohort=partly, overrides=[HAS, *LOSS]), QUIET)
