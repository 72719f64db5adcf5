"""NRRD and MetaImage voxels, with the faults of NIfTI that they can have too (rows of docs/faults.md)."""

import time
import tracemalloc
import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from avnnet.data.files import read_image
from avnnet.data.files.single import check_whole
from avnnet.data.files.sitk import to_sitk
from avnnet.errors import (
    AvnnetError,
    InvalidGeometry,
    NotAnImage,
    ResourceLimitExceeded,
    UnreadableFile,
    UnsupportedDimensions,
    UnsupportedPixelType,
)
from avnnet.image import Image
from tests.faults.nifti_files import refused
from tests.faults.text_header_files import ATTACHED, GRID, NAMES, VALUES, edit, is_the_image, written


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_file_is_read_with_its_voxels_beside_it_or_in_it(tmp_path, name):
    assert is_the_image(written(tmp_path / name))
    check_whole(tmp_path / name)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("keep", [0.05, 0.6, 0.999])
def test_n02_a_file_that_was_cut_is_unreadable(tmp_path, name, keep):
    written(tmp_path / name)
    path = max(tmp_path.iterdir(), key=lambda one: one.stat().st_size)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(UnreadableFile):
        read_image(tmp_path / name)


@pytest.mark.parametrize(("name", "from_end"), [("packed.nrrd", range(1, 9)), ("packed.mha", range(1, 5))])
def test_n03_a_wrong_checksum_behind_the_voxels_is_noticed(tmp_path, name, from_end):
    content = written(tmp_path / name).read_bytes()
    for at in from_end:
        broken = bytearray(content)
        broken[-at] ^= 4
        (tmp_path / name).write_bytes(broken)
        with pytest.raises(UnreadableFile, match="damaged"):
            read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["packed.nrrd", "packed.mha"])
def test_n04_a_wrong_bit_in_the_compressed_body_never_gives_another_image(tmp_path, name):
    content = written(tmp_path / name).read_bytes()
    first = 1 + max(content.find(b"\n\n"), content.find(b"LOCAL"))
    for position in np.linspace(first, len(content) - 1, 200).astype(int):
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        (tmp_path / name).write_bytes(broken)
        try:
            assert is_the_image(tmp_path / name)
        except AvnnetError:
            continue


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plain.nrrd", "NRRD0004", "NRRX0004"),
        ("plain.mha", "NDims", "Ndims"),
        ("plain.mhd", "ElementDataFile", "ElementsFile"),
    ],
)
def test_n06_a_file_without_the_marks_of_its_format_is_no_image(tmp_path, name, old, new):
    refused(edit(written(tmp_path / name), (old, new)), NotAnImage)


FOUR_D = {
    "nrrd": [
        ("dimension: 3", "dimension: 4"),
        ("domain domain domain", "list domain domain domain"),
        ("directions: ", "directions: none "),
        ("sizes: 9", "sizes: {} 9"),
    ],
    "mha": [
        ("NDims = 3", "NDims = 4"),
        ("TransformMatrix = 0 -1 0 1 0 0 0 0 1", "TransformMatrix = 0 -1 0 0 1 0 0 0 0 0 1 0 0 0 0 1"),
        ("-91.5 22.25 7.125", "-91.5 22.25 7.125 0"),
        ("CenterOfRotation = 0 0 0", "CenterOfRotation = 0 0 0 0"),
        ("0.75 0.625 3.25", "0.75 0.625 3.25 1"),
        ("DimSize = 9 11 8", "DimSize = 9 11 8 {}"),
    ],
}


@pytest.mark.parametrize("kind", FOUR_D)
def test_n08_a_fourth_axis_of_one_voxel_is_dropped_and_of_two_refused(tmp_path, kind):
    for times in (1, 2):
        path = written(tmp_path / f"plain.{kind}")
        edit(path, *[(old, new.format(times)) for old, new in FOUR_D[kind]])
        path.write_bytes(path.read_bytes() + VALUES.tobytes() * (times - 1))
        if times == 1:
            assert is_the_image(path)
        else:
            refused(path, UnsupportedDimensions)


def test_n08_n09_several_values_per_voxel_are_refused(tmp_path):
    for suffix in ("nrrd", "mha"):
        sitk.WriteImage(sitk.Compose([to_sitk(Image(VALUES, GRID))] * 3), str(tmp_path / f"rgb.{suffix}"))
        refused(tmp_path / f"rgb.{suffix}", UnsupportedDimensions, "4D of 9 x 11 x 8 x 3")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", ["32767 32767 32767", "4097 1 1", "4096 4096 65"])
def test_n11_a_header_that_promises_more_than_a_hip_scan_has_is_refused_at_once(tmp_path, name, sizes):
    path = edit(written(tmp_path / name), ("9 11 8", sizes))
    started = time.monotonic()
    refused(path, ResourceLimitExceeded)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("sizes", ["9 0 8", "9 -11 8"])
@pytest.mark.parametrize("name", ATTACHED)
def test_n12_an_axis_without_voxels_is_refused(tmp_path, name, sizes):
    refused(edit(written(tmp_path / name), ("9 11 8", sizes)), InvalidGeometry, "every axis of an image has a voxel")


@pytest.mark.parametrize("count", ["99", "-3", "0", "2", "300000", "x"])
@pytest.mark.parametrize(("name", "field"), [("plain.nrrd", "dimension: "), ("plain.mha", "NDims = ")])
def test_n12_a_wrong_number_of_axes_is_refused(tmp_path, name, field, count):
    refused(edit(written(tmp_path / name), (f"{field}3", field + count)), UnreadableFile)  # -3 and 99 end ITK's process


@pytest.mark.parametrize(("name", "old", "new"), [("plain.nrrd", "short", "block"), ("plain.mha", "SHORT", "OTHER")])
def test_n09_an_unknown_number_type_is_refused(tmp_path, name, old, new):
    refused(edit(written(tmp_path / name), (old, new)), UnsupportedPixelType, "another type")


@pytest.mark.parametrize("name", ["packed.nrrd", "packed.mha"])
def test_n25_a_bomb_is_refused_before_it_goes_off(tmp_path, name):
    content = written(tmp_path / name).read_bytes()
    first = content.find(b"\n\n") + 2 if name.endswith("nrrd") else content.find(b"LOCAL\n") + 6
    packer = zlib.compressobj(9, wbits=31 if name.endswith("nrrd") else 15)
    zeros = packer.compress(bytes(16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    (tmp_path / name).write_bytes(content[:first].replace(b"CompressedDataSize", b"Size") + zeros * 64)
    tracemalloc.start()
    with pytest.raises(ResourceLimitExceeded, match="goes on for more than"):
        read_image(tmp_path / name)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
@pytest.mark.parametrize("name", ["packed.nrrd", "plain.mha"])
def test_n07_n10_every_number_type_in_both_byte_orders_is_read_as_itk_reads_it(tmp_path, name, kind):
    path = tmp_path / name
    sitk.WriteImage(to_sitk(Image(VALUES.astype(kind), GRID)), str(path), useCompression=name.startswith("packed"))
    found = read_image(path).array
    assert found.dtype == kind
    assert np.array_equal(found, sitk.GetArrayFromImage(sitk.ReadImage(str(path))))
    if name == "plain.mha":
        edit(path, ("ByteOrderMSB = False", "ByteOrderMSB = True"))
        assert np.array_equal(read_image(path).array, found.byteswap(), equal_nan=kind[0] == "f")
        assert np.array_equal(
            read_image(path).array, sitk.GetArrayFromImage(sitk.ReadImage(str(path))), equal_nan=kind[0] == "f"
        )


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("plain.nrrd", "sizes: 9", "sizes: x"),
        ("plain.nrrd", "type: short", "type: CANARY"),
        ("plain.nrrd", "space: left", "space: CANARY"),
        ("plain.nrrd", "endian: little", "endian: CANARY"),
        ("plain.mha", "DimSize = 9", "DimSize = CANARY"),
        ("plain.mha", "ElementType = MET_SHORT", "ElementType = CANARY"),
        ("plain.mha", "ElementDataFile = LOCAL", "ElementDataFile = CANARY"),
        ("plain.mha", "NDims = 3", "NDims = 2"),
    ],
)
def test_n24_an_error_names_no_patient(tmp_path, name, old, new, capfd):
    remark = "Comment = CANARY\nBinaryData = " if name.endswith("mha") else "PatientName:=CANARY\nencoding: "
    path = edit(written(tmp_path / name), (old, new), (remark.splitlines()[1], remark))
    with pytest.raises(AvnnetError) as caught:
        read_image(path)
    assert "CANARY" not in str(caught.value) + "".join(capfd.readouterr())
