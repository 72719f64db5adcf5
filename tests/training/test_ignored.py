"""Voxels of id 255 in the masks of a cohort: they count nowhere in a training, and are refused where they would."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from avnnet.cli import main
from avnnet.data.augment import patch_centre
from avnnet.data.cache import load_entry
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.errors import EmptyLabel, InvalidConfig, InvalidLabelValues
from avnnet.image import Image
from avnnet.labels import HIP, IGNORED
from avnnet.tables import read_table
from avnnet.training import task as task_module
from avnnet.training.ablation.plan import Ablation
from avnnet.training.ablation.run import run_ablation
from avnnet.training.config.experiment import load_experiment
from avnnet.training.examples import ExampleOverlays
from avnnet.training.fit import train
from avnnet.training.study.run import run_study
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


def test_a_study_leaves_ignored_voxels_out_of_every_mask_of_a_case_and_so_does_an_evaluation(
    plan, net_yaml, partly, tmp_path, no_report
):
    done = plan(cohort=partly, nets=[net_yaml("unet3d")], overrides=[HAS, *LOSS])
    assert run_study(done, QUIET) == 0
    two = tmp_path / "two.csv"
    pd.read_csv(partly, dtype=str, keep_default_na=False).iloc[2:4].to_csv(two, index=False)
    words = ["evaluate", str(done.out / "model"), str(two), "--mark-seen", "--out", str(tmp_path / "e")]
    assert main([*words, "--has-ignored"]) == 0
    assert "left open are left out" in (tmp_path / "e" / "report.html").read_text()
    for folder in (done.out, tmp_path / "e"):
        measured = read_table(folder / "measurements.csv")
        assert measured["flags"].str.contains("partly_ignored").all()
        # masks are of one volume but for the rounding of a header
        assert (measured.round(3).groupby("case_id")["ignored_cm3"].nunique() == 1).all()
        agreement = read_table(folder / "agreement.csv").set_index(["case_id", "reader", "label"])
        for case in read_cohort(two):
            manual = read_image(case.label).array
            written = read_image(folder / "masks" / "ensemble" / f"{case.case_id}.nii.gz").array
            known = manual != IGNORED
            one, other = ((ids > 0) & known for ids in (manual, written))
            dice = 2 * (one & other).sum() / (one.sum() + other.sum())
            assert agreement.loc[(case.case_id, "ensemble", "head"), "dice"] == pytest.approx(dice)


def test_c32_an_evaluation_that_is_not_told_of_ignored_voxels_refuses_them(finished, partly, tmp_path, capsys):
    study, _ = finished
    words = ["evaluate", str(study.out / "model"), str(partly), "--mark-seen", "--out", str(tmp_path / "e")]
    assert main(words) == 2
    assert "InvalidLabelValues" in capsys.readouterr().err
    assert not (tmp_path / "e").exists()


def test_tables_and_masks_of_whole_masks_are_those_of_a_call_without_the_word(finished, hips, tmp_path):
    study, _ = finished
    table = pd.read_csv(hips, dtype=str).head(1)
    for name in ("image", "label", "second_label"):
        table[name] = [str(hips.parent / path) for path in table[name]]
    table.to_csv(tmp_path / "one.csv", index=False)
    words = ["evaluate", str(study.out / "model"), str(tmp_path / "one.csv"), "--mark-seen"]
    for name, more in (("plain", []), ("asked", ["--has-ignored"])):
        assert main([*words, *more, "--out", str(tmp_path / name)]) == 0
    for path in [*(tmp_path / "plain").rglob("*.csv"), *(tmp_path / "plain").rglob("*.nii.gz")]:
        assert path.read_bytes() == (tmp_path / "asked" / path.relative_to(tmp_path / "plain")).read_bytes()


def test_c32_networks_of_a_study_and_variants_of_an_ablation_ignore_alike(plan, net_yaml, hips, tmp_path):
    nets = [net_yaml("unet2d"), net_yaml("unet3d", has_ignored=True)]
    with pytest.raises(InvalidConfig, match=r"the same data.has_ignored.*'unet2d': False, 'unet3d': True"):
        run_study(plan(nets=nets, overrides=LOSS), QUIET)
    overlay = tmp_path / "open.yaml"
    overlay.write_text("data: {has_ignored: true}")
    ablation = Ablation(hips, nets[0], [overlay], tmp_path / "a", folds=2, overrides=LOSS)
    with pytest.raises(InvalidConfig, match=r"all variants need the data.has_ignored of the base.*found True"):
        run_ablation(ablation, QUIET)


def test_c32_a_mask_of_which_nothing_is_known_is_refused_with_its_case(partly, tmp_path):
    table = pd.read_csv(partly, dtype=str, keep_default_na=False)
    labels = read_image(table.loc[2, "label"])
    nothing = Image(np.full_like(labels.array, IGNORED), labels.grid)
    table.loc[2, "label"] = str(write_image(nothing, tmp_path / "nothing.nii.gz"))
    table.to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(EmptyLabel, match=f"case {table.loc[2, 'case_id']}: every voxel of the mask is 255"):
        check_cohort(read_cohort(tmp_path / "c.csv"), HIP, has_ignored=True)
