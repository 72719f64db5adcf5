"""A cohort as a data set of nnU-Net: what is written, what nnU-Net cannot have, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest

from avnnet.cli import main
from avnnet.data.cohort import Cohort, read_cohort
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.data.folders import cohort_of_folder
from avnnet.data.splits import make_folds, write_folds
from avnnet.errors import GeometryMismatch, InvalidConfig, InvalidLabelValues, InvalidScheme, OutputNotWritable
from avnnet.exchange import DatasetPlan, write_nnunet_dataset
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.labels import LabelScheme

GRID = Grid((5, 6, 7), (2.0, 1.0, 1.0))


def small(folder, mask, *, grid=GRID, channels=1):
    """A cohort of two cases, of two patients, with this mask."""
    rows = []
    for name in "ab":
        files = [f"{name}{number}.nii.gz" for number in range(channels)]
        for number, file in enumerate(files):
            write_image(Image(np.arange(210.0).reshape(5, 6, 7) + number, GRID), folder / file)
        write_image(Image(mask, grid), folder / f"{name}_label.nii.gz")
        rows.append((name, name, ";".join(files), f"{name}_label.nii.gz"))
    return Cohort(pd.DataFrame(rows, columns=["patient_id", "case_id", "image", "label"]), folder)


def mask(*ids):
    array = np.zeros(GRID.shape, np.uint8)
    array[2, 2, : len(ids)] = ids
    return array


@pytest.fixture
def written(hips, tmp_path, capsys):
    out = tmp_path / "Dataset501_Hips"
    assert main(["export", "dataset", str(hips), "--format", "nnunet", "--out", str(out), "--folds", "3"]) == 0
    return out, capsys.readouterr()


def test_what_avnnet_wrote_for_nnunet_it_reads_as_nnunets(written, cohort):
    out, _ = written
    again = Cohort(cohort_of_folder(out), out)
    assert [case.case_id for case in again] == sorted(case.case_id for case in cohort)
    for case in again:
        before = next(one for one in cohort if one.case_id == case.case_id)
        assert case.image[0].read_bytes() == before.image[0].read_bytes()
        assert (read_labels(case.label).array == read_labels(before.label).array).all()
        assert read_image(case.label).grid.is_close(read_image(case.image).grid)


def test_its_folds_hold_out_avnnets_and_no_patient_is_in_both_parts(written, cohort):
    folds = json.loads((written[0] / "splits_final.json").read_text())
    patient = {case.case_id: case.patient_id for case in cohort}
    assert [fold["val"] for fold in folds] == make_folds(cohort, 3, seed=1)
    for fold in folds:
        assert sorted(fold["train"] + fold["val"]) == sorted(patient)
        assert {patient[one] for one in fold["train"]}.isdisjoint(patient[one] for one in fold["val"])


def test_dataset_json_names_channels_and_labels_as_nnunet_does(written):
    assert json.loads((written[0] / "dataset.json").read_text()) == {
        "channel_names": {"0": "MRI"},
        "labels": {"background": 0, "vital": 1, "necrosis": 2},
        "numTraining": 6,
        "file_ending": ".nii.gz",
    }


def test_what_nnunet_has_no_place_for_is_said(written):
    said = written[1].out + written[1].err
    assert "not carried: head centres" in said
    assert "nnUNet_preprocessed/Dataset501_Hips" in said


def test_the_folds_of_a_study_can_be_taken(hips, cohort, tmp_path):
    held_out = make_folds(cohort, 2, seed=9)
    write_folds(tmp_path / "splits.json", held_out, seed=9)
    out = tmp_path / "Dataset502_Hips"
    words = ["export", "dataset", str(hips), "--format", "nnunet", "--out", str(out)]
    assert main([*words, "--splits", str(tmp_path / "splits.json")]) == 0
    assert [fold["val"] for fold in json.loads((out / "splits_final.json").read_text())] == held_out


def test_ignored_voxels_get_the_id_behind_all_others_as_nnunet_demands(tmp_path):
    cohort = small(tmp_path, mask(1, 2, 255))
    out = tmp_path / "Dataset503_Part"
    write_nnunet_dataset(cohort, out, [["a"], ["b"]], DatasetPlan(has_ignored=True))
    assert read_image(out / "labelsTr/a.nii.gz").array[2, 2].tolist() == [1, 2, 3, 0, 0, 0, 0]
    assert json.loads((out / "dataset.json").read_text())["labels"]["ignore"] == 3
    with pytest.raises(InvalidLabelValues, match="case a"):
        write_nnunet_dataset(cohort, tmp_path / "Dataset504_Part", [["a"], ["b"]])


def test_regions_are_the_whole_and_in_it_the_part(tmp_path):
    out = tmp_path / "Dataset505_Nested"
    write_nnunet_dataset(small(tmp_path, mask(1, 2)), out, [["a"], ["b"]], DatasetPlan(is_of_regions=True))
    described = json.loads((out / "dataset.json").read_text())
    assert described["labels"] == {"background": 0, "head": [1, 2], "necrosis": [2]}
    assert described["regions_class_order"] == [1, 2]


def test_channels_are_files_with_four_digits(tmp_path):
    out = tmp_path / "Dataset506_Two"
    write_nnunet_dataset(small(tmp_path, mask(1), channels=2), out, [["a"], ["b"]], DatasetPlan(channels=["T1", "T2"]))
    assert read_image(out / "imagesTr/b_0001.nii.gz").array[0, 0, 0] == 1
    assert json.loads((out / "dataset.json").read_text())["channel_names"] == {"0": "T1", "1": "T2"}


def test_an_image_of_another_format_is_written_as_nifti_with_the_same_voxels(tmp_path):
    cohort = small(tmp_path, mask(1))
    array = np.random.default_rng(1).integers(0, 900, GRID.shape).astype(np.int16)
    write_image(Image(array, GRID), tmp_path / "a0.nrrd")
    table = cohort.table.assign(image=["a0.nrrd", "b0.nii.gz"])
    out = tmp_path / "Dataset507_Mixed"
    write_nnunet_dataset(Cohort(table, tmp_path), out, [["a"], ["b"]])
    again = read_image(out / "imagesTr/a_0000.nii.gz")
    assert (again.array == array).all()
    assert again.grid.is_close(GRID)


@pytest.mark.parametrize("name", ["Hips", "Dataset1_Hips", "Dataset501", "Dataset501_hip s"])
def test_a_folder_that_nnunet_would_not_find_is_refused(tmp_path, hips, capsys, name):
    assert main(["export", "dataset", str(hips), "--format", "nnunet", "--out", str(tmp_path / name)]) == 2
    assert "Dataset501_Hips" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path, cohort):
    out = tmp_path / "Dataset501_Hips"
    out.mkdir()
    (out / "dataset.json").write_text("mine")
    with pytest.raises(OutputNotWritable):
        write_nnunet_dataset(cohort, out, make_folds(cohort, 2, seed=1))
    assert (out / "dataset.json").read_text() == "mine"


def test_a_mask_on_another_grid_is_refused_and_nothing_is_left(tmp_path):
    cohort = small(tmp_path, mask(1), grid=Grid(GRID.shape, GRID.spacing, (3.0, 0.0, 0.0)))
    with pytest.raises(GeometryMismatch, match=r"case a.*resample"):
        write_nnunet_dataset(cohort, tmp_path / "Dataset508_Off", [["a"], ["b"]])
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_labels_that_mean_something_else_to_nnunet_are_refused():
    with pytest.raises(InvalidScheme, match="ignore"):
        DatasetPlan(LabelScheme({1: "ignore"}, part="ignore", whole="all"))
    with pytest.raises(InvalidScheme, match="regions"):
        DatasetPlan(LabelScheme({1: "head"}, part="head", whole="all"), is_of_regions=True)
    with pytest.raises(InvalidConfig, match="2 channel"):
        DatasetPlan(channels=["T1"]).channel_names(2)


def test_three_labels_are_regions_from_the_whole_inwards(tmp_path):
    scheme = LabelScheme({1: "edema", 2: "core", 3: "active"}, part="active", whole="tumour")
    cohort = small(tmp_path, mask(1, 2, 3))
    out = tmp_path / "Dataset509_Tumour"
    write_nnunet_dataset(cohort, out, [["a"], ["b"]], DatasetPlan(scheme, is_of_regions=True))
    labels = json.loads((out / "dataset.json").read_text())["labels"]
    assert labels == {"background": 0, "tumour": [1, 2, 3], "core_and_active": [2, 3], "active": [3]}


def test_a_cohort_that_was_read_is_not_changed(hips, tmp_path):
    before = read_cohort(hips)
    write_nnunet_dataset(before, tmp_path / "Dataset510_Hips", make_folds(before, 2, seed=1))
    assert before.table.equals(read_cohort(hips).table)
