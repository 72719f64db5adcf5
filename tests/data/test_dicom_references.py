"""An image keeps which DICOM objects its slices are of, in memory and in no text."""

import dataclasses
import pickle

import numpy as np
import pydicom
import pytest

from avnnet.data.dicom import write_series
from avnnet.data.files import read_image, write_image
from avnnet.errors import AvnnetError
from avnnet.image import Image, Source
from tests.faults.conftest import edit, edit_all, enhanced, files, image, series  # noqa: F401  # fixtures


def uids_by_place(paths, array):
    """The instance of every slice of an array, found by the pixels of the files."""
    of_pixels = {}
    for path in paths:
        dataset = pydicom.dcmread(path)
        of_pixels[dataset.pixel_array.tobytes()] = dataset.SOPInstanceUID
    return tuple(of_pixels[one.astype(np.int16).tobytes()] for one in array)


@pytest.mark.parametrize("seed", range(3))
def test_instances_follow_the_slices_of_the_array_however_files_are_called(series, seed):  # noqa: F811
    names = np.random.default_rng(seed).permutation(8)
    for nth, path in zip(names, files(series), strict=True):
        path.rename(series / f"s{nth}.dcm")
    found = read_image(series)
    said = found.source.dicom
    assert said.sop_instance_uids == uids_by_place(files(series), found.array)
    assert said.frame_numbers == (1,) * 8
    one = pydicom.dcmread(files(series)[0])
    expected = (one.StudyInstanceUID, one.SeriesInstanceUID, one.FrameOfReferenceUID, one.SOPClassUID)
    assert (said.study_uid, said.series_uid, said.frame_of_reference_uid, said.sop_class_uid) == expected


def test_frames_of_an_enhanced_file_follow_the_slices_of_the_array(series, tmp_path):  # noqa: F811
    for name, path in zip("dbgaechf", files(series), strict=True):
        path.rename(series / name)
    path = enhanced(series, tmp_path / "enhanced.dcm")
    found, whole = read_image(path), pydicom.dcmread(path)
    said = found.source.dicom
    assert set(said.sop_instance_uids) == {whole.SOPInstanceUID}
    assert said.frame_numbers != tuple(range(1, 9))
    assert sorted(said.frame_numbers) == list(range(1, 9))
    for one, number in zip(found.array, said.frame_numbers, strict=True):
        assert np.array_equal(one, whole.pixel_array[number - 1])


def test_the_references_of_several_channels_are_those_of_the_first(series, image, tmp_path):  # noqa: F811
    second = write_series(image, tmp_path / "second", patient_id="p1", series_number=2)
    one = read_image(series).source.dicom
    assert read_image([series, second]).source.dicom == one
    assert read_image(second).source.dicom.series_uid != one.series_uid


def test_what_slices_do_not_agree_in_is_empty_and_a_missing_instance_too(series):  # noqa: F811
    edit(files(series)[2], FrameOfReferenceUID="1.2.3", SOPInstanceUID=None)
    said = read_image(series).source.dicom
    assert said.frame_of_reference_uid == ""
    assert said.sop_instance_uids.count("") == 1


def test_other_files_and_images_made_of_others_have_none(series, tmp_path):  # noqa: F811
    found = read_image(series)
    assert read_image(write_image(found, tmp_path / "a.nii.gz")).source.dicom is None
    assert Image(found.array, found.grid).source.dicom is None
    assert Source().dicom is None


def test_no_text_of_an_image_its_source_or_an_error_shows_a_uid(series, tmp_path):  # noqa: F811
    edit_all(series, StudyInstanceUID="1.2.826.777.1", FrameOfReferenceUID="1.2.826.777.2")
    for nth, path in enumerate(files(series)):
        edit(path, SOPInstanceUID=f"1.2.826.777.3.{nth}", SeriesInstanceUID="1.2.826.777.4")
    found = read_image(series)
    assert found.source.dicom.study_uid == "1.2.826.777.1"
    texts = [repr(found), str(found), repr(found.source), str(found.source), repr(found.source.dicom)]
    texts += [f"{found.source.dicom}", f"{found.source.dicom!s}", str([found.source.dicom])]
    files(series)[3].unlink()
    with pytest.raises(AvnnetError) as caught:
        read_image(series)
    written = write_image(found, tmp_path / "a.nii").read_bytes() + write_image(found, tmp_path / "a.mha").read_bytes()
    assert "777" not in " ".join([*texts, str(caught.value), repr(caught.value)])
    assert b"1.2.826.777" not in written


def test_references_are_frozen_and_survive_another_process(series):  # noqa: F811
    said = read_image(series).source.dicom
    with pytest.raises(dataclasses.FrozenInstanceError):
        said.study_uid = "1"
    assert pickle.loads(pickle.dumps(said)) == said
