"""Folds do not leak: edited ones stop a study, and what a fold learns is of its own images (rows L11 to L13, L15)."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from avnnet.data.cohort import Case, read_cohort
from avnnet.data.contrast import contrast_of
from avnnet.data.files import read_grid, read_image, read_labels, write_image
from avnnet.data.integrity import image_hash
from avnnet.data.splits import write_folds
from avnnet.errors import InvalidSplit, LeakageError
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model
from avnnet.labels import HIP
from avnnet.progress import Reporter
from avnnet.training.fit import train
from avnnet.training.study.plan import Study
from avnnet.training.study.run import run_study
from tests.conftest import write_net
from tests.training.conftest import QUIET, plan  # noqa: F401  # a fixture

GOOD = [["hip-001", "hip-002"], ["hip-003", "hip-004"], ["hip-005", "hip-006"]]  # the first two are of one patient


@pytest.mark.parametrize(
    ("edited", "error", "said"),
    [
        ([GOOD[0], ["hip-003", "hip-004", "hip-005"], GOOD[2]], InvalidSplit, "repeated"),
        ([GOOD[0], ["hip-003", "hip-003"], GOOD[2]], InvalidSplit, "hip-004"),
        ([GOOD[0], GOOD[1], ["hip-005"]], InvalidSplit, "hip-006"),
        ([GOOD[0], GOOD[1], ["hip-005", "hip-006", "hip-007"]], InvalidSplit, "hip-007"),
        ([GOOD[0], GOOD[1], ["hip-005", "HIP-006"]], InvalidSplit, "HIP-006"),
        ([GOOD[0], [*GOOD[1], *GOOD[2]]], InvalidSplit, "2 folds, 3 were asked for"),
        ([["hip-001"], ["hip-002", *GOOD[1]], GOOD[2]], LeakageError, "case hip-002: all cases of a patient"),
    ],
)
def test_l13_a_study_stops_at_edited_folds_before_any_training(plan, net_yaml, edited, error, said):  # noqa: F811
    study = plan(nets=[net_yaml("unet3d")], folds=3)
    write_folds(study.out / "splits.json", edited, seed=1)
    with pytest.raises(error, match=said):
        run_study(study, QUIET)
    assert [path.name for path in study.out.iterdir()] == ["splits.json"]
    assert json.loads((study.out / "splits.json").read_text())["folds"] == edited


@dataclass
class Fold:
    member: Member
    training: list[Case]
    held_out: list[Case]


@pytest.fixture(scope="module")
def folds(hips, tmp_path_factory):
    """Two of three folds, trained for a step, of six hips that have voxels of six sizes."""
    place = tmp_path_factory.mktemp("folds")
    table = pd.read_csv(hips, dtype=str).drop(columns="second_label")
    for row, case in enumerate(read_cohort(hips)):
        image, mask = read_image(case.image), read_labels(case.label)
        index = image.grid.to_index(case.centre_mm)
        grid = Grid(
            image.grid.shape, tuple(np.multiply(image.grid.spacing, 1.05**row)), image.grid.origin, image.grid.direction
        )
        table.loc[row, "image"] = write_image(Image(image.array, grid), place / f"{row}.nii.gz").name
        table.loc[row, "label"] = write_image(LabelMap(mask.array, grid, HIP), place / f"{row}-mask.nii.gz").name
        table.loc[row, ["centre_x_mm", "centre_y_mm", "centre_z_mm"]] = [str(c) for c in grid.to_lps(index)]
    table.to_csv(place / "cohort.csv", index=False)
    net = write_net(place, "unet3d", max_epochs=1, steps_per_epoch=1, spacing_mm=None)
    study = Study(place / "cohort.csv", [net], place / "study", folds=3)
    cohort = read_cohort(study.cohort)
    write_folds(study.out / "splits.json", GOOD, seed=study.seed)
    result = []
    for number in (0, 1):
        experiment = study.experiment(net, number)
        experiment.datamodule.reporter = QUIET
        train(experiment, study.fold_folder(number), name="unet3d", on_epoch=lambda *_: None)
        member = load_model(study.fold_folder(number) / "model").members[0]
        training = [case for case in cohort if case.case_id not in GOOD[number]]
        result.append(Fold(member, training, cohort.subset(GOOD[number])))
    return result


def hashes(cases):
    return {image_hash(read_image(case.image)) for case in cases}


def test_l15_a_network_names_the_images_that_it_was_trained_on_and_no_held_out_one(folds):
    for fold in folds:
        assert sorted(fold.member.trained_on) == sorted(hashes(fold.training))
        assert not hashes(fold.held_out) & set(fold.member.trained_on)
    assert set(folds[0].member.trained_on) != set(folds[1].member.trained_on)
    assert folds[0].member.dataset == folds[1].member.dataset


def test_l15_the_spacing_of_a_fold_is_the_median_of_its_training_images(folds):
    for fold in folds:
        median = np.median([read_grid(case.image).spacing for case in fold.training], axis=0)
        assert sorted(fold.member.preprocess.spacing_mm) == pytest.approx(sorted(median), abs=1e-4)
    assert folds[0].member.preprocess.spacing_mm != folds[1].member.preprocess.spacing_mm


def test_l15_the_contrast_of_a_fold_is_that_of_its_training_images(folds):
    def contrast(fold, cases):
        prepare = fold.member.preprocess.prepare
        images = [prepare(read_image(case.image), side=case.side, centre_mm=case.centre_mm).image for case in cases]
        return contrast_of(images, is_cropped=True)

    for fold in folds:
        kept = fold.member.contrast
        assert np.allclose(kept.means, contrast(fold, fold.training).means, atol=0.002)
        assert not np.allclose(kept.means, contrast(fold, fold.training + fold.held_out).means, atol=0.02)
    assert not np.allclose(folds[0].member.contrast.means, folds[1].member.contrast.means, atol=0.02)


@pytest.fixture
def table(hips):
    table = pd.read_csv(hips, dtype=str, keep_default_na=False).drop(columns="second_label")
    for name in ("image", "label"):
        table[name] = [str(hips.parent / path) for path in table[name]]
    return table


def test_l11_the_same_image_of_two_patients_stops_a_study_before_any_training(table, tmp_path):
    copied = ["image", "label", "side", "centre_x_mm", "centre_y_mm", "centre_z_mm"]
    table.loc[5, copied] = table.loc[2, copied].to_list()
    table.to_csv(tmp_path / "c.csv", index=False)
    study = Study(tmp_path / "c.csv", [write_net(tmp_path, "unet3d", max_epochs=1)], tmp_path / "study", folds=3)
    with pytest.raises(LeakageError, match="hip-003"):
        run_study(study, QUIET)
    assert not list(study.out.rglob("*.ckpt"))


def test_l12_a_fold_without_a_lesion_is_said_before_the_training(table, tmp_path, monkeypatch):
    said = []
    reporter = Reporter(is_quiet=True)
    monkeypatch.setattr(reporter, "say", said.append)
    for row, case in list(enumerate(read_cohort_of(table, tmp_path)))[2:]:
        mask = read_labels(case.label)
        vital = LabelMap(np.minimum(mask.array, 1), mask.grid, HIP)
        table.loc[row, "label"] = str(write_image(vital, tmp_path / f"{row}.nii.gz"))
    read_cohort_of(table, tmp_path)
    study = Study(tmp_path / "c.csv", [write_net(tmp_path, "unet3d", max_epochs=1)], tmp_path / "s", folds=3)
    monkeypatch.setattr("avnnet.training.study.run._run_fold", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run_study(study, reporter)
    assert sum("necrosis" in line and "fold" in line for line in said) == 2


def read_cohort_of(table, tmp_path):
    table.to_csv(tmp_path / "c.csv", index=False)
    return read_cohort(tmp_path / "c.csv")
