"""Folders of DICOM files that are no even stack of one plain series are refused by name."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless

from avnnet.data.dicom import write_series
from avnnet.data.files import read_grid, read_image
from avnnet.data.integrity import content_hash
from avnnet.errors import (
    InvalidGeometry,
    MissingFile,
    MissingSlices,
    MixedSeries,
    NotAVolume,
    UnevenSpacing,
    UnreadableFile,
    UnsupportedFormat,
)
from avnnet.grid import Grid
from avnnet.image import Image
from tests.data.conftest import edited, files

OBLIQUE = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
GRID = Grid((5, 6, 7), (3.3, 0.7, 0.4), (-101.0, 22.2, 7.5), OBLIQUE)


@pytest.fixture
def image():
    return Image(np.arange(210, dtype=np.int16).reshape(GRID.shape), GRID)


def moved(path, by_mm):
    """Moves one slice along the normal."""
    dataset = pydicom.dcmread(path)
    cosines = np.array(dataset.ImageOrientationPatient, float)
    position = np.array(dataset.ImagePositionPatient, float) + by_mm * np.cross(cosines[:3], cosines[3:])
    edited(path, ImagePositionPatient=[f"{number:.8f}" for number in position])


def test_names_and_numbers_of_files_mean_nothing(series, image):
    hashed = content_hash(series)
    for name, path in zip("dbaec", files(series), strict=True):
        path.rename(series / name)
    assert content_hash(series) == hashed
    for path in files(series):
        edited(path, InstanceNumber=1)
    assert np.array_equal(read_image(series).array, image.array)


def test_hidden_files_and_the_index_are_passed_over(series, image):
    (series / ".DS_Store").write_bytes(b"x")
    (series / "DICOMDIR").write_bytes(b"x")
    assert np.array_equal(read_image(series).array, image.array)


def compressed(path):
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.save_as(path)


def test_a_compressed_series_is_the_same_image_and_unreadable_when_cut(series, image):
    for path in files(series):
        compressed(path)
    assert np.array_equal(read_image(series).array, image.array)
    last = files(series)[-1]
    content = last.read_bytes()
    for length in range(0, len(content), 7):
        last.write_bytes(content[:length])
        with pytest.raises(UnreadableFile, match=last.name):
            read_image(series)


def test_a_folder_without_dicom_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("none here")
    with pytest.raises(MissingFile, match="no DICOM"):
        read_image(tmp_path)


def test_two_series_in_one_folder_are_named_by_their_files(image, series, tmp_path):
    other = write_series(image, tmp_path / "other", patient_id="p1", series_number=2)
    for path in files(other)[:2]:
        path.rename(series / f"z{path.name}")
    with pytest.raises(MixedSeries, match=r"found 2: 5 of 6 x 7 pixels from 0001\.dcm on; 2 of .* from z0001\.dcm on"):
        read_image(series)


def test_slices_of_other_planes_sizes_or_echoes_are_refused(series):
    whole = {path: path.read_bytes() for path in files(series)}
    third = files(series)[2]
    for values in (
        {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]},
        {"PixelSpacing": [0.7, 0.34]},
        {"Rows": 7, "Columns": 6},
        {"ImagePositionPatient": pydicom.dcmread(files(series)[1]).ImagePositionPatient},
    ):
        edited(third, **values)
        with pytest.raises(MixedSeries):
            read_image(series)
        third.write_bytes(whole[third])


@pytest.mark.parametrize("index", [1, 2, 3])
def test_a_missing_inner_slice_is_named_by_its_neighbours(series, index):
    files(series)[index].unlink()
    for read in (read_image, read_grid):
        with pytest.raises(MissingSlices, match=rf"000{index}\.dcm and 000{index + 2}\.dcm there are 6\.6 mm, elsewh"):
            read(series)


@pytest.mark.parametrize(("share", "is_refused"), [(0.009, False), (0.011, True), (0.05, True)])
def test_slices_may_lie_off_by_a_hundredth_of_their_distance(series, share, is_refused):
    moved(files(series)[2], share * 3.3)
    if is_refused:
        with pytest.raises(UnevenSpacing, match="evenly spaced"):
            read_grid(series)
    else:
        assert read_grid(series).spacing[0] == pytest.approx(3.3)


def test_the_distance_is_that_of_the_positions_not_of_the_header(series):
    for path in files(series):
        edited(path, SliceThickness="9", SpacingBetweenSlices="-1")
    assert read_grid(series).spacing[0] == pytest.approx(3.3)


def test_sheared_slices_are_refused(series):
    for number, path in enumerate(files(series)):
        edited(path, ImagePositionPatient=[0, number, number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    with pytest.raises(InvalidGeometry, match="sheared"):
        read_image(series)


@pytest.mark.parametrize("keep", [0, 0.1, 0.3, 0.6, 0.95, 0.999])
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_truncated_file_is_unreadable(series, index, keep):
    path = files(series)[index]
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    for read in (read_image, read_grid):
        with pytest.raises(UnreadableFile, match=path.name):
            read(series)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"PhotometricInterpretation": "MONOCHROME1"}, UnsupportedFormat),
        ({"SamplesPerPixel": 3}, UnsupportedFormat),
        ({"NumberOfFrames": 2}, UnsupportedFormat),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, UnsupportedFormat),
        ({"ImagePositionPatient": None}, InvalidGeometry),
        ({"ImageOrientationPatient": [1, 0, 0]}, InvalidGeometry),
        ({"PixelSpacing": None}, InvalidGeometry),
        ({"PixelData": b"\0" * 86}, UnreadableFile),
    ],
)
def test_what_is_no_plain_slice_is_refused_by_name(series, values, error):
    edited(files(series)[1], **values)
    with pytest.raises(error, match=r"0002\.dcm"):
        read_image(series)


def test_one_slice_is_no_volume(series):
    for path in files(series)[1:]:
        path.unlink()
    with pytest.raises(NotAVolume, match="one slice"):
        read_image(series)
