import numpy as np
import pytest

from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.data.preprocess import Preprocess
from avnnet.errors import (
    DuplicateCase,
    EmptyLabel,
    GeometryMismatch,
    InvalidCohort,
    InvalidLabelValues,
    MissingFile,
    NotAVolume,
)
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap
from avnnet.labels import HIP, LabelScheme, Side


def write(tmp_path, text: str):
    path = tmp_path / "cohort.csv"
    path.write_text(text, encoding="utf-8")
    return path


HEAD = "patient_id,case_id,image,label"


def test_text_ids_stay_text(tmp_path):
    cohort = read_cohort(write(tmp_path, f"{HEAD}\n007,001,a.nii,b.nii\nNA,1e5,a.nii,b.nii\n"))
    assert [(c.patient_id, c.case_id) for c in cohort] == [("007", "001"), ("NA", "1e5")]


def test_further_columns_are_carried_along_with_numbers_as_numbers(tmp_path):
    cohort = read_cohort(write(tmp_path, f"{HEAD},follow_up_months,scanner\np,c,a.nii,b.nii,24,=Skyra\n"))
    assert cohort.carried["follow_up_months"].tolist() == [24]
    assert cohort.carried["scanner"].tolist() == ["=Skyra"]


def test_side_stage_and_centre_are_read(cohort):
    case = cohort.cases[0]
    assert case.side in (Side.LEFT, Side.RIGHT)
    assert case.arco_stage in ("I", "II", "IIIA", "IIIB")
    assert len(case.centre_mm) == 3


@pytest.mark.parametrize("word", ["L", "Left", " left "])
def test_a_side_written_another_way_is_the_same_side_in_every_table(tmp_path, word):
    cohort = read_cohort(write(tmp_path, f"{HEAD},side\np,a,i.nii,l.nii,{word}\nq,b,i.nii,l.nii,\n"))
    assert [case.side for case in cohort] == [Side.LEFT, None]
    assert cohort.table["side"].tolist() == ["left", ""]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("patient_id;case_id\n1;2\n", InvalidCohort, "missing ..image., .label.."),
        (f"{HEAD}\n", InvalidCohort, "no rows"),
        (f"{HEAD}\np,a,i.nii,l.nii\nq,a,i.nii,l.nii\n", DuplicateCase, "case a:"),
        (f"{HEAD}\np,../a,i.nii,l.nii\n", InvalidCohort, "names files"),
        (f"{HEAD}\np,a,,l.nii\n", InvalidCohort, "image"),
        (f"{HEAD},side\np,a,i.nii,l.nii,both\n", InvalidCohort, "both"),
        (f"{HEAD},centre_x_mm\np,a,i.nii,l.nii,3\n", InvalidCohort, "all filled"),
        (f"{HEAD},age\np,a,i.nii,l.nii,old\n", InvalidCohort, "old"),
        (f'{HEAD},age\np,a,i.nii,l.nii,"1,234"\n', InvalidCohort, "case a: age .* can be 1.234 or 1234"),
        (f'{HEAD},age\np,a,i.nii,l.nii,"30,5"\nq,b,i.nii,l.nii,30.5\n', InvalidCohort, "write both in one way"),
        (f"{HEAD},age\np,a,i.nii,l.nii,30,5\n", InvalidCohort, "row 2 has 6 cells, the header 5"),
        (f"{HEAD},age,age\np,a,i.nii,l.nii,30,5\n", InvalidCohort, "..age.. stand twice"),
    ],
)
def test_a_faulty_table_is_refused_in_words(tmp_path, text, error, words):
    with pytest.raises(error, match=words):
        read_cohort(write(tmp_path, text))


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(MissingFile, match=r"gone\.csv"):
        read_cohort(tmp_path / "gone.csv")


def test_a_good_cohort_passes_the_checks(cohort):
    seen = []
    check_cohort(cohort, HIP, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (6, 6)


def test_a_missing_image_is_named_with_its_case(cohort, tmp_path):
    table = cohort.table.copy()
    table.loc[2, "image"] = "gone.nii.gz"
    with pytest.raises(MissingFile, match=r"case hip-003: .*gone\.nii\.gz"):
        check_cohort(type(cohort)(table, cohort.root), HIP)


def test_a_label_on_another_grid_is_found_before_training(cohort):
    table = cohort.table.copy()
    table.loc[[1, 3], "label"] = table.loc[0, "label"]
    with pytest.raises(GeometryMismatch, match=r"case hip-002(?s:.*)Other cases at fault: hip-004"):
        check_cohort(type(cohort)(table, cohort.root), HIP)


def test_a_second_readers_mask_is_optional_per_case_and_no_column_of_the_results(cohort):
    table = cohort.table.copy()
    table.loc[0, "second_label"] = ""
    some = type(cohort)(table, cohort.root)
    assert some.cases[0].second_label is None
    assert some.cases[1].second_label == cohort.root / table.loc[1, "second_label"]
    assert "second_label" not in some.carried
    check_cohort(some, HIP)
    without = type(cohort)(table.drop(columns="second_label"), cohort.root)
    assert {case.second_label for case in without} == {None}


def test_a_second_readers_mask_on_another_grid_or_missing_is_found_before_training(cohort):
    table = cohort.table.copy()
    table.loc[1, "second_label"] = table.loc[0, "label"]
    with pytest.raises(GeometryMismatch, match="case hip-002: the masks of both readers"):
        check_cohort(type(cohort)(table, cohort.root), HIP)
    table.loc[1, "second_label"] = "gone.nii.gz"
    with pytest.raises(MissingFile, match="case hip-002"):
        check_cohort(type(cohort)(table, cohort.root), HIP)


def emptied(cohort, tmp_path, keep: tuple[int, ...]):
    table = cohort.table.copy()
    table["image"] = [str(cohort.root / name) for name in table["image"]]
    for number, case in enumerate(cohort):
        labels = read_labels(case.label)
        kept = np.where(np.isin(labels.array, keep), labels.array, 0).astype(np.uint8)
        table.loc[number, "label"] = str(write_image(LabelMap(kept, labels.grid), tmp_path / case.label.name))
    return type(cohort)(table, cohort.root)


def test_masks_that_are_all_empty_are_refused(cohort, tmp_path):
    empty = emptied(cohort, tmp_path, ())
    for is_for_training in (True, False):
        with pytest.raises(EmptyLabel, match="none of the 6 masks"):
            check_cohort(empty, HIP, is_for_training=is_for_training)


def test_a_structure_that_nobody_drew_cannot_be_learnt_but_a_healthy_cohort_can_be_evaluated(cohort, tmp_path):
    healthy = emptied(cohort, tmp_path, (1,))
    with pytest.raises(EmptyLabel, match=r"\{2: 'necrosis'\}"):
        check_cohort(healthy, HIP)
    check_cohort(healthy, HIP, is_for_training=False)


def test_a_single_slice_is_no_volume(cohort, tmp_path):
    image = read_image(cohort.cases[0].image)
    flat = Image(image.array[:1], Grid((1, *image.grid.shape[1:]), image.grid.spacing))
    path = write_image(flat, tmp_path / "slice.nii.gz")
    table = cohort.table.assign(image=str(path))
    with pytest.raises(NotAVolume, match=r"hip-001: .*at least 4 slices"):
        check_cohort(type(cohort)(table, cohort.root), HIP)
    with pytest.raises(NotAVolume):
        Preprocess([1.0, 1.0, 1.0]).prepare(flat)


def test_label_values_outside_the_scheme_are_found_before_training(cohort):
    only_one = LabelScheme({1: "bone"}, part="bone", whole="all")
    with pytest.raises(InvalidLabelValues, match="hip-001"):
        check_cohort(cohort, only_one)
