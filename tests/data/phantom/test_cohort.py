"""The cohort of digital hips: its table, its composition and its reproducibility."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest

from avnnet.data.files import read_image, read_labels
from avnnet.data.integrity import content_hash
from avnnet.data.phantom import write_cohort
from avnnet.data.phantom.cohort import COHORT_COLUMNS, draw_patient, draw_share_percent
from avnnet.errors import InvalidConfig

TINY = {"shape": (44, 70, 70), "spacing_mm": (2.0, 1.3, 1.3)}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    seen = []
    path = write_cohort(
        tmp_path_factory.mktemp("cohort"), patients=3, seed=5, on_progress=lambda *c: seen.append(c), **TINY
    )
    return path, seen


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_table_has_the_columns_and_one_row_per_patient(cohort):
    path, seen = cohort
    rows = rows_of(path)
    assert tuple(rows[0]) == COHORT_COLUMNS
    assert [r["case_id"] for r in rows] == ["hip-001", "hip-002", "hip-003"]
    assert [r["patient_id"] for r in rows] == ["P001", "P002", "P003"]
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_files_of_the_table_agree_with_the_truth(cohort):
    path, _ = cohort
    for row, truth in zip(rows_of(path), rows_of(path.parent / "truth.csv"), strict=True):
        image, labels = read_image(path.parent / row["image"]), read_labels(path.parent / row["label"])
        assert image.grid.is_close(labels.grid)
        assert row["side"] == truth["side"]
        assert row["arco_stage"] == truth["arco_stage"]
        share = 100 * labels.mask("necrosis").sum() / labels.mask("head").sum()
        assert share == pytest.approx(float(truth["necrosis_percent"]), abs=1e-4)
        centre = np.array([float(truth[f"centre_{a}_mm"]) for a in "xyz"])
        at = tuple(np.rint(image.grid.to_index(centre)).astype(int))
        assert labels.array[at] > 0
        click = np.array([float(row[f"centre_{a}_mm"]) for a in "xyz"])
        assert 0 < np.abs(click - centre).max() < 8


def test_a_case_does_not_depend_on_how_many_cases_are_made(cohort, tmp_path):
    path, _ = cohort
    fewer = write_cohort(tmp_path, patients=2, seed=5, **TINY)
    assert rows_of(fewer) == rows_of(path)[:2]
    for name in ("images/hip-002.nii.gz", "labels/hip-002.nii.gz"):
        assert content_hash(tmp_path / name) == content_hash(path.parent / name)


def test_another_seed_makes_another_cohort(cohort, tmp_path):
    other = write_cohort(tmp_path, patients=1, seed=6, **TINY)
    assert rows_of(other)[0] != rows_of(cohort[0])[0]


def test_thirty_four_patients_are_composed_like_the_abstracts():
    patients = [draw_patient(np.random.default_rng([1, k]), k) for k in range(1, 35)]
    assert Counter(p.arco_stage for p in patients) == {"I": 3, "II": 5, "IIIA": 12, "IIIB": 14}
    assert Counter(p.sex for p in patients) == {"female": 14, "male": 20}
    assert np.mean([p.age for p in patients]) == pytest.approx(30, abs=4)
    assert {p.side.value for p in patients} == {"left", "right"}


def test_small_cohorts_have_early_and_advanced_hips_of_both_sexes():
    for first in range(1, 25):
        some = [draw_patient(np.random.default_rng([1, k]), k) for k in range(first, first + 10)]
        assert {p.arco_stage in ("I", "II") for p in some} == {True, False}
        assert {p.sex for p in some} == {"female", "male"}


@pytest.mark.parametrize(("stage", "mean", "sd"), [("I", 8, 8), ("IIIA", 20, 16)])
def test_shares_have_the_abstracts_mean_and_spread(stage, mean, sd):
    generator = np.random.default_rng(0)
    shares = np.array([draw_share_percent(generator, arco_stage=stage) for _ in range(4000)])
    assert shares.mean() == pytest.approx(mean, abs=0.6)
    assert shares.std() == pytest.approx(sd, abs=0.6)
    assert shares.min() >= 1.5
    assert shares.max() <= 60


def test_an_empty_cohort_is_refused(tmp_path):
    with pytest.raises(InvalidConfig, match="patients=0"):
        write_cohort(tmp_path, patients=0)
