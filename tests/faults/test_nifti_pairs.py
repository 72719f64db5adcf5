"""NIfTI pairs, a `.hdr` and its `.img`, with the faults of single files that they can have too."""

import gzip
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest
from nibabel.nifti1 import header_dtype

from avnnet.data.files import read_grid, read_image
from avnnet.data.files.single import check_whole
from avnnet.data.integrity import image_files_hash
from avnnet.errors import (
    AvnnetError,
    GeometryConflict,
    InvalidGeometry,
    MissingFile,
    MissingGeometry,
    NotAnImage,
    ResourceLimitExceeded,
    UnreadableFile,
    UnsafePath,
    UnsupportedDimensions,
)
from tests.faults.nifti_files import VALUES, affine, edit, is_where_nibabel_says, nifti, refused

PAIR, PAIR2 = nibabel.Nifti1Pair, nibabel.Nifti2Pair
PACKED, PLAIN = ("hip.hdr.gz", "hip.img.gz"), ("hip.hdr", "hip.img")


def pair(folder, names=PLAIN, kind=PAIR, **fields):
    """A pair by nibabel; the header's path, and that of the voxels."""
    nifti(folder / names[1], kind=kind)
    header, voxels = (folder / name for name in names)
    return edit(header, **fields) if fields else header, voxels


@pytest.mark.parametrize("names", [PLAIN, PACKED])
@pytest.mark.parametrize("kind", [PAIR, PAIR2])
def test_n31_either_file_of_a_pair_is_the_image_that_nibabel_reads(tmp_path, names, kind):
    for path in pair(tmp_path, names, kind):
        image = read_image(path)
        assert np.array_equal(image.array.T, VALUES)
        assert is_where_nibabel_says(image.grid, nibabel.load(path).affine)
        assert read_grid(path) == image.grid
        check_whole(path)


def test_n31_a_pair_is_the_image_of_the_single_file(tmp_path):
    header, _ = pair(tmp_path)
    single = read_image(nifti(tmp_path / "single.nii"))
    assert np.array_equal(read_image(header).array, single.array)
    assert read_image(header).grid == single.grid


def test_n31_capitals_and_a_header_that_is_packed_alone_are_a_pair_too(tmp_path):
    header, voxels = pair(tmp_path)
    header.with_name("hip.hdr.gz").write_bytes(gzip.compress(header.read_bytes()))
    header.unlink()
    assert np.array_equal(read_image(voxels).array.T, VALUES)
    header.with_name("hip.hdr.gz").rename(tmp_path / "hip.HDR.GZ")
    voxels.rename(tmp_path / "hip.IMG")
    assert np.array_equal(read_image(tmp_path / "hip.IMG").array.T, VALUES)


def test_n07_a_big_endian_pair_with_a_scale_and_an_offset_is_read(tmp_path):
    image = PAIR(VALUES.astype(">i2"), affine(), PAIR.header_class(endianness=">"))
    image.set_sform(affine(), code=1)
    image.to_filename(tmp_path / "hip.img")
    content = (tmp_path / "hip.hdr").read_bytes()
    fields = np.frombuffer(bytearray(content), header_dtype.newbyteorder(">"), count=1)[0]
    fields["vox_offset"], fields["scl_slope"], fields["scl_inter"] = 32, 0.5, -3
    (tmp_path / "hip.hdr").write_bytes(fields.tobytes() + content[348:])
    (tmp_path / "hip.img").write_bytes(bytes(32) + (tmp_path / "hip.img").read_bytes())
    assert np.array_equal(read_image(tmp_path / "hip.hdr").array.T, VALUES * 0.5 - 3)


def test_n05_voxels_that_begin_like_a_compressed_file_are_told_by_their_number(tmp_path):
    header, voxels = pair(tmp_path)
    content = b"\x1f\x8b" + voxels.read_bytes()[2:]
    voxels.write_bytes(content)
    assert read_image(header).array.tobytes() == content
    voxels.write_bytes(gzip.compress(content))
    assert read_image(header).array.tobytes() == content


def test_n31_voxels_that_begin_like_a_dicom_file_are_those_of_their_header(tmp_path):
    header, voxels = pair(tmp_path)
    content = b"\x08\0\x05\0" + voxels.read_bytes()[4:]
    voxels.write_bytes(content)
    for path in (header, voxels):
        assert read_image(path).array.tobytes() == content


@pytest.mark.parametrize("nth", [0, 1])
@pytest.mark.parametrize("names", [PLAIN, PACKED])
def test_n01_n02_an_empty_or_cut_file_of_a_pair_is_unreadable(tmp_path, names, nth):
    paths = pair(tmp_path, names)
    content = paths[nth].read_bytes()
    for keep in (0, 0.05, 0.6, 0.98 if nth == 0 else 0.999):
        paths[nth].write_bytes(content[: int(len(content) * keep)])
        for path in paths:
            with pytest.raises(UnreadableFile, match=r"truncated|is empty"):
                read_image(path)


@pytest.mark.parametrize("nth", [0, 1])
def test_n03_n04_no_wrong_bit_of_a_compressed_pair_gives_another_image(tmp_path, nth):
    paths = pair(tmp_path, PACKED)
    content, before = paths[nth].read_bytes(), read_image(paths[0])
    for position in np.linspace(10, len(content) - 1, 150).astype(int):
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        paths[nth].write_bytes(broken)
        try:
            after = read_image(paths[0])
        except AvnnetError:
            continue
        assert position < len(content) - 8
        assert np.array_equal(after.array, before.array)
        assert after.grid == before.grid


def test_n06_a_single_file_called_a_pair_and_half_a_pair_called_a_single_file_are_no_images(tmp_path):
    header, _ = pair(tmp_path, magic=b"n+1")
    refused(header, NotAnImage, "Call it .nii")
    refused(edit(header, magic=b"ni1").rename(tmp_path / "hip.nii"), NotAnImage, "Call it .hdr")
    header.write_bytes(bytes(400))
    refused(header, NotAnImage, "is no NIfTI file")


def test_n08_n11_n12_n13_n14_n15_a_header_that_is_refused_in_one_file_is_refused_in_a_pair(tmp_path):
    for fields, error in (
        ({"dim": [4, 9, 11, 8, 2, 1, 1, 1]}, UnsupportedDimensions),
        ({"dim": [3, 32767, 32767, 32767, 1, 1, 1, 1]}, ResourceLimitExceeded),
        ({"dim": [3, 9, 0, 8, 1, 1, 1, 1]}, InvalidGeometry),
        ({"pixdim": [1, 0.7, np.nan, 3.3, 0, 0, 0, 0]}, InvalidGeometry),
        ({"qform_code": 0, "sform_code": 0}, MissingGeometry),
        ({"qoffset_x": 300}, GeometryConflict),
    ):
        header, voxels = pair(tmp_path, **fields)
        refused(header, error)
        refused(voxels, error)
    assert read_image(header, prefer="sform").source.preferred_transform == "sform"


@pytest.mark.parametrize("offset", [-4, 1e9, 0.5, np.nan, np.inf])
def test_n22_voxels_of_a_pair_that_begin_nowhere_are_refused(tmp_path, offset):
    refused(pair(tmp_path, vox_offset=offset)[0], UnreadableFile, "vox_offset")


@pytest.mark.parametrize("length", [0, -16, 8, 48, 2**31 - 1])
def test_n23_an_extension_of_impossible_length_behind_a_header_is_refused(tmp_path, length):
    header, _ = pair(tmp_path)
    header.write_bytes(header.read_bytes()[:348] + b"\1\0\0\0" + struct.pack("<ii", 32, 4) + bytes(24))
    assert np.array_equal(read_image(header).array.T, VALUES)
    header.write_bytes(header.read_bytes()[:352] + struct.pack("<ii", length, 4) + bytes(24))
    refused(header, UnreadableFile, f"claims {length} bytes")


@pytest.mark.parametrize("nth", [0, 1])
def test_n25_a_bomb_behind_either_file_of_a_pair_is_refused_before_it_goes_off(tmp_path, nth):
    paths = pair(tmp_path, PACKED)
    zeros = gzip.compress(bytes(16 << 20))
    paths[nth].write_bytes(paths[nth].read_bytes() + zeros * 64)  # a GiB; gzip files may have several members
    tracemalloc.start()
    with pytest.raises(ResourceLimitExceeded, match="it goes on"):
        read_image(paths[0])
    assert tracemalloc.get_traced_memory()[1] < 70e6
    tracemalloc.stop()


@pytest.mark.parametrize("nth", [0, 1])
def test_n31_a_pair_without_its_other_file_or_with_two_is_refused(tmp_path, nth):
    one, other = pair(tmp_path)[:: 1 if nth else -1]
    other.with_name(f"{other.name}.gz").write_bytes(gzip.compress(other.read_bytes()))
    refused(one, UnreadableFile, "Move the one that is not of it away")
    other.with_name(f"{other.name}.gz").unlink()
    other.unlink()
    refused(one, MissingFile, "the other is not beside it")


@pytest.mark.parametrize("nth", [0, 1])
def test_n31_a_link_in_a_pair_that_leads_out_of_its_folder_is_not_followed(tmp_path, nth):
    (tmp_path / "in").mkdir()
    one, other = pair(tmp_path / "in")[:: 1 if nth else -1]
    moved = other.rename(tmp_path / other.name)
    other.symlink_to(moved)
    refused(one, UnsafePath, "link into another folder")
    other.unlink()
    other.symlink_to("gone")
    refused(one, MissingFile)


def test_n31_the_hash_of_an_image_is_of_both_files(tmp_path):
    header, voxels = pair(tmp_path)
    before = image_files_hash(header)
    assert image_files_hash(voxels) == before
    voxels.write_bytes(voxels.read_bytes()[:-1] + b"\7")
    assert image_files_hash(header) != before
