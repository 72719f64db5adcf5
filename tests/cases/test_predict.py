"""A batch that is stopped goes on: what is done is not done again, and the table is that of one run (rows K5, K6)."""

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from avnnet.cases import ledger, predict
from avnnet.cases.predict import Job, predict_jobs
from avnnet.cli import main
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.errors import OutputNotWritable
from avnnet.image import Image, LabelMap
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP
from avnnet.measure import case_row, measurement_columns, measurement_row, quantity_columns
from avnnet.progress import Reporter
from avnnet.readers import MANUAL
from avnnet.tables import write_table
from tests.faults.nifti_files import nifti
from tests.inference.conftest import Threshold

QUIET = Reporter(is_quiet=True)
IMAGES = 4


@pytest.fixture
def model(monkeypatch):
    """A model that writes down what it was asked to segment."""
    oracle = Member(Threshold(), Preprocess([4.0] * 3, [16, 16, 16]), Tiling([16, 16, 16]), "oracle")
    segmenter = Segmenter([oracle], HIP, sha256="m")
    segmenter.asked = []
    original = segmenter.hips

    def hips(image, **place):
        segmenter.asked.append(image)
        return original(image, **place)

    monkeypatch.setattr(segmenter, "hips", hips)
    return segmenter


@pytest.fixture
def jobs(cohort, tmp_path):
    image = read_image(cohort.cases[0].image)
    centre_mm = cohort.cases[0].centre_mm
    paths = [
        write_image(Image(image.array + n, image.grid), tmp_path / "images" / f"hip-{n}.nii.gz") for n in range(IMAGES)
    ]
    return [Job(path.name.removesuffix(".nii.gz"), [path], cohort.cases[0].side, centre_mm) for path in paths]


def run(model, jobs, out):
    table = predict_jobs(model, jobs, out, reporter=QUIET)
    return write_table(table, out / "measurements.csv").read_bytes()


@pytest.mark.parametrize("done", range(1, IMAGES))
@pytest.mark.parametrize("moment", ["in the network", "between mask and record"])
def test_k5_a_batch_that_is_killed_goes_on_without_doing_anything_twice(
    model, jobs, tmp_path, monkeypatch, done, moment
):
    whole = run(model, jobs, tmp_path / "whole")
    out = tmp_path / "killed"
    place, name = (model, "hips") if moment == "in the network" else (ledger, "write_text_atomically")
    original, calls = getattr(place, name), []

    def kill(*args, **kwargs):
        calls.append(args)
        if len(calls) > done:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(place, name, kill)
        with pytest.raises(KeyboardInterrupt):
            run(model, jobs, out)
    times = {path: path.stat().st_mtime_ns for job in jobs[:done] for path in out.glob(f"{job.name}.*")}
    assert len(times) == 2 * done
    model.asked.clear()
    assert run(model, jobs, out) == whole
    assert len(model.asked) == IMAGES - done
    assert {path: path.stat().st_mtime_ns for path in times} == times
    model.asked.clear()
    assert run(model, jobs, out) == whole
    assert model.asked == []


def test_images_are_read_while_networks_compute_and_never_more_than_one_ahead(model, jobs, tmp_path, monkeypatch):
    events = []
    original = predict.read_image
    monkeypatch.setattr(predict, "read_image", lambda files, **how: events.append("read") or original(files, **how))
    segmented = model.hips

    def slowly(image, **place):
        time.sleep(0.3)
        events.append("seen")
        return segmented(image, **place)

    monkeypatch.setattr(model, "hips", slowly)
    predict_jobs(model, jobs, tmp_path / "out", reporter=QUIET)
    assert events == ["read", *["read", "seen"] * (IMAGES - 1), "seen"]


def test_a_mask_of_another_model_image_or_place_is_made_anew(model, jobs, tmp_path):
    run(model, jobs[:1], tmp_path)
    model.asked.clear()
    model.sha256 = "another model"
    run(model, jobs[:1], tmp_path)
    moved = Job(jobs[0].name, jobs[0].files, jobs[0].side, tuple(c + 1 for c in jobs[0].centre_mm))
    run(model, [moved], tmp_path)
    run(model, [Job(jobs[0].name, jobs[1].files, moved.side, moved.centre_mm)], tmp_path)
    assert len(model.asked) == 3


def test_n15_the_choice_of_a_transform_is_that_of_the_mask_and_stands_in_its_record(model, jobs, tmp_path):
    path = jobs[0].files[0]
    there = nibabel.load(path).affine
    moved = there.copy()
    moved[:3, 3] += 4
    conflict = nifti(tmp_path / "conflict.nii", np.asanyarray(nibabel.load(path).dataobj), qform=there, sform=moved)
    for prefer, matrix in (("sform", moved), ("qform", there), ("qform", there)):
        run(model, [replace(jobs[0], files=[conflict], prefer=prefer)], tmp_path / "o")
        assert np.allclose(nibabel.load(tmp_path / "o" / "hip-0.nii.gz").affine, matrix, atol=1e-3)
        record = json.loads((tmp_path / "o" / "hip-0.json").read_text())
        assert record["made_from"]["prefer"] == record["preferred_transform"] == prefer
    assert len(model.asked) == 2
    table = predict_jobs(model, [replace(jobs[0], files=[conflict])], tmp_path / "o", reporter=QUIET)
    assert table["error"].str.contains("GeometryConflict.*--prefer sform").all()


def test_n15_a_choice_that_made_no_difference_changes_no_mask_and_the_record_says_so(model, jobs, tmp_path):
    for name, prefer in (("without", None), ("with", "qform")):
        run(model, [replace(jobs[0], prefer=prefer)], tmp_path / name)
        assert json.loads((tmp_path / name / "hip-0.json").read_text())["preferred_transform"] is None
    for name in ("hip-0.nii.gz", "measurements.csv"):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"made_from": 1}'])
def test_a_damaged_mask_or_record_is_made_anew(model, jobs, tmp_path, text):
    whole = run(model, jobs[:1], tmp_path)
    mask, record = tmp_path / "hip-0.nii.gz", tmp_path / "hip-0.json"
    good = mask.read_bytes()
    for path, content in ((mask, good[:-9]), (record, text.encode())):
        path.write_bytes(content)
        model.asked.clear()
        assert run(model, jobs[:1], tmp_path) == whole
        assert len(model.asked) == 1
    assert mask.read_bytes() == good


def test_k6_images_that_fail_are_rows_in_order_and_are_tried_again(model, jobs, tmp_path):
    broken = jobs[1].files[0]
    content = broken.read_bytes()
    broken.write_bytes(content[:200])
    run(model, jobs, tmp_path / "o")
    table = pd.read_csv(tmp_path / "o" / "measurements.csv", keep_default_na=False)
    assert table["case_id"].tolist() == [job.name for job in jobs]
    assert [error.split(":")[0] for error in table["error"]] == ["", "UnreadableFile", "", ""]
    broken.write_bytes(content)
    model.asked.clear()
    assert run(model, jobs, tmp_path / "o") == run(model, jobs, tmp_path / "whole")
    assert len(model.asked) == 1 + IMAGES


@pytest.mark.parametrize("name", [".", "1", "a", "old"])
def test_the_words_of_an_error_are_whole_whatever_the_name_of_the_folder(model, tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir(exist_ok=True)
    (tmp_path / name / "notes.txt").touch()
    monkeypatch.chdir(tmp_path)
    table = predict_jobs(model, [Job("c0001", [Path(name)])], tmp_path / "o", reporter=QUIET)
    assert table["error"].str.startswith("NotAnImage: no DICOM images among 1 files").all()
    assert table["error"].str.contains("give the folder that holds the slices").all()


def test_the_name_of_a_file_is_not_in_the_words_of_its_error(model, tmp_path, monkeypatch):
    path = tmp_path / "Surname(1960).nii.gz"
    path.write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    for given in (path, Path(path.name)):
        table = predict_jobs(model, [Job("c0001", [given])], tmp_path / "o", reporter=QUIET)
        assert table["error"].str.startswith("NotAnImage: c0001 is no NIfTI file").all()


@pytest.mark.parametrize("suffix", [".hdr", ".img", ".nhdr", ".mhd"])
@pytest.mark.parametrize("fault", ["cut", "gone", "pipe", "link"])
def test_s05_the_name_of_a_file_of_voxels_is_not_in_the_words_of_its_error(model, tmp_path, suffix, fault):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / f"Surname1960{suffix}"
    if suffix in (".hdr", ".img"):
        nifti(path.with_suffix(".img"), kind=nibabel.Nifti1Pair)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((5, 6, 7), np.int16)), str(path))
    other = next(one for one in path.parent.iterdir() if one != path)
    content = other.read_bytes()
    other.unlink()
    if fault == "cut":
        other.write_bytes(content[:200])
    elif fault == "pipe":
        os.mkfifo(other)
    elif fault == "link":
        other.symlink_to(path)
    for words in predict_jobs(model, [Job("c0001", [path])], tmp_path / "o", reporter=QUIET)["error"]:
        assert "c0001" in words
        assert "Surname" not in words


def test_n30_a_pipe_in_place_of_an_image_is_a_row_and_nobody_waits_for_it(model, tmp_path):
    os.mkfifo(tmp_path / "pipe.nii.gz")
    jobs = [Job("c0001", [tmp_path / "pipe.nii.gz"])]
    table = predict_jobs(model, jobs, tmp_path / "o", reporter=QUIET)
    assert table["error"].str.startswith("UnreadableFile: c0001 must be a file").all()


def test_the_record_of_a_mask_says_what_it_was_made_from_and_is_json(model, jobs, tmp_path):
    run(model, jobs[:1], tmp_path)

    def refuse(constant: str):
        raise ValueError(constant)

    content = json.loads((tmp_path / "hip-0.json").read_text(), parse_constant=refuse)
    assert content["made_from"]["side"] == jobs[0].side
    assert [hip["mask"] for hip in content["hips"]] == ["hip-0.nii.gz"]
    assert set(content["hips"][0]["measured"]) == {*quantity_columns(), "flags", "error"}


def test_a_folder_that_cannot_be_written_to_is_a_row_with_the_way_out(model, jobs, tmp_path):
    (tmp_path / "file").write_text("")
    table = predict_jobs(model, jobs[:1], tmp_path / "file", reporter=QUIET)
    assert table["error"].str.startswith(OutputNotWritable.__name__).all()


def test_statistics_take_the_predicted_table_beside_that_of_manual_masks(model, jobs, tmp_path):
    predicted = predict_jobs(model, jobs, tmp_path / "o", reporter=QUIET)
    masks = [read_labels(tmp_path / "o" / f"{job.name}.nii.gz") for job in jobs]
    smaller = [LabelMap(np.where(np.indices(one.array.shape)[0] % 9, one.array, 0), one.grid) for one in masks]
    manual = [
        measurement_row(case_row(job.name, job.side), MANUAL, one) for job, one in zip(jobs, smaller, strict=True)
    ]
    both = pd.concat([*manual, predicted], ignore_index=True)
    assert list(both.columns) == list(predicted.columns) == measurement_columns(HIP)
    table = write_table(both, tmp_path / "both.csv")
    words = ["stats", str(table), "--value", "head_cm3", "--draws", "100", "--out"]
    assert main([*words, str(tmp_path / "stats")]) == 0
    limits = pd.read_csv(tmp_path / "stats" / "tables" / "limits.csv")
    assert limits["n_cases"].tolist() == [IMAGES] * len(limits)


def test_statistics_say_that_the_predicted_table_alone_has_nobody_to_compare_with(model, jobs, tmp_path, capsys):
    table = write_table(predict_jobs(model, jobs, tmp_path / "o", reporter=QUIET), tmp_path / "predicted.csv")
    words = ["stats", str(table), "--value", "head_cm3", "--draws", "100", "--out"]
    assert main([*words, str(tmp_path / "stats")]) == 2
    assert "manual" in capsys.readouterr().err
