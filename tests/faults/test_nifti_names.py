"""Names of image files, and what is no image file at all (rows of docs/faults.md)."""

import gzip
import os
import unicodedata

import nibabel
import numpy as np
import pytest

from avnnet.data.files import read_grid, read_image, write_image
from avnnet.errors import MissingGeometry, NotAnImage, UnreadableFile, UnsupportedFormat
from avnnet.grid import Grid
from avnnet.image import Image
from tests.faults.nifti_files import VALUES, nifti, refused


@pytest.fixture
def packed(tmp_path):
    return nifti(tmp_path / "hip.nii.gz")


@pytest.mark.parametrize("order", ["<", ">"])
def test_n26_an_analyze_pair_does_not_say_which_side_is_left(tmp_path, order):
    header = nibabel.AnalyzeImage.header_class(endianness=order)
    nibabel.AnalyzeImage(VALUES, None, header).to_filename(tmp_path / "hip.img")
    for suffix in (".img", ".hdr"):
        refused(tmp_path / f"hip{suffix}", MissingGeometry, "where left and right are")
    for suffix in (".img", ".hdr"):
        (tmp_path / f"hip{suffix}").rename(tmp_path / f"hip{suffix.upper()}")
    refused(tmp_path / "hip.HDR", MissingGeometry, "where left and right are")


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


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".nhdr", ".mgz", ".hdr"])
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


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pkl", ".png", ".gz", ""])
def test_n29_other_formats_are_refused_by_their_suffix(tmp_path, suffix):
    path = tmp_path / f"hip{suffix}"
    for content in (b"content", b"", b"\x1f\x8b\x08", gzip.compress(b"content")):
        path.write_bytes(content)
        refused(path, UnsupportedFormat, "image files end in one of .nii.gz, .nii, .nrrd, .mha, .mhd, .nhdr, .hdr")


@pytest.mark.parametrize("name", ["hip", "hip.dat", "hip.nii.gz.1", "hip.gz", "brain.anat", "NRRD"])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd", ".mha"])
def test_n32_an_image_without_the_ending_of_its_format_is_known_by_its_content(tmp_path, name, suffix):
    grid = Grid(VALUES.T.shape, (3.25, 0.625, 0.75), (-91.5, 22.25, 7.125))
    path = write_image(Image(VALUES.T, grid), tmp_path / f"usual{suffix}").rename(tmp_path / name)
    assert np.array_equal(read_image(path).array.T, VALUES)
    assert read_grid(path) == read_image(path).grid
    assert read_grid(path).is_close(grid)


def test_n32_what_is_known_by_its_content_is_read_as_strictly(packed):
    bare = packed.rename(packed.with_name("hip"))
    content = bare.read_bytes()
    for broken in (content[:-9], content[:-8] + bytes([content[-8] ^ 1]) + content[-7:]):
        bare.write_bytes(broken)
        with pytest.raises(UnreadableFile):
            read_image(bare)
    bare.unlink()
    os.mkfifo(bare)
    refused(bare, UnreadableFile, "must be a file")


def test_n32_a_name_that_says_a_format_is_not_overruled_by_the_content(packed):
    for suffix in (".nrrd", ".mha", ".mgz", ".nhdr"):
        packed = packed.rename(packed.with_name(f"hip{suffix}"))
        refused(packed, NotAnImage, "whatever its name says|is no")
