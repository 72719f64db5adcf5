import json
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avnnet.data.cohort import Cohort
from avnnet.data.splits import check_folds, make_folds, stored_folds, write_folds
from avnnet.errors import InvalidSplit, LeakageError


def made(patients: list[str], stages: list[str] | None = None) -> Cohort:
    table = pd.DataFrame({"patient_id": patients, "case_id": [f"c{i}" for i in range(len(patients))]})
    table = table.assign(image="i.nii", label="l.nii")
    if stages is not None:
        table["arco_stage"] = stages
    return Cohort(table, Path())


@settings(deadline=None, max_examples=40)
@given(
    hips=st.lists(st.integers(0, 14), min_size=12, max_size=50),
    seed=st.integers(0, 5),
    has_stages=st.booleans(),
)
def test_hips_of_one_patient_never_sit_in_different_folds(hips, seed, has_stages):
    patients = [f"p{n}" for n in [*range(5), *hips]]
    stages = [["I", "II", "IIIA", "IIIB"][n % 4] for n in range(len(patients))] if has_stages else None
    cohort = made(patients, stages)
    folds = make_folds(cohort, 5, seed=seed)
    check_folds(cohort, folds)
    of_patient = {}
    for number, fold in enumerate(folds):
        for case in cohort.subset(fold):
            assert of_patient.setdefault(case.patient_id, number) == number
    assert sorted(c for fold in folds for c in fold) == sorted(c.case_id for c in cohort)
    assert all(folds)


def test_every_fold_gets_its_share_of_each_stage():
    stages = ["I"] * 3 + ["II"] * 5 + ["IIIA"] * 12 + ["IIIB"] * 14
    cohort = made([f"p{i}" for i in range(34)], stages)
    for fold in make_folds(cohort, 5, seed=1):
        counts = Counter("early" if c.arco_stage in ("I", "II") else c.arco_stage for c in cohort.subset(fold))
        assert 1 <= counts["early"] <= 2
        assert 2 <= counts["IIIA"] <= 3
        assert 2 <= counts["IIIB"] <= 3


def test_folds_depend_on_the_seed_and_on_nothing_else():
    cohort = made([f"p{i}" for i in range(20)])
    assert make_folds(cohort, 5, seed=1) == make_folds(cohort, 5, seed=1)
    assert make_folds(cohort, 5, seed=1) != make_folds(cohort, 5, seed=2)


def test_fewer_patients_than_folds_are_refused_with_both_numbers():
    with pytest.raises(InvalidSplit, match=r"5 folds .*3 patients in 6 cases"):
        make_folds(made(["a", "a", "b", "b", "c", "c"]), 5, seed=1)


def test_stored_folds_are_read_again(tmp_path):
    cohort = made([f"p{i}" for i in range(20)])
    first = stored_folds(tmp_path / "splits.json", cohort, 5, seed=1)
    assert stored_folds(tmp_path / "splits.json", cohort, 5, seed=99) == first


def test_stored_folds_that_divide_a_patient_are_refused(tmp_path):
    cohort = made(["a", "a", "b", "c"])
    write_folds(tmp_path / "s.json", [["c0"], ["c1", "c2", "c3"]], seed=1)
    with pytest.raises(LeakageError, match="folds 0 and 1"):
        stored_folds(tmp_path / "s.json", cohort, 2, seed=1)


@pytest.mark.parametrize(
    "folds", [[["c0"], ["c1"]], [["c0", "c0"], ["c1", "c2"]], [["c0", "c1"], ["c2", "c9"]], [["c0"], ["c1"], ["c2"]]]
)
def test_folds_of_another_cohort_or_number_are_refused(tmp_path, folds):
    write_folds(tmp_path / "s.json", folds, seed=1)
    with pytest.raises(InvalidSplit):
        stored_folds(tmp_path / "s.json", made(["a", "b", "c"]), 2, seed=1)


def test_a_broken_splits_file_is_refused(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps({"folds": 3}))
    with pytest.raises(InvalidSplit, match="does not hold folds"):
        stored_folds(tmp_path / "s.json", made(["a", "b"]), 2, seed=1)
