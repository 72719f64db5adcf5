"""FreeSurfer's `.mgz` and `.mgh`, with the faults of NIfTI that they can have too (rows of docs/faults.md)."""

import gzip
import struct
import tracemalloc

import nibabel
import numpy as np
import pytest
from nibabel.freesurfer.mghformat import header_dtype

from avnnet.data.files import read_grid, read_image, read_labels
from avnnet.data.files.single import check_whole
from avnnet.data.integrity import image_hash
from avnnet.errors import (
    AvnnetError,
    InvalidGeometry,
    InvalidLabelValues,
    MissingGeometry,
    NonOrthogonalDirection,
    NotAnImage,
    ResourceLimitExceeded,
    UnreadableFile,
    UnsupportedDimensions,
    UnsupportedPixelType,
)
from tests.faults.nifti_files import SIZES, VALUES, affine, is_where_nibabel_says, nifti, refused

FIRST_VOXEL = 284
KINDS = {0: "u1", 1: "i4", 3: "f4", 4: "i2", 10: "u2"}


def mgh(path, values=VALUES, ras=None, **fields):
    """A file by nibabel, oblique by default, and then other header fields."""
    nibabel.MGHImage(values, affine() if ras is None else ras).to_filename(path)
    return edit(path, **fields) if fields else path


def edit(path, **fields):
    packed = path.read_bytes()
    content = bytearray(gzip.decompress(packed) if packed[:2] == b"\x1f\x8b" else packed)
    header = np.frombuffer(content, header_dtype, count=1)[0]
    for field, value in fields.items():
        header[field] = value
    path.write_bytes(gzip.compress(bytes(content)) if packed[:2] == b"\x1f\x8b" else content)
    return path


@pytest.fixture
def plain(tmp_path):
    return mgh(tmp_path / "hip.mgh")


@pytest.fixture
def packed(tmp_path):
    return mgh(tmp_path / "hip.mgz")


@pytest.mark.parametrize("name", ["hip.mgz", "hip.mgh", "HIP.MGZ"])
@pytest.mark.parametrize("kind", KINDS.values())
def test_n10_every_number_type_is_read_where_nibabel_puts_it(tmp_path, name, kind):
    values = VALUES.astype(kind)
    path = mgh(tmp_path / "hip.mgz", values).rename(tmp_path / name)
    image = read_image(path)
    assert image.array.dtype == kind
    assert image.array.dtype.isnative
    assert np.array_equal(image.array.T, values)
    assert is_where_nibabel_says(image.grid, affine())
    assert read_grid(path) == image.grid
    check_whole(path)


def test_an_mgh_file_has_the_hash_of_the_same_image_in_nifti(tmp_path, packed):
    single = nifti(tmp_path / "hip.nii.gz")
    assert image_hash(read_image(packed)) == image_hash(read_image(single))


@pytest.mark.parametrize("flips", np.ndindex(2, 2, 2))
def test_n28_any_axis_order_is_read_where_nibabel_puts_it(tmp_path, flips):
    for order in ((0, 1, 2), (1, 2, 0), (2, 1, 0)):
        ras = affine()
        ras[:3, :3] = ras[:3, order] * np.where(flips, -1, 1)
        assert is_where_nibabel_says(read_grid(mgh(tmp_path / "hip.mgz", ras=ras)), ras)


def test_a_file_written_by_hand_after_freesurfers_page_is_read(tmp_path):
    # coronal, as FreeSurfer keeps its heads: x to the left, y down, z to the front; the centre of 4 x 6 x 8 voxels is
    # that of index (2, 3, 4), so the first voxel lies 2 steps of 1 mm to the right of it, 3 of 0.5 up, 4 of 2 behind
    head = struct.pack(">iiiiiiih", 1, 4, 6, 8, 1, 0, 0, 1)
    head += struct.pack(">15f", 1, 0.5, 2, -1, 0, 0, 0, 0, -1, 0, 1, 0, 10, -20, 30)
    values = np.arange(4 * 6 * 8, dtype=np.uint8)
    (tmp_path / "hand.mgh").write_bytes(head.ljust(FIRST_VOXEL, b"\0") + values.tobytes())
    image = read_image(tmp_path / "hand.mgh")
    assert np.array_equal(image.array.ravel(), values)
    assert image.grid.to_lps((4, 3, 2)).tolist() == [-10, 20, 30]  # LPS of RAS (10, -20, 30)
    assert image.grid.to_lps((4, 3, 3)).tolist() == [-9, 20, 30]  # one more along x: 1 mm to the left
    assert image.grid.to_lps((4, 4, 2)).tolist() == [-10, 20, 29.5]  # y: 0.5 mm down
    assert image.grid.to_lps((5, 3, 2)).tolist() == [-10, 18, 30]  # z: 2 mm to the front
    assert image.grid.to_lps((0, 0, 0)).tolist() == [-12, 28, 31.5]


def test_n05_compression_is_seen_in_the_content_and_not_in_the_name(packed, plain):
    zipped, not_zipped = packed.read_bytes(), plain.read_bytes()
    plain.write_bytes(zipped)
    packed.write_bytes(not_zipped)
    assert np.array_equal(read_image(plain).array, read_image(packed).array)


@pytest.mark.parametrize("name", ["hip.mgz", "hip.mgh"])
def test_n01_n02_an_empty_or_cut_file_is_unreadable(tmp_path, name):
    path = mgh(tmp_path / name)
    content = path.read_bytes()
    whole = FIRST_VOXEL + VALUES.nbytes  # what nibabel writes behind may be lacking
    for keep in (0, 30, 200, 290, 0.6 * whole, 0.999 * whole if name.endswith("mgh") else len(content) - 1):
        path.write_bytes(content[: int(keep)])
        with pytest.raises(UnreadableFile):
            read_image(path)


def test_n02_what_stands_behind_the_voxels_may_be_lacking_or_more(plain):
    content = plain.read_bytes()
    for tail in (b"", b"\0" * 20, b"\1" * 5000):
        plain.write_bytes(content[: FIRST_VOXEL + VALUES.nbytes] + tail)
        assert np.array_equal(read_image(plain).array.T, VALUES)


def test_n03_n04_no_wrong_bit_of_a_compressed_file_gives_another_image(packed):
    content, grid = packed.read_bytes(), read_grid(packed)
    for position in [*np.linspace(10, len(content) - 9, 150).astype(int), *range(len(content) - 8, len(content))]:
        broken = bytearray(content)
        broken[position] ^= 1 << position % 8
        packed.write_bytes(broken)
        try:
            image = read_image(packed)
        except AvnnetError:
            continue
        assert position < len(content) - 8
        assert np.array_equal(image.array.T, VALUES)
        assert image.grid == grid


@pytest.mark.parametrize("version", [0, 2, -1, 1 << 24, 257])
def test_n06_another_version_is_no_mgh_file(plain, version):
    refused(edit(plain, version=version), NotAnImage, "is no MGH file")


def test_n06_other_content_under_the_name_is_no_image(tmp_path):
    for content in (b"\x93NUMPY\x01\x00", b"NRRD0004\n", bytes(5000), gzip.compress(bytes(5000))):
        (tmp_path / "hip.mgz").write_bytes(content)
        refused(tmp_path / "hip.mgz", NotAnImage)


def test_n08_several_frames_are_refused(tmp_path):
    path = mgh(tmp_path / "hip.mgz", np.stack([VALUES, VALUES], axis=-1))
    refused(path, UnsupportedDimensions, "4D of 9 x 11 x 8 x 2")


@pytest.mark.parametrize("kind", [2, 5, 6, 7, 9, 11, -1, 2**31 - 1])
def test_n09_other_numbers_are_refused(plain, kind):
    refused(edit(plain, type=kind), UnsupportedPixelType, f"has type {kind}")


@pytest.mark.parametrize(
    "dims", [(32767, 32767, 32767, 1), (4097, 1, 1, 1), (4096, 4096, 65, 1), (2**31 - 1,) * 3 + (1,)]
)
def test_n11_a_header_that_promises_more_than_a_hip_scan_has_is_refused_at_once(packed, dims):
    tracemalloc.start()
    refused(edit(packed, dims=dims, delta=0.1), ResourceLimitExceeded)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


@pytest.mark.parametrize("dims", [(9, 0, 8, 1), (9, -11, 8, 1), (9, 11, 8, 0), (9, 11, 8, -1)])
def test_n12_an_axis_without_voxels_is_refused(plain, dims):
    refused(edit(plain, dims=dims), InvalidGeometry, "every axis of an image has a voxel")


@pytest.mark.parametrize("spacing", [0, -0.7, np.nan, np.inf, 1e30, 1e-30, 120])
def test_n13_an_impossible_spacing_is_refused(plain, spacing):
    refused(edit(plain, delta=(0.7, spacing, 3.3)), InvalidGeometry)


@pytest.mark.parametrize("flag", [0, -1, 2, 256])
def test_n14_a_file_that_does_not_say_where_it_lies_is_refused(plain, flag):
    refused(edit(plain, goodRASFlag=flag), MissingGeometry, f"goodRASFlag is {flag}")


def test_n17_axes_that_are_not_orthogonal_are_refused_beyond_rounding(plain):
    axes = np.array(((0.8, 0.6, 0.0), (-0.6, 0.8, 0.0), (0.0, 0.0, 1.0)))
    for shear, is_refused in ((1e-5, False), (0.09, True)):
        edit(plain, Mdc=axes + np.outer([1, 0, 0], [0, 0, shear]))
        if is_refused:
            refused(plain, NonOrthogonalDirection)
        else:
            assert read_image(plain).array.shape == SIZES[::-1]


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e38])
@pytest.mark.parametrize("field", ["Mdc", "Pxyz_c"])
def test_n18_directions_and_places_that_are_no_numbers_are_refused(plain, field, number):
    refused(edit(plain, **{field: number}), InvalidGeometry)


def test_n18_directions_of_no_length_are_refused(plain):
    refused(edit(plain, Mdc=0), NonOrthogonalDirection)


def test_n25_a_bomb_is_refused_before_it_goes_off(packed):
    packed.write_bytes(packed.read_bytes() + gzip.compress(bytes(16 << 20)) * 64)
    tracemalloc.start()
    with pytest.raises(ResourceLimitExceeded, match="goes on for more than"):
        read_image(packed)
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


def test_n24_commands_and_names_behind_the_voxels_are_not_shown(plain, capfd):
    plain.write_bytes(plain.read_bytes() + b"mri_convert CANARY.dcm")
    read_image(plain)
    with pytest.raises(AvnnetError) as caught:
        read_image(edit(plain, dims=(9, 11, 0, 1)))
    assert "CANARY" not in str(caught.value) + "".join(capfd.readouterr())


def test_a_mask_is_read_by_its_ids_and_one_that_has_others_is_refused(tmp_path):
    ids = (VALUES % 3).astype(np.float32)
    assert np.array_equal(read_labels(mgh(tmp_path / "mask.mgz", ids)).array.T, ids)
    for odd in (0.5, 7, np.nan):
        ids[3, 4, 5] = odd
        with pytest.raises(InvalidLabelValues):
            read_labels(mgh(tmp_path / "mask.mgz", ids))
