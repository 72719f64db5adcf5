"""Masks and cohorts that cannot be used are refused by name before anything is trained (rows L01 to L14)."""

import numpy as np
import pandas as pd
import pytest

from avnnet.data.checks import check_case, check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_labels, write_image
from avnnet.data.splits import make_folds
from avnnet.errors import (
    AvnnetError,
    DuplicateCase,
    EmptyLabel,
    GeometryMismatch,
    InvalidCohort,
    InvalidLabelValues,
    InvalidSplit,
    MissingFile,
)
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.labels import HIP

GRID = Grid((6, 8, 9), (3.3, 0.7, 0.4), (-101.0, 22.2, 7.5))


def drawn() -> np.ndarray:
    array = np.zeros(GRID.shape, np.uint8)
    array[1:5, 2:6, 2:7] = 1
    array[2:4, 3:5, 3:5] = 2
    return array


def written(tmp_path, array, grid=GRID, name="label.nii.gz"):
    return write_image(Image(array, grid), tmp_path / name)


def cohort_of(tmp_path, label, grid=GRID):
    """A cohort of one case whose mask is this one."""
    write_image(Image(np.random.default_rng(0).normal(size=grid.shape).astype(np.float32), grid), tmp_path / "i.nii.gz")
    (tmp_path / "c.csv").write_text(f"patient_id,case_id,image,label\np,c,i.nii.gz,{label.name}\n")
    return read_cohort(tmp_path / "c.csv")


@pytest.mark.parametrize("off", [1e-7, 4e-4])
def test_l01_ids_that_were_rounded_in_a_float_file_are_ids(tmp_path, off):
    path = written(tmp_path, drawn().astype(np.float32) * np.float32(1 - off))
    assert np.array_equal(read_labels(path).array, drawn())


@pytest.mark.parametrize("bad", [0.5, 1.01, np.nan, np.inf])
def test_l01_values_that_are_no_ids_are_refused(tmp_path, bad):
    array = drawn().astype(np.float32)
    array[0, 0, 0] = bad
    with pytest.raises(InvalidLabelValues, match="whole numbers"):
        read_labels(written(tmp_path, array))


@pytest.mark.parametrize(("values", "listed"), [({1: 255, 2: 255}, "255"), ({2: 7}, "7"), ({2: -1}, "-1")])
def test_l02_foreign_ids_are_listed_with_their_counts(tmp_path, values, listed):
    array = drawn().astype(np.int16)
    for value, other in values.items():
        array[drawn() == value] = other
    count = int((array == int(listed)).sum())
    with pytest.raises(InvalidLabelValues, match=f"{listed}: {count}"):
        read_labels(written(tmp_path, array))


@pytest.mark.parametrize(
    "change",
    [
        lambda a, g: (a[:-1], Grid((5, 8, 9), g.spacing, g.origin)),  # L03 a slice less
        lambda a, g: (a.transpose(0, 2, 1), Grid((6, 9, 8), g.spacing, g.origin)),  # L03 axes
        lambda a, g: (a, Grid(g.shape, g.spacing, tuple(np.add(g.origin, (0.2, 0.0, 0.0))))),  # L04 half a voxel
        lambda a, g: (a, Grid(g.shape, g.spacing, g.origin, ((0, 0, -1), (0, 1, 0), (1, 0, 0)))),  # L05
    ],
)
def test_l03_l04_l05_a_mask_on_another_grid_is_refused(tmp_path, change):
    array, grid = change(drawn(), GRID)
    cohort = cohort_of(tmp_path, written(tmp_path, np.ascontiguousarray(array), grid))
    with pytest.raises(GeometryMismatch, match="one grid"):
        check_case(cohort.cases[0], HIP)


def test_l04_a_rounded_origin_is_the_same_grid(tmp_path):
    grid = Grid(GRID.shape, GRID.spacing, tuple(np.add(GRID.origin, 1e-4)))
    assert check_case(cohort_of(tmp_path, written(tmp_path, drawn(), grid)).cases[0], HIP) == {1, 2}


@pytest.mark.parametrize("only", [0, 1, 2])
def test_l06_masks_in_which_a_structure_is_nowhere_are_refused(tmp_path, only):
    cohort = cohort_of(tmp_path, written(tmp_path, np.where(drawn() == only, drawn(), 0).astype(np.uint8)))
    with pytest.raises(EmptyLabel, match="is there a voxel of"):
        check_cohort(cohort, HIP)


def test_l08_a_missing_mask_is_named_with_its_case(tmp_path):
    cohort = cohort_of(tmp_path, tmp_path / "none.nii.gz")
    with pytest.raises(MissingFile, match="case c: no file"):
        check_cohort(cohort, HIP)


def test_l08_an_image_in_the_place_of_a_mask_is_refused(tmp_path):
    cohort = cohort_of(tmp_path, written(tmp_path, np.random.default_rng(1).normal(size=GRID.shape)))
    with pytest.raises(InvalidLabelValues):
        check_cohort(cohort, HIP)


def table(ids, patients=None):
    patients = patients or ids
    return pd.DataFrame({"patient_id": patients, "case_id": ids, "image": "i.nii.gz", "label": "l.nii.gz"})


def read(tmp_path, frame, **options):
    frame.to_csv(tmp_path / "c.csv", index=False, **options)
    return read_cohort(tmp_path / "c.csv")


@pytest.mark.parametrize("ids", [["a", "a"], ["A01", "a01"]])
def test_l09_ids_that_name_one_file_are_refused(tmp_path, ids):
    with pytest.raises(DuplicateCase):
        read(tmp_path, table(ids))


def test_l09_ids_stay_text(tmp_path):
    assert [case.case_id for case in read(tmp_path, table(["007", "7"]))] == ["007", "7"]
    with pytest.raises(InvalidCohort, match="starts with a letter"):
        read(tmp_path, table(["a ", "b"]))


def test_l10_l11_all_hips_and_visits_of_a_patient_are_in_one_fold(tmp_path):
    patients = [f"p{n // 3}" for n in range(18)]
    cohort = read(tmp_path, table([f"case{n}" for n in range(18)], patients))
    for fold in make_folds(cohort, 3, seed=4):
        inside = {case.patient_id for case in cohort.subset(fold)}
        outside = {case.patient_id for case in cohort if case.case_id not in fold}
        assert not inside & outside


def test_l12_fewer_patients_than_folds_are_refused(tmp_path):
    with pytest.raises(InvalidSplit, match="4 patients"):
        make_folds(read(tmp_path, table(list("abcd"))), 5, seed=1)


@pytest.mark.parametrize(
    "content",
    [
        b"patient_id|case_id|image|label\np|c|i|l\n",
        b"patient_id;case_id;image;label\np;c;i.nii;j.nii;l\n",
        b"patient_id,case_id,image,label\np,c,i\n",
        b"patient_id,case_id,image,label\n" + b"p" * 10_000_000 + b",,i,l\n",
        b"patient_id,case_id,image,label\np,c\0d,i,l\n",
        b'patient_id,case_id,image,label,age\np,c,i,l,"1,615"\n',
        b"PK\x03\x04\x14\0\0\0",
        b"\xff\xfe\x00",
        b"",
    ],
)
def test_l14_tables_that_are_none_are_refused_in_words(tmp_path, content):
    (tmp_path / "c.csv").write_bytes(content)
    with pytest.raises(AvnnetError) as caught:
        read_cohort(tmp_path / "c.csv")
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffpatient_id,case_id,image,label,age\r\np,c,i,l,61.5\r\n".encode(),
        b'"patient_id",case_id,image,label,"age"\n"p","c","i","l","61,5"\n',
        b"patient_id; case_id ;image;label;age\r\np;c;i;l;61,5\r\n;;;;\r\n",
        b"sep=;\r\npatient_id;case_id;image;label;age;\r\np;c;i;l;61,5;\r\n",
        b"patient_id,case_id,image,label,age\rp,c,i,l,61.5\r",
        "patient_id\tcase_id\timage\tlabel\tage\r\np\tc\ti\tl\t61,5\r\n".encode("utf-16"),
    ],
)
def test_l14_the_ways_in_which_spreadsheets_write_do_not_matter(tmp_path, content):
    (tmp_path / "c.csv").write_bytes(content)
    cohort = read_cohort(tmp_path / "c.csv")
    assert [case.case_id for case in cohort] == ["c"]
    assert cohort.table["age"].tolist() == [61.5]
