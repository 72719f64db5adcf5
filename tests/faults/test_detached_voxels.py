"""Voxels of NRRD and MetaImage files that stand in a second file, and rare ways to write them; N is as for NIfTI."""

import os

import pytest

from avnnet.data.files import read_image
from avnnet.errors import MissingFile, UnreadableFile, UnsafePath, UnsupportedFormat
from tests.faults.nifti_files import refused
from tests.faults.text_header_files import VALUES, edit, is_the_image, written


@pytest.mark.parametrize(
    "where", ["../x.raw", "/etc/hostname", "a/x.raw", "..", ".", "", "LIST", "x%03d.raw 1 8 1", "a\\x.raw"]
)
@pytest.mark.parametrize("name", ["plain.mhd", "plain.mha", "plain.nrrd"])
def test_n29_voxels_in_another_folder_or_in_several_files_are_not_followed(tmp_path, name, where):
    (tmp_path / "x.raw").write_bytes(VALUES.tobytes())
    (tmp_path / "in" / "a").mkdir(parents=True)
    path = written(tmp_path / "in" / name)
    content = path.read_bytes()
    if name.endswith("nrrd"):
        content = content.replace(b"encoding", b"data file: " + where.encode() + b"\nencoding")
    else:
        content = content[: content.index(b"ElementDataFile")] + b"ElementDataFile = " + where.encode() + b"\n"
    path.write_bytes(content)
    refused(path, UnsafePath)


def test_n29_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in" / "plain.mhd")
    raw = path.with_suffix(".raw")
    raw.rename(tmp_path / "x.raw")
    raw.symlink_to(tmp_path / "x.raw")
    refused(path, UnsafePath, "link into another folder")
    raw.unlink()
    refused(path, MissingFile, "not beside it")


def test_n29_voxels_in_a_second_file_of_the_folder_are_read(tmp_path):
    for name in ("plain.nrrd", "packed.nrrd"):
        path = written(tmp_path / name)
        header, voxels = path.read_bytes().split(b"\n\n", 1)
        (tmp_path / "x.raw").write_bytes(voxels)
        path.write_bytes(header + b"\ndata file: x.raw\n")
        assert is_the_image(path)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plain.nrrd", "encoding: raw", "encoding: ascii"),
        ("plain.nrrd", "encoding: raw", "byte skip: 3\nencoding: raw"),
        ("plain.mha", "BinaryData = True", "BinaryData = False"),
        ("plain.mhd", "BinaryData = True", "BinaryData = True\nHeaderSize = -1"),
    ],
)
def test_rarely_used_ways_to_write_voxels_are_refused_by_name(tmp_path, name, old, new):
    refused(edit(written(tmp_path / name), (old, new)), UnsupportedFormat, "Save it as .nii.gz")


@pytest.mark.parametrize(
    ("name", "line"),
    [("plain.nrrd", "sizes: 9 11 8"), ("plain.mha", "DimSize = 9 11 8"), ("plain.mha", "Offset = 1 2 3")],
)
def test_a_field_that_stands_twice_is_refused(tmp_path, name, line):
    path = written(tmp_path / name)
    path.write_bytes(path.read_bytes().replace(b"\n", f"\n{line}\n".encode(), 1))
    refused(path, UnreadableFile, "twice")


def test_n30_a_pipe_in_place_of_the_voxels_is_unreadable_and_does_not_hang(tmp_path):
    path = written(tmp_path / "plain.mhd")
    path.with_suffix(".raw").unlink()
    os.mkfifo(path.with_suffix(".raw"))
    with pytest.raises(UnreadableFile, match="must be a file"):
        read_image(path)


@pytest.mark.parametrize("words", ["CompressedDataSize = 0\nRemark = ", "Remark = "])
def test_a_metaimage_that_does_not_say_its_compressed_size_is_read(tmp_path, words):
    path = written(tmp_path / "packed.mha")  # ITK gives noise for it
    assert is_the_image(edit(path, ("CompressedDataSize = ", words)))


def test_what_a_metaimage_says_of_its_compressed_size_must_hold(tmp_path):
    path = written(tmp_path / "packed.mha")
    size = path.read_bytes().split(b"CompressedDataSize = ")[1].split(b"\n")[0].decode()
    with pytest.raises(UnreadableFile, match="damaged"):
        read_image(edit(path, (f"CompressedDataSize = {size}", f"CompressedDataSize = {int(size) - 9}")))
