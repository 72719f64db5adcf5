"""The cohort of digital hips: its table, its composition and its reproducibility."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest

from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels
from avnnet.data.integrity import content_hash
from avnnet.errors import InvalidConfig, OutputNotWritable
from avnnet.phantom import Acquisition, CohortPlan, FileFormat, Plane, SignalMode, write_cohort
from avnnet.phantom.cohort import COHORT_COLUMNS
from avnnet.phantom.patients import draw_patient, share_at_percent

TINY = Acquisition((44, 70, 70), (2.0, 1.3, 1.3))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    seen = []
    plan = CohortPlan(patients=3, seed=5, acquisition=TINY, mode=None)
    path = write_cohort(plan, tmp_path_factory.mktemp("cohort"), on_progress=lambda *c: seen.append(c))
    return path, seen


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_table_has_the_columns_and_a_row_per_hip_the_other_hips_marked(cohort):
    path, seen = cohort
    rows = rows_of(path)
    assert tuple(rows[0]) == COHORT_COLUMNS
    assert [r["case_id"] for r in rows] == ["hip-001", "hip-002", "hip-003", "hip-003-other"]
    assert [r["patient_id"] for r in rows] == ["P001", "P002", "P003", "P003"]
    assert [r["index_hip"] for r in rows] == ["yes", "yes", "yes", "no"]
    assert {rows[2]["side"], rows[3]["side"]} == {"left", "right"}
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_files_of_the_table_agree_with_the_truth(cohort):
    path, _ = cohort
    for row, truth in zip(rows_of(path), rows_of(path.parent / "truth.csv"), strict=True):
        image, labels = read_image(path.parent / row["image"]), read_labels(path.parent / row["label"])
        assert image.grid.is_close(labels.grid)
        assert row["side"] == truth["side"]
        assert row["arco_stage"] == truth["arco_stage"]
        share = 100 * labels.mask("necrosis").sum() / labels.mask("head").sum()
        assert share == pytest.approx(float(truth["necrosis_percent"]), rel=0.1, abs=0.3)
        centre = np.array([float(truth[f"centre_{a}_mm"]) for a in "xyz"])
        at = tuple(np.rint(image.grid.to_index(centre)).astype(int))
        assert labels.array[at] > 0
        click = np.array([float(row[f"centre_{a}_mm"]) for a in "xyz"])
        assert 0 < np.abs(click - centre).max() < 8


def test_a_case_does_not_depend_on_how_many_cases_are_made(cohort, tmp_path):
    path, _ = cohort
    fewer = write_cohort(CohortPlan(patients=2, seed=5, acquisition=TINY, mode=None), tmp_path / "fewer")
    assert rows_of(fewer) == rows_of(path)[:2]
    for name in ("images/hip-002.nii.gz", "labels/hip-002.nii.gz", "second_reader/hip-002.nii.gz"):
        assert content_hash(fewer.parent / name) == content_hash(path.parent / name)


def test_another_seed_makes_another_cohort(cohort, tmp_path):
    other = write_cohort(CohortPlan(patients=1, seed=6, acquisition=TINY), tmp_path / "other")
    assert rows_of(other)[0] != rows_of(cohort[0])[0]


def test_thirty_four_patients_are_composed_like_the_abstracts():
    patients = [draw_patient(1, k) for k in range(1, 35)]
    assert Counter(p.disease.arco_stage for p in patients) == {"I": 3, "II": 5, "IIIA": 12, "IIIB": 14}
    assert Counter(p.sex for p in patients) == {"female": 14, "male": 20}
    assert np.mean([p.age for p in patients]) == pytest.approx(30, abs=4)
    assert {p.side.value for p in patients} == {"left", "right"}


def test_small_cohorts_have_early_and_advanced_hips_of_both_sexes():
    for first in range(1, 25):
        some = [draw_patient(1, k) for k in range(first, first + 10)]
        assert {p.disease.arco_stage in ("I", "II") for p in some} == {True, False}
        assert {p.sex for p in some} == {"female", "male"}


@pytest.mark.parametrize(("stage", "mean", "sd"), [("I", 8, 8), ("IIIA", 20, 16)])
def test_shares_have_the_abstracts_mean_and_spread(stage, mean, sd):
    shares = np.array([share_at_percent((k + 0.5) / 4000, arco_stage=stage) for k in range(4000)])
    assert shares.mean() == pytest.approx(mean, abs=0.6)
    assert shares.std() == pytest.approx(sd, abs=0.6)
    assert shares.min() >= 1.5
    assert shares.max() <= 60


@pytest.mark.parametrize("seed", range(20))
def test_the_lesions_of_one_small_cohort_are_spread_like_those_of_many_cohorts(seed):
    diseases = [draw_patient(seed, k).disease for k in range(1, 35)]
    shares = np.array([one.necrosis_percent for one in diseases if one.arco_stage.startswith("III")])
    assert shares.mean() == pytest.approx(20, abs=2)  # by chance 16 / sqrt(26) = 3.1
    assert shares.std(ddof=1) == pytest.approx(16, rel=0.1)
    assert shares.max() > 50


@pytest.mark.parametrize(("changes", "words"), [({"patients": 0}, "patients=0"), ({"seed": -1}, "seed=-1")])
def test_cohorts_that_cannot_be_are_refused(changes, words):
    with pytest.raises(InvalidConfig, match=words):
        CohortPlan(**changes)


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputNotWritable, match="not an empty folder"):
        write_cohort(CohortPlan(patients=1, acquisition=TINY), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_cohort_that_fails_in_the_middle_leaves_nothing(tmp_path):
    def stop(done, _):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(CohortPlan(patients=2, acquisition=TINY), tmp_path / "hips", on_progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_dicom_cohort_holds_the_same_images_as_a_nifti_cohort(cohort, tmp_path):
    plan = CohortPlan(patients=3, seed=5, acquisition=TINY, mode=None, file_format=FileFormat.DICOM)
    dicom, nifti = read_cohort(write_cohort(plan, tmp_path / "dicom")), read_cohort(cohort[0])
    for one, other in zip(dicom, nifti, strict=True):
        image, same = read_image(one.image), read_image(other.image)
        assert image.grid.is_close(same.grid)
        np.testing.assert_array_equal(image.array, same.array)
        assert read_labels(one.label).grid.is_close(image.grid)


def test_dixon_cohorts_have_a_file_per_channel(tmp_path):
    plan = CohortPlan(patients=1, acquisition=TINY, mode=SignalMode.DIXON)
    case = next(iter(read_cohort(write_cohort(plan, tmp_path / "dixon"))))
    assert [path.name for path in case.image] == [
        f"hip-001_{name}.nii.gz" for name in ("in", "opposed", "water", "fat")
    ]
    assert read_image(case.image).array.shape == (4, *TINY.shape)


def test_with_both_hips_in_the_field_an_affected_other_hip_is_a_case_of_the_same_image(tmp_path):
    field = Acquisition((36, 60, 118), (3.0, 3.0, 3.0), Plane.AXIAL, both_hips=True)
    rows = rows_of(write_cohort(CohortPlan(patients=4, seed=2, acquisition=field), tmp_path / "both"))
    others = [row for row in rows if row["index_hip"] == "no"]
    assert others
    for other in others:
        index = next(row for row in rows if row["case_id"] == other["case_id"].removesuffix("-other"))
        assert index["image"] == other["image"]
        assert index["label"] != other["label"]
        assert {index["side"], other["side"]} == {"left", "right"}
        assert other["arco_stage"] in ("I", "II", "IIIA", "IIIB")
