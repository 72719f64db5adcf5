"""An Enhanced multi-frame file is the same image as the classic series of the same slices."""

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from avnnet.data.dicom import read_series, series_grid
from avnnet.errors import AvnnetError, DuplicateSlices, MissingGeometry, MixedSeries, UnsupportedFormat
from tests.faults.conftest import edit, enhanced, files
from tests.faults.test_dicom_geometry import is_same


@pytest.fixture
def one_file(series, tmp_path):
    return enhanced(series, tmp_path / "enhanced.dcm")


@pytest.fixture
def frames(one_file):
    """The file's description of its frames, to be changed; and a function that saves it."""
    dataset = pydicom.dcmread(one_file)
    return dataset.PerFrameFunctionalGroupsSequence, dataset, lambda: dataset.save_as(one_file)


def test_d20_an_enhanced_file_is_identical_to_the_classic_series(one_file, image):
    assert is_same(read_series(one_file), image)
    assert series_grid(one_file).is_close(image.grid)


def test_d20_the_order_of_frames_means_nothing(series, image, tmp_path):
    for name, path in zip("dbgaechf", files(series), strict=True):
        path.rename(series / name)
    assert is_same(read_series(enhanced(series, tmp_path / "enhanced.dcm")), image)


def test_d20_a_folder_with_one_enhanced_file_is_read(one_file, image):
    assert is_same(read_series(one_file.parent), image)


def test_each_frame_is_scaled_by_its_own_slope(frames, one_file, image):
    groups, _, save = frames
    for nth, group in enumerate(groups):
        scale = Dataset()
        scale.RescaleSlope, scale.RescaleIntercept = f"{1 + nth / 4}", "2"
        group.PixelValueTransformationSequence = Sequence([scale])
    save()
    expected = image.array * (1 + np.arange(8) / 4)[:, None, None] + 2
    assert np.abs(read_series(one_file).array - expected).max() <= 1e-9


def test_d21_two_stacks_are_two_series(frames, one_file):
    groups, _, save = frames
    for group in groups[4:]:
        group.FrameContentSequence[0].StackID = "2"
    save()
    with pytest.raises(MixedSeries, match="2 of 2 series"):
        series_grid(one_file)
    assert read_series(one_file, 1).grid.shape == (4, 34, 40)


def test_d21_two_time_points_are_refused(frames, one_file):
    groups, _, save = frames
    for nth, group in enumerate(groups):
        group.FrameContentSequence[0].TemporalPositionIndex = nth % 2 + 1
        group.PlanePositionSequence = groups[nth - nth % 2].PlanePositionSequence
    save()
    with pytest.raises(DuplicateSlices, match="2 time points"):
        series_grid(one_file)


@pytest.mark.parametrize("lost", ["PixelMeasuresSequence", "PlaneOrientationSequence"])
def test_d21_frames_without_measures_are_refused(frames, one_file, lost):
    _, dataset, save = frames
    del dataset.SharedFunctionalGroupsSequence[0][lost]
    save()
    with pytest.raises(MissingGeometry):
        series_grid(one_file)


def test_fewer_descriptions_than_frames_are_refused(frames, one_file):
    groups, _, save = frames
    del groups[5]
    save()
    with pytest.raises(AvnnetError, match="promises 8 frames and describes 7"):
        series_grid(one_file)


def test_several_frames_without_any_description_are_refused(one_file):
    edit(one_file, PerFrameFunctionalGroupsSequence=None)
    with pytest.raises(UnsupportedFormat, match="does not say where each lies"):
        series_grid(one_file)
