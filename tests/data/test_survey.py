"""What headers say of a cohort, and what is said where its images differ."""

import numpy as np
import pytest

from avnnet.data.survey import survey_of, survey_of_grids
from avnnet.errors import AvnnetError, InvalidCohort, InvalidConfig
from avnnet.grid import Grid

AXIAL = Grid((40, 200, 210), (3.0, 0.7, 0.7))
CORONAL = Grid((30, 180, 200), (4.0, 0.6, 0.6), direction=((0, 0, 1), (1, 0, 0), (0, -1, 0)))


def ids(grids):
    return [f"hip-{number}" for number in range(len(grids))]


@pytest.mark.parametrize("grid", [AXIAL, CORONAL])
def test_the_slice_axis_comes_first_whatever_the_plane(grid):
    survey = survey_of_grids(["a", "b"], [grid, grid])
    assert survey.spacings_mm[0] == grid.spacing
    assert survey.shapes[0] == grid.shape
    assert survey.first_axis == ("superior" if grid is AXIAL else "posterior")
    assert survey.remarks == ()


def test_an_image_whose_file_has_another_axis_order_is_surveyed_alike():
    turned = Grid((210, 40, 200), (0.7, 3.0, 0.7), direction=((1, 0, 0), (0, 0, 1), (0, 1, 0)))
    assert survey_of_grids(["a"], [turned]) == survey_of_grids(["a"], [AXIAL])


def test_a_cohort_of_two_planes_follows_the_many_and_names_the_few():
    grids = [AXIAL] * 5 + [CORONAL] * 2
    remarks = survey_of_grids(ids(grids), grids).remarks
    assert "2 of 7 images have their slices across posterior and not superior: hip-5, hip-6" in remarks[0]


def test_images_that_differ_wildly_are_named_with_both_ends():
    grids = [AXIAL, AXIAL, Grid((20, 100, 110), (3.0, 4.0, 4.0))]
    said = " ".join(survey_of_grids(ids(grids), grids).remarks)
    assert "the spacing along axis 1 runs from 0.7 mm (hip-0) to 4 mm (hip-2)" in said
    assert "plan unlike images apart" in said


def test_a_crop_has_the_voxels_of_its_millimetres():
    survey = survey_of_grids(["a", "b"], [AXIAL, AXIAL], (60.0, 70.0, 70.0))
    assert survey.shapes[0] == pytest.approx((20, 100, 100))
    assert survey.remarks == ()


def test_a_crop_larger_than_the_images_is_said():
    remarks = survey_of_grids(["a"], [AXIAL], (200.0, 70.0, 70.0)).remarks
    assert "the crop of 200 x 70 x 70 mm is larger than the median image of 120 x 140 x 147 mm" in remarks[0]


def test_a_cohort_is_read_by_its_headers(cohort):
    survey = survey_of(cohort)
    assert survey.case_ids == tuple(case.case_id for case in cohort)
    assert np.allclose(survey.spacings_mm, (3.2, 2.8, 3.0))
    assert set(survey.shapes) == {(32, 60, 56)}


def test_one_run_names_every_case_whose_header_cannot_be_used(cohort, tmp_path):
    broken = tmp_path / "hip.nii.gz"
    broken.write_bytes(b"nothing")
    for case in cohort.cases[1:3]:
        object.__setattr__(case, "image", (broken,))
    with pytest.raises(AvnnetError) as refused:
        survey_of(cohort)
    said = str(refused.value)
    assert said.startswith(f"case {cohort.cases[1].case_id}: ")
    assert f"Other cases at fault: {cohort.cases[2].case_id}" in said


def test_a_crop_of_cases_without_centres_is_refused_by_their_names(cohort):
    object.__setattr__(cohort.cases[3], "centre_mm", None)
    with pytest.raises(InvalidCohort, match=rf"1 of 6 cases lack: {cohort.cases[3].case_id}\. Fill them in"):
        survey_of(cohort, crop_mm=(80, 70, 70))


@pytest.mark.parametrize("crop_mm", [(0, 70, 70), (80, -1, 70), (80, 70), (5000, 70, 70)])
def test_a_crop_that_no_patient_has_is_refused(cohort, crop_mm):
    with pytest.raises(InvalidConfig, match="three lengths in mm above 0, of 1000 at most"):
        survey_of(cohort, crop_mm=crop_mm)
