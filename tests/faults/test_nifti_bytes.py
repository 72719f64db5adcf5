"""NIfTI files that are damaged, cut, or promise and hold more than a hip scan has (rows of docs/faults.md)."""

import gzip
import struct
import tempfile
import time
import tracemalloc
import zlib

import numpy as np
import pytest

from avnnet.data.files import read_grid, read_image
from avnnet.errors import AvnnetError, NotAnImage, ResourceLimitExceeded, UnreadableFile
from tests.faults.nifti_files import SIZES, VALUES, edit, nifti, refused

FIRST_VOXEL = 352


@pytest.fixture
def packed(tmp_path):
    return nifti(tmp_path / "hip.nii.gz")


@pytest.fixture
def plain(tmp_path):
    return nifti(tmp_path / "hip.nii")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
def test_n01_an_empty_file_is_unreadable(tmp_path, suffix):
    path = tmp_path / f"hip{suffix}"
    path.touch()
    refused(path, UnreadableFile, rf"hip{suffix} is empty")


@pytest.mark.parametrize("name", ["hip.nii", "hip.nii.gz"])
@pytest.mark.parametrize("keep", [0.02, 0.6, 0.999])
def test_n02_a_file_that_was_cut_is_truncated(tmp_path, name, keep):
    path = nifti(tmp_path / name)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(UnreadableFile, match="truncated"):
        read_image(path)


@pytest.mark.parametrize("bit", range(64))
def test_n03_one_wrong_bit_in_the_checksum_or_the_length_behind_the_voxels_is_noticed(packed, bit):
    content = bytearray(packed.read_bytes())
    content[len(content) - 8 + bit // 8] ^= 1 << bit % 8
    packed.write_bytes(content)
    with pytest.raises(UnreadableFile, match="damaged"):
        read_image(packed)


def test_n04_a_wrong_bit_in_the_compressed_body_never_gives_another_image(packed):
    content, grid = packed.read_bytes(), read_grid(packed)
    refusals = 0
    for position in np.linspace(10, len(content) - 9, 200).astype(int):
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        packed.write_bytes(broken)
        try:
            image = read_image(packed)
        except AvnnetError:
            refusals += 1
        else:
            assert np.array_equal(image.array.T, VALUES)
            assert image.grid == grid
    assert refusals > 150


def test_n05_compression_is_seen_in_the_content_and_not_in_the_name(packed, plain):
    zipped, not_zipped = packed.read_bytes(), plain.read_bytes()
    plain.write_bytes(zipped)
    packed.write_bytes(not_zipped)
    for path in (plain, packed):
        assert np.array_equal(read_image(path).array.T, VALUES)
        assert read_grid(path) == read_image(path).grid


@pytest.mark.parametrize(
    "fields",
    [{"magic": b"ni1"}, {"magic": b"nope"}, {"magic": b""}, {"sizeof_hdr": 0}, {"sizeof_hdr": 349}],
    ids=str,
)
def test_n06_a_file_without_the_marks_of_nifti_is_no_image(packed, plain, fields):
    for path in (packed, plain):
        refused(edit(path, **fields), NotAnImage, "is no NIfTI file")


@pytest.mark.parametrize(
    "content", [b"\x93NUMPY\x01\x00", b"hello", b"NRRD0004\n", bytes(5000)], ids=["npy", "text", "nrrd", "0"]
)
def test_n06_other_content_under_the_name_of_an_image_is_no_image(tmp_path, content):
    for suffix in (".nii", ".nii.gz", ".mha", *([] if content.startswith(b"NRRD") else [".nrrd"])):
        path = tmp_path / f"hip{suffix}"
        path.write_bytes(content)
        refused(path, NotAnImage)


def test_n11_a_header_that_promises_more_than_memory_is_refused_at_once(plain):
    edit(plain, dim=[3, 32767, 32767, 32767, 1, 1, 1, 1])
    plain.write_bytes(plain.read_bytes()[:400])
    tracemalloc.start()
    started = time.monotonic()
    refused(plain, ResourceLimitExceeded, "at most 4096 voxels")
    assert time.monotonic() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize("dim", [(4096, 4096, 65), (4097, 4, 4)])
def test_n11_the_limits_are_four_thousand_voxels_and_two_gib(plain, dim):
    refused(edit(plain, dim=[3, *dim, 1, 1, 1, 1], pixdim=[1, 0.1, 0.1, 0.1, 0, 0, 0, 0]), ResourceLimitExceeded)


@pytest.mark.parametrize("offset", [0, 348, 1e9, 351.7, 352.5, np.nan, np.inf, -352])
def test_n22_voxels_that_begin_nowhere_are_refused(plain, offset):
    refused(edit(plain, vox_offset=offset), UnreadableFile, "vox_offset")


def extended(path, length):
    """A file with an extension of 32 bytes that claims another length."""
    content = path.read_bytes()
    extension = struct.pack("<ii", length, 4) + bytes(24)
    path.write_bytes(content[:348] + b"\1\0\0\0" + extension + content[FIRST_VOXEL:])
    return edit(path, vox_offset=FIRST_VOXEL + 32)


@pytest.mark.parametrize("length", [0, -16, 8, 48, 2**31 - 1])
def test_n23_an_extension_of_impossible_length_is_refused(plain, length):
    refused(extended(plain, length), UnreadableFile, f"claims {length} bytes")


@pytest.mark.parametrize("length", [16, 32])
def test_n23_an_extension_of_its_own_length_is_passed_over(plain, length):
    path = extended(plain, length)
    content = bytearray(path.read_bytes())
    struct.pack_into("<i", content, FIRST_VOXEL + length, 32 - length)  # a second one where there is room
    path.write_bytes(content[: FIRST_VOXEL + 32] + VALUES.tobytes("F"))
    assert np.array_equal(read_image(path).array.T, VALUES)


def test_n25_a_bomb_of_ten_gib_is_refused_before_it_goes_off(tmp_path, monkeypatch):
    header = nifti(tmp_path / "hip.nii", np.zeros((96, 112, 28), np.int16)).read_bytes()
    packer = zlib.compressobj(9, wbits=31)
    start = packer.compress(header) + packer.flush(zlib.Z_FULL_FLUSH)
    zeros = packer.compress(bytes(16 << 20)) + packer.flush(
        zlib.Z_FULL_FLUSH
    )  # forgets what was before: can be repeated
    (tmp_path / "hip.nii").unlink()
    bomb = tmp_path / "hip.nii.gz"
    bomb.write_bytes(start + zeros * 640 + packer.flush())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(ResourceLimitExceeded, match="goes on for more than"):
        read_image(bomb)
    assert time.monotonic() - started < 2
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert [path.name for path in tmp_path.iterdir()] == ["hip.nii.gz"]


def test_n25_a_little_padding_behind_the_voxels_is_no_bomb(packed):
    packed.write_bytes(gzip.compress(gzip.decompress(packed.read_bytes()) + bytes(1000)))
    assert read_image(packed).array.shape == SIZES[::-1]


def test_no_wrong_bit_of_a_header_is_anything_but_a_named_error_or_an_image(plain):
    content = plain.read_bytes()
    for bit in range(0, 8 * FIRST_VOXEL, 5):
        broken = bytearray(content)
        broken[bit // 8] ^= 1 << bit % 8
        plain.write_bytes(broken)
        for read in (read_image, read_grid):
            try:
                read(plain)
            except AvnnetError as error:
                assert "hip.nii" in str(error) or "direction" in str(error)  # noqa: PT017
