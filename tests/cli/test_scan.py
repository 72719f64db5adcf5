"""`avnnet scan` shows what an export holds and what would be read, and nothing of the patient."""

import os

import pydicom
import pytest

from avnnet.cli import main
from avnnet.data.dicom import read_series, write_series
from avnnet.errors import AvnnetError
from tests.faults.conftest import edit_all, files, image, series  # noqa: F401  # fixtures

CANARY = "Zqxjk"


def scan(*words):
    return main(["scan", *map(str, words)])


def test_the_only_series_is_marked_and_its_grid_shown(series, capsys):  # noqa: F811
    assert scan(series) == 0
    text = capsys.readouterr().out
    assert ">   1: 8 slices of 34 x 40 pixels, 0.7 x 0.4 mm" in text
    assert "series 1 would be read: it is the only one that can be the image; 8 x 34 x 40 voxels" in text


def test_a_localiser_is_listed_with_the_reason_why_not(series, image, tmp_path, capsys):  # noqa: F811
    other = write_series(image, series / "localiser", patient_id="p1", series_number=2)
    edit_all(other, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert scan(series) == 0
    text = capsys.readouterr().out
    assert "    2: 8 slices" in text
    assert "NotAVolume: it is a localiser" in text


def test_of_two_scans_none_is_taken_until_one_is_chosen(series, image, capsys):  # noqa: F811
    write_series(image, series / "second", patient_id="p1", series_number=2)
    assert scan(series) == 3
    assert "none would be read: MixedSeries: 2 of 2 series can be the image" in capsys.readouterr().out
    assert scan(series, "--series", 2) == 0
    assert "series 2 would be read: it was chosen" in capsys.readouterr().out
    assert scan(series, "--series", 7) == 3
    assert "there is no series 7" in capsys.readouterr().out


def test_a_broken_stack_is_named(series, capsys):  # noqa: F811
    files(series)[3].unlink()
    assert scan(series) == 3
    text = capsys.readouterr().out
    assert "MissingSlices: slices are missing: between slices 3 and 4" in text
    assert "would be read, but is refused" in text


def test_what_is_no_image_is_counted_and_what_is_damaged_is_named(series, capsys):  # noqa: F811
    report = pydicom.dcmread(files(series)[0])
    del report.Rows, report.PixelData
    report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    report.save_as(series / "report.dcm")
    (series / "cut.dcm").write_bytes(files(series)[0].read_bytes()[:700])
    scan(series)
    text = capsys.readouterr().out
    assert "1 DICOM files without images" in text
    assert "UnreadableFile: file 9 of 10 by name" in text


def test_a_slice_that_is_cut_off_is_said_as_reading_would_refuse_it(series, capsys):  # noqa: F811
    path = files(series)[2]
    path.write_bytes(path.read_bytes()[:900])
    assert scan(series) == 3
    shown = capsys.readouterr().out
    with pytest.raises(AvnnetError) as refused:
        read_series(series)
    assert shown.count(str(refused.value)) == 1
    assert "is refused; see above" in shown


def test_a_pipe_is_refused_and_nobody_waits_for_it(tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    assert scan(tmp_path / "pipe") == 2
    assert capsys.readouterr().err.startswith("UnreadableFile: this is neither a folder nor a file")


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_dicom_is_an_error_in_words(tmp_path, name, capsys):
    (tmp_path / "empty").mkdir()
    assert scan(tmp_path / name) == 2
    assert capsys.readouterr().err.startswith(
        ("MissingFile: there is no such folder", "NotAnImage: the folder is empty")
    )


def test_s05_nothing_that_was_typed_about_a_person_is_shown(series, capsys):  # noqa: F811
    names = ("PatientName", "PatientID", "SeriesDescription", "StudyDescription", "InstitutionName", "StationName")
    edit_all(series, **dict.fromkeys(names, CANARY), PatientBirthDate="19600102", StudyDate="20260102")
    folder = series.rename(series.parent / CANARY)
    for path in files(folder):
        path.rename(folder / f"{CANARY}{path.name}")
    assert scan(folder) == 0
    shown = "".join(capsys.readouterr())
    assert CANARY not in shown
    assert "1960" not in shown
    assert "202601" not in shown
