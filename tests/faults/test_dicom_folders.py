"""What else lies in a folder of DICOM files: other series, other patients, other files."""

import os

import pydicom
import pytest
from pydicom.uid import CTImageStorage, SecondaryCaptureImageStorage, SegmentationStorage, generate_uid

from avnnet.data.dicom import read_series, series_grid, write_series
from avnnet.errors import (
    MixedPatients,
    MixedSeries,
    NotAnImage,
    NotAVolume,
    ResourceLimitExceeded,
    UnsupportedFormat,
    UnsupportedPixelType,
)
from tests.faults.conftest import edit, edit_all, files
from tests.faults.test_dicom_geometry import is_same


@pytest.mark.parametrize("name", [None, "notes.txt"])
def test_d01_a_folder_without_dicom_is_refused(tmp_path, name):
    if name:
        (tmp_path / name).write_text("none here")
    with pytest.raises(NotAnImage, match="no DICOM images" if name else "the folder is empty"):
        series_grid(tmp_path)


def test_d02_the_index_and_what_it_names_are_never_opened(series, image, tmp_path):
    (tmp_path / "secret").write_bytes(files(series)[0].read_bytes())
    (series / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM" + b"../../secret")
    assert is_same(read_series(series), image)


def test_d06_two_echoes_of_each_position_are_two_groups_to_choose_from(series, image, tmp_path):
    other = write_series(image, tmp_path / "other", patient_id="p1")
    for nth, path in enumerate(files(other)):
        edit(path, EchoTime="5.1", SOPInstanceUID=generate_uid())
        path.rename(series / f"second{nth}.dcm")
    edit_all(series, SeriesInstanceUID="1.2.3")
    with pytest.raises(MixedSeries, match=r"2 of 2 series .*--series NUMBER"):
        series_grid(series)
    assert is_same(read_series(series, 2), image)
    with pytest.raises(MixedSeries, match="no series 3"):
        read_series(series, 3)


def test_d08_a_localiser_of_three_planes_under_one_uid_is_refused(series):
    planes = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
    for nth, path in enumerate(files(series)):
        edit(path, ImageOrientationPatient=planes[nth % 3])
    with pytest.raises(MixedSeries, match=r"none of 3 series .*\n.*3 slices"):
        series_grid(series)


@pytest.mark.parametrize("word", ["LOCALIZER", "PROJECTION IMAGE"])
def test_a_localiser_or_projection_is_no_volume(series, word):
    edit_all(series, ImageType=["ORIGINAL", "PRIMARY", word])
    with pytest.raises(NotAVolume, match="localiser or a projection"):
        series_grid(series)


def test_a_localiser_beside_the_scan_is_passed_over(series, image, tmp_path):
    other = write_series(image, tmp_path / "other", patient_id="p1", series_number=2)
    edit_all(other, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    for path in files(other):
        path.rename(series / f"z{path.name}")
    assert is_same(read_series(series), image)


def test_d09_two_scans_in_one_folder_are_listed_and_one_can_be_chosen(series, image, tmp_path):
    other = write_series(image, tmp_path / "other", patient_id="p1", series_number=2)
    for path in files(other)[2:]:
        path.rename(series / f"z{path.name}")
    with pytest.raises(MixedSeries, match=r"\n  1: 8 slices of 34 x 40 .*\n  2: 6 slices of 34 x 40"):
        series_grid(series)
    assert is_same(read_series(series, 1), image)
    assert read_series(series, 2).grid.shape == (6, 34, 40)


def test_d10_two_patients_in_one_folder_are_refused(series, image, tmp_path):
    other = write_series(image, tmp_path / "other", patient_id="p2")
    for path in files(other):
        path.rename(series / f"z{path.name}")
    with pytest.raises(MixedPatients, match="one patient") as caught:
        series_grid(series)
    assert "p2" not in str(caught.value)


@pytest.mark.parametrize("values", [{"PixelSpacing": [0.7, 0.34]}, {"Rows": 40, "Columns": 34}])
def test_d11_slices_of_other_sizes_are_a_series_of_their_own(series, values):
    edit(files(series)[3], **values)
    with pytest.raises(MixedSeries, match=r"7 slices .*\n.*1 slice"):
        series_grid(series)


def test_d25_reports_and_other_objects_are_passed_over(series, image):
    for nth, path in enumerate(files(series)[:4]):
        made = pydicom.dcmread(path)
        made.Modality = ["SR", "PR", "SEG", "PT"][nth]
        made.SeriesInstanceUID = f"1.2.{nth}"
        if nth < 2:
            del made.PixelData, made.Rows
        made.SOPClassUID = SegmentationStorage
        made.save_as(series / f"other{nth}.dcm")
    assert is_same(read_series(series), image)


def test_d25_ct_is_read_where_there_is_no_mr_and_other_modalities_are_not(series, image):
    edit_all(series, Modality="CT", SOPClassUID=CTImageStorage)
    assert is_same(read_series(series), image)
    edit_all(series, Modality="PT")
    with pytest.raises(NotAnImage, match="modality MR or CT"):
        series_grid(series)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, UnsupportedFormat),  # D22
        ({"PhotometricInterpretation": "MONOCHROME1"}, UnsupportedPixelType),  # D24
        ({"PhotometricInterpretation": "PALETTE COLOR"}, UnsupportedPixelType),  # D23
        ({"SOPClassUID": SecondaryCaptureImageStorage}, UnsupportedPixelType),  # D23
        ({"BurnedInAnnotation": "YES"}, UnsupportedFormat),  # S06
    ],
)
@pytest.mark.parametrize("is_everywhere", [True, False])
def test_d22_d23_d24_what_is_no_plain_greyscale_is_refused(series, values, error, is_everywhere):
    for path in files(series) if is_everywhere else files(series)[2:3]:
        edit(path, **values)
    with pytest.raises((error, MixedSeries) if "ImageType" in values else error):
        series_grid(series)


def test_d43_links_are_not_followed_and_too_many_files_are_refused(series, image, tmp_path, monkeypatch):
    (series / "loop").symlink_to(series, target_is_directory=True)
    assert is_same(read_series(series), image)
    deep = tmp_path / "deep" / "/".join("d" * 40)
    deep.mkdir(parents=True)
    with pytest.raises(ResourceLimitExceeded, match="32 deep"):
        series_grid(tmp_path / "deep")
    many = tmp_path / "many"
    many.mkdir()
    for nth in range(20_001):
        os.link(files(series)[0], many / f"{nth}.dcm") if nth < 1 else (many / f"{nth}.txt").touch()
    with pytest.raises(ResourceLimitExceeded, match="20000 files"):
        series_grid(many)


def test_m10_a_tree_of_folders_with_readme_and_viewer_is_read(series, image, tmp_path):
    inner = tmp_path / "export" / "STU0" / "SER0"
    inner.mkdir(parents=True)
    for path in files(series):
        path.rename(inner / path.stem)
    (tmp_path / "export" / "README").write_text("how to view")
    (inner / "viewer.exe").write_bytes(b"MZ")
    (inner / ".DS_Store").write_bytes(b"x")
    assert is_same(read_series(tmp_path / "export"), image)
