"""Names of image files, and what is no image file at all (rows of docs/faults.md)."""

import os
import unicodedata

import nibabel
import numpy as np
import pytest

from avnnet.data.files import read_image
from avnnet.errors import MissingGeometry, UnreadableFile, UnsupportedFormat
from tests.faults.nifti_files import VALUES, nifti, refused


@pytest.fixture
def packed(tmp_path):
    return nifti(tmp_path / "hip.nii.gz")


@pytest.mark.parametrize("suffix", [".hdr", ".img", ".HDR", ".img.gz"])
def test_n26_an_analyze_pair_does_not_say_which_side_is_left(tmp_path, suffix):
    nibabel.AnalyzeImage(VALUES, None).to_filename(tmp_path / "hip.img")
    path = tmp_path / f"hip{suffix}"
    path.touch()
    refused(path, MissingGeometry, "where left and right are")


NAMES = {
    "spaces": "left hip  1",
    "Cyrillic": "бедро",
    "emoji": "hip🦴",
    "NFC": unicodedata.normalize("NFC", "Müller-é"),
    "NFD": unicodedata.normalize("NFD", "Müller-é"),
    "dash": "-x",
    "long": "x" * 243,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_n27_any_name_can_be_read(packed, name):
    path = packed.rename(packed.with_name(name + ".nii.gz"))
    assert np.array_equal(read_image(path).array.T, VALUES)
    assert np.array_equal(read_image(str(path)).array.T, VALUES)


def test_n27_a_relative_name_with_a_leading_dash_is_no_option(packed, monkeypatch):
    packed.rename(packed.with_name("-x.nii.gz"))
    monkeypatch.chdir(packed.parent)
    assert np.array_equal(read_image("-x.nii.gz").array.T, VALUES)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
@pytest.mark.parametrize("what", ["folder", "pipe", "device", "dangling link", "link to itself"])
def test_n30_what_is_no_file_is_unreadable_and_does_not_hang(tmp_path, suffix, what):
    path = tmp_path / f"hip{suffix}"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"device": "/dev/zero", "dangling link": "gone", "link to itself": path}[what])
    refused(path, UnreadableFile)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pkl", ".png", ".nhdr", ".gz", ""])
def test_n29_other_formats_are_refused_by_their_suffix(tmp_path, suffix):
    path = tmp_path / f"hip{suffix}"
    path.write_bytes(b"content")
    refused(path, UnsupportedFormat, "image files end in one of .nii.gz, .nii, .nrrd, .mha, .mhd")
