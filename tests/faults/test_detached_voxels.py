"""Voxels of NRRD and MetaImage files that stand in a second file, and rare ways to write them; N is as for NIfTI."""

import os
import re

import nrrd
import pytest

from avnnet.data.files import read_image
from avnnet.data.integrity import image_files_hash
from avnnet.errors import MissingFile, ResourceLimitExceeded, UnreadableFile, UnsafePath, UnsupportedFormat
from tests.faults.nifti_files import refused
from tests.faults.text_header_files import VALUES, edit, is_the_image, written


@pytest.mark.parametrize(
    "where",
    [
        "../x.raw",
        "../../x.raw",
        "./../x.raw",
        "././x.raw",
        "./",
        "~/x.raw",
        "file:///x.raw",
        "/etc/hostname",
        "a/x.raw",
        "..",
        ".",
        "",
        "LIST",
        "x%03d.raw 1 8 1",
        "a\\x.raw",
    ],
)
@pytest.mark.parametrize("name", ["plain.mhd", "plain.mha", "plain.nrrd", "plain.nhdr"])
def test_n29_voxels_in_another_folder_or_in_several_files_are_not_followed(tmp_path, name, where):
    (tmp_path / "x.raw").write_bytes(VALUES.tobytes())
    (tmp_path / "in" / "a").mkdir(parents=True)
    path = written(tmp_path / "in" / name)
    content = path.read_bytes()
    if "nrrd" in name or "nhdr" in name:
        content = re.sub(rb"data file: .*\n", b"", content)
        content = content.replace(b"encoding", b"data file: " + where.encode() + b"\nencoding")
    else:
        content = content[: content.index(b"ElementDataFile")] + b"ElementDataFile = " + where.encode() + b"\n"
    path.write_bytes(content)
    refused(path, UnsafePath)


@pytest.mark.parametrize("name", ["plain.mhd", "plain.nhdr"])
def test_n29_n33_a_link_out_of_the_folder_is_not_followed(tmp_path, name):
    (tmp_path / "in").mkdir()
    path = written(tmp_path / "in" / name)
    raw = path.with_suffix(".raw")
    raw.rename(tmp_path / "x.raw")
    raw.symlink_to(tmp_path / "x.raw")
    refused(path, UnsafePath, "link into another folder")
    raw.unlink()
    refused(path, MissingFile, "not beside it")


@pytest.mark.parametrize("name", ["plain.mhd", "plain.nhdr", "packed.nhdr"])
def test_n29_n33_a_header_that_names_itself_for_its_voxels_is_refused(tmp_path, name):
    path = written(tmp_path / name)
    voxels = next(one for one in tmp_path.iterdir() if one != path)
    path.write_bytes(path.read_bytes().replace(voxels.name.encode(), name.encode()) + bytes(5000))
    refused(path, UnsafePath, "it names itself")


def test_n33_the_data_file_of_an_nhdr_that_is_gone_or_too_short_is_named(tmp_path):
    for name in ("plain.nhdr", "packed.nhdr"):
        path = written(tmp_path / name)
        voxels = next(one for one in tmp_path.iterdir() if one.name.startswith(f"{path.stem}.raw"))
        content = voxels.read_bytes()
        for keep in (0, 1, len(content) // 2, len(content) - 1):
            voxels.write_bytes(content[:keep])
            with pytest.raises(UnreadableFile, match=f"the file of voxels of {name} is truncated"):
                read_image(path)
        voxels.unlink()
        refused(path, MissingFile, "is not beside it; copy both")
        voxels.mkdir()
        with pytest.raises(UnreadableFile, match="it is a folder"):
            read_image(path)


def test_n33_an_nhdr_promising_more_or_fewer_voxels_than_its_data_file_has_by_much_is_refused(tmp_path):
    path = written(tmp_path / "plain.nhdr")
    with pytest.raises(
        UnreadableFile,
        match=r"voxels of plain\.nhdr is truncated: its header promises 1782 bytes of voxels, it has 1584",
    ):
        read_image(edit(path, ("9 11 8", "9 11 9")))
    (tmp_path / "plain.raw").write_bytes(bytes(1782 + (1 << 20) + 1))
    with pytest.raises(ResourceLimitExceeded, match="goes on for more than"):
        read_image(path)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_n33_an_nhdr_by_pynrrd_is_the_image_that_itk_and_pynrrd_see(tmp_path, encoding):
    _, header = nrrd.read(str(written(tmp_path / "plain.nrrd")))
    values = VALUES.transpose()
    nrrd.write(str(tmp_path / "by.nhdr"), values, {**header, "encoding": encoding}, detached_header=True)
    assert is_the_image(tmp_path / "by.nhdr")
    named = [line for line in (tmp_path / "by.nhdr").read_text().splitlines() if line.startswith("data file")]
    teem = named[0].replace("data file: ", "data file: ./")
    assert is_the_image(edit(tmp_path / "by.nhdr", (named[0], teem)))


@pytest.mark.parametrize("name", ["plain.nhdr", "plain.mhd"])
def test_n33_other_voxels_under_the_same_header_have_another_hash(tmp_path, name):
    path = written(tmp_path / name)
    before = image_files_hash(path)
    content = path.with_suffix(".raw").read_bytes()
    path.with_suffix(".raw").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert image_files_hash(path) != before
    path.with_suffix(".raw").unlink()
    os.mkfifo(path.with_suffix(".raw"))
    assert image_files_hash(path) != before  # and it does not wait for the pipe


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
