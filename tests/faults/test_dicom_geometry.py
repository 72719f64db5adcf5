"""Slices that make no even, upright stack are refused by name; whatever the files' names and numbers say is ignored."""

import numpy as np
import pydicom
import pytest

from avnnet.data.dicom import read_series, series_grid, write_series
from avnnet.errors import (
    DuplicateSlices,
    InvalidGeometry,
    MissingGeometry,
    MissingSlices,
    NonOrthogonalDirection,
    NotAVolume,
    UnevenSpacing,
)
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image
from tests.faults.conftest import GRID, edit, edit_all, files


def moved(path, by_mm):
    """Moves one slice along the normal."""
    dataset = pydicom.dcmread(path)
    cosines = np.array(dataset.ImageOrientationPatient, float)
    position = np.array(dataset.ImagePositionPatient, float) + by_mm * np.cross(cosines[:3], cosines[3:])
    edit(path, ImagePositionPatient=[f"{number:.8f}" for number in position])


def is_same(found, image):
    return np.array_equal(found.array, image.array) and found.grid.is_close(image.grid)


@pytest.mark.parametrize("index", range(1, 7))
def test_d03_a_missing_inner_slice_is_named_by_its_place(series, index):
    files(series)[index].unlink()
    for read in (read_series, series_grid):
        with pytest.raises(MissingSlices, match=rf"slices {index} and {index + 1} along .* 6\.6 mm, elsewhere 3\.3"):
            read(series)


def test_d04_missing_ends_are_flagged_where_the_header_tells(series):
    edit_all(series, ImagesInAcquisition=8)
    assert read_series(series).source.flags == ()
    for path in files(series)[-3:]:
        path.unlink()
    assert read_series(series).source.flags == (Flag.ENDS_MAY_BE_MISSING,)


def test_d04_missing_first_slices_are_flagged_by_their_numbers(series):
    for path in files(series)[:3]:
        path.unlink()
    assert read_series(series).source.flags == (Flag.ENDS_MAY_BE_MISSING,)


def test_d05_two_slices_at_one_position_are_refused(series, tmp_path):
    copy = series / "copy.dcm"
    copy.write_bytes(files(series)[3].read_bytes())
    edit(copy, SOPInstanceUID="1.2.3")
    with pytest.raises(DuplicateSlices, match="several lie at"):
        series_grid(series)


@pytest.mark.parametrize(("share", "is_refused"), [(0.002, False), (0.009, False), (0.011, True), (0.05, True)])
def test_d07_slices_may_lie_off_by_a_hundredth_of_their_distance(series, image, share, is_refused):
    moved(files(series)[2], share * 3.3)
    if is_refused:
        with pytest.raises(UnevenSpacing, match="evenly spaced"):
            series_grid(series)
    else:
        assert is_same(read_series(series), image)


@pytest.mark.parametrize("first_axis", range(3))
def test_d12_rows_and_columns_of_other_spacing_are_told_apart(tmp_path, image, first_axis):
    order = np.roll([2, 1, 0], first_axis)
    direction = np.eye(3)[:, order]
    grid = Grid(GRID.shape, GRID.spacing, (1.0, 2.0, 3.0), tuple(map(tuple, direction.tolist())))
    folder = write_series(Image(image.array, grid), tmp_path / "plane", patient_id="p")
    found = read_series(folder).grid
    assert sorted(zip(found.shape, np.round(found.spacing, 6), strict=True)) == [(8, 3.3), (34, 0.7), (40, 0.4)]
    assert found.voxel_mm3 == pytest.approx(3.3 * 0.7 * 0.4)


@pytest.mark.parametrize("numbers", ["shuffled", "reversed", "equal", "missing"])
def test_d13_names_and_numbers_of_files_mean_nothing(series, image, numbers):
    for nth, path in enumerate(files(series)):
        number = {"reversed": 8 - nth, "equal": 1, "missing": None, "shuffled": nth + 1}[numbers]
        edit(path, InstanceNumber=number)
    for name, path in zip("dbgaechf", files(series), strict=True):
        path.rename(series / name)
    assert is_same(read_series(series), image)


@pytest.mark.parametrize("keyword", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
@pytest.mark.parametrize("is_everywhere", [True, False])
def test_d14_a_slice_without_its_place_is_refused(series, keyword, is_everywhere):
    for path in files(series)[None if is_everywhere else 4 :][: None if is_everywhere else 1]:
        edit(path, **{keyword: None})
    with pytest.raises(MissingGeometry, match="where it lies"):
        series_grid(series)


@pytest.mark.parametrize(
    ("orientation", "error"),
    [
        ([1.02, 0, 0, 0, 1, 0], NonOrthogonalDirection),
        ([1, 0, 0, 0.05, 0.99875, 0], NonOrthogonalDirection),
        ([1, 0, 0, 0, 1], MissingGeometry),
        ([1, 0, 0, 0, "NaN", 0], InvalidGeometry),
    ],
)
def test_d15_an_orientation_that_cannot_be_is_refused(series, orientation, error):
    edit_all(series, ImageOrientationPatient=orientation)
    with pytest.raises(error):
        series_grid(series)


def test_d15_rounded_cosines_are_read(series, image):
    first = [float(v) for v in pydicom.dcmread(files(series)[0]).ImageOrientationPatient]
    noise = np.random.default_rng(1).normal(0, 1e-6, 6)
    edit_all(series, ImageOrientationPatient=[f"{v:.10f}" for v in np.array(first) + noise])
    assert np.array_equal(read_series(series).array, image.array)


def test_d16_an_orientation_that_drifts_over_the_slices_is_refused(series):
    for nth, path in enumerate(files(series)):
        turn = np.deg2rad(nth / 7)
        edit(path, ImageOrientationPatient=[1, 0, 0, 0, f"{np.cos(turn):.8f}", f"{np.sin(turn):.8f}"])
    with pytest.raises(NotAVolume, match="parallel"):
        series_grid(series)


@pytest.mark.parametrize("said", ["9", "-1", "0", None])
def test_d17_d18_the_distance_is_that_of_the_positions_not_of_the_header(series, said):
    edit_all(series, SliceThickness="9", SpacingBetweenSlices="3.6")
    edit_all(series, SpacingBetweenSlices=said)
    assert series_grid(series).spacing[0] == pytest.approx(3.3)


@pytest.mark.parametrize("degrees", [0.1, 5, 45])
def test_d19_a_leaning_stack_is_refused(series, degrees):
    lean = 3.3 * np.tan(np.deg2rad(degrees))
    for nth, path in enumerate(files(series)):
        place = [0, f"{nth * lean:.6f}", f"{nth * 3.3:.6f}"]
        edit(path, ImagePositionPatient=place, ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    with pytest.raises(NotAVolume, match="leans by"):
        series_grid(series)


def test_a_stack_that_leans_by_a_hundredth_of_a_degree_is_set_upright_and_flagged(series):
    lean = 3.3 * np.tan(np.deg2rad(0.02))
    for nth, path in enumerate(files(series)):
        place = [0, f"{nth * lean:.6f}", f"{nth * 3.3:.6f}"]
        edit(path, ImagePositionPatient=place, ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    found = read_series(series)
    assert found.source.flags == (Flag.REPAIRED_DIRECTION,)
    assert np.array_equal(np.array(found.grid.direction)[:, 0], [0, 0, 1])


@pytest.mark.parametrize("position", ["HFS", "FFS", "HFP", "FFDL"])
def test_d40_how_the_patient_lay_changes_nothing(series, image, position):
    edit_all(series, PatientPosition=position)
    assert is_same(read_series(series), image)
