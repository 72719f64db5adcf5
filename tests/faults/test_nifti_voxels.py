"""NIfTI voxels are those that nibabel reads, or none (rows of docs/faults.md)."""

import gzip
import logging
import warnings

import nibabel
import numpy as np
import pytest

from avnnet.data.files import WRITTEN_SUFFIXES, read_grid, read_image, read_labels, write_image
from avnnet.errors import (
    AvnnetError,
    InvalidGeometry,
    InvalidLabelValues,
    NotAnImage,
    UndecodablePixels,
    UnsupportedDimensions,
    UnsupportedPixelType,
)
from avnnet.image import LabelMap
from tests.faults.nifti_files import SIZES, VALUES, affine, edit, is_where_nibabel_says, nifti, refused

CANARY = b"CANARY^PATIENT"


@pytest.fixture
def plain(tmp_path):
    return nifti(tmp_path / "hip.nii")


@pytest.mark.parametrize("name", ["hip.nii", "hip.nii.gz"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_n07_both_versions_and_both_byte_orders_hold_the_same_image(tmp_path, plain, kind, order, name):
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.int16)
    header.set_xyzt_units("mm")
    image = kind(VALUES, affine(), header)
    image.set_qform(affine(), code=1)
    image.to_filename(tmp_path / f"other-{name}")
    found, expected = read_image(tmp_path / f"other-{name}"), read_image(plain)
    assert np.array_equal(found.array, expected.array)
    assert found.array.dtype == np.int16
    assert found.grid.is_close(expected.grid)
    assert found.grid.voxel_mm3 == pytest.approx(expected.grid.voxel_mm3, rel=1e-6)


def test_n08_a_single_slice_is_refused(plain):
    refused(edit(plain, dim=[2, 9, 11, 1, 1, 1, 1, 1]), UnsupportedDimensions, "2D of 9 x 11")


@pytest.mark.parametrize("dim", [[4, *SIZES, 1, 1, 1, 1], [5, *SIZES, 1, 1, 1, 1], [3, *SIZES, 0, 7, 0, 0]])
def test_n08_further_axes_of_one_voxel_are_dropped(plain, dim):
    edit(plain, dim=dim)
    assert np.array_equal(read_image(plain).array.T, VALUES)
    assert read_grid(plain).shape == SIZES[::-1]


@pytest.mark.parametrize("shape", [(*SIZES, 2), (*SIZES, 1, 3)], ids=["two times", "vectors"])
def test_n08_several_times_or_values_are_refused(tmp_path, shape):
    path = nifti(tmp_path / "hip.nii.gz", np.zeros(shape, np.int16))
    refused(path, UnsupportedDimensions, f"{len(shape)}D of 9 x 11 x 8")


@pytest.mark.parametrize(
    ("code", "bits"),
    [(128, 24), (2304, 32), (32, 64), (1792, 128), (1536, 128), (1, 1), (0, 0), (3, 8)],
    ids=["RGB24", "RGBA32", "complex64", "complex128", "float128", "binary", "none", "unknown"],
)
def test_n09_colour_and_complex_voxels_are_refused(plain, code, bits):
    refused(edit(plain, datatype=code, bitpix=bits), UnsupportedPixelType, f"datatype {code}")


@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_n10_every_number_type_is_read_as_it_stands(tmp_path, kind):
    limits = np.finfo(kind) if kind[0] == "f" else np.iinfo(kind)
    values = VALUES.astype(kind)
    values[0, 0, :2] = limits.min, limits.max  # what single precision could not hold
    found = read_image(nifti(tmp_path / "hip.nii.gz", values)).array
    assert np.array_equal(found.T, values)
    assert found.dtype == kind


@pytest.mark.parametrize("dim", [[3, 9, -11, 8, 1, 1, 1, 1], [3, 9, 11, 0, 1, 1, 1, 1], [4, *SIZES, -1, 1, 1, 1]])
def test_n12_an_axis_without_voxels_is_refused(plain, dim):
    refused(edit(plain, dim=dim), InvalidGeometry, "every axis of an image has a voxel")


@pytest.mark.parametrize("count", [0, 8, -3])
def test_n12_an_impossible_number_of_axes_is_no_image(plain, count):
    refused(edit(plain, dim=[count, *SIZES, 1, 1, 1, 1]), NotAnImage, f"promises {count}")


@pytest.mark.parametrize("bits", [0, 8, 32, -16])
def test_n12_bits_that_contradict_the_pixel_type_are_no_image(plain, bits):
    refused(edit(plain, bitpix=bits), NotAnImage, f"bitpix is {bits}")


@pytest.mark.parametrize("slope", [0, np.nan, 1])
def test_n20_no_scaling_leaves_whole_numbers(plain, slope):
    found = read_image(edit(plain, scl_slope=slope, scl_inter=0)).array
    assert np.array_equal(found.T, VALUES)
    assert found.dtype == np.int16


@pytest.mark.parametrize(("slope", "intercept"), [(-0.37, 5.5), (1 / 255, 0), (1, -1024), (3e-5, 1e4)])
def test_n20_scaled_values_are_those_of_nibabel(plain, slope, intercept):
    edit(plain, scl_slope=slope, scl_inter=intercept)
    assert np.array_equal(read_image(plain).array.T, nibabel.load(plain).get_fdata())


@pytest.mark.parametrize(("slope", "intercept"), [(np.inf, 0), (-np.inf, 0), (2, np.inf), (1, np.nan)])
def test_n20_an_infinite_scaling_is_refused(plain, slope, intercept):
    refused(edit(plain, scl_slope=slope, scl_inter=intercept), UndecodablePixels, "scaling of voxels must be finite")


def test_n20_ids_divided_by_255_are_no_ids(tmp_path):
    path = nifti(tmp_path / "mask.nii.gz", (VALUES > 900).astype(np.uint8), scl_slope=1 / 255, scl_inter=0)
    with pytest.raises(InvalidLabelValues, match="whole numbers"):
        read_labels(path)


def test_n20_a_mask_of_0_and_255_divided_by_255_is_of_0_and_1(tmp_path):
    path = nifti(tmp_path / "mask.nii.gz", (255 * (VALUES > 900)).astype(np.uint8), scl_slope=1 / 255, scl_inter=0)
    assert np.array_equal(read_labels(path).array.T, VALUES > 900)


def test_n20_whole_numbers_after_scaling_are_label_ids(tmp_path):
    path = nifti(tmp_path / "mask.nii.gz", (VALUES > 900).astype(np.uint8), scl_slope=2, scl_inter=0)
    assert np.array_equal(read_labels(path).array.T, 2 * (VALUES > 900))


@pytest.fixture
def named(plain):
    """A file whose header names a patient, in a text field and in a DICOM extension."""
    content = plain.read_bytes()
    extension = np.array([48, 2], "<i4").tobytes() + CANARY.ljust(40, b"\0")
    plain.write_bytes(content[:348] + b"\1\0\0\0" + extension + content[352:])
    return edit(plain, vox_offset=400, descrip=CANARY, aux_file=CANARY, intent_name=CANARY, db_name=CANARY)


@pytest.mark.parametrize("suffix", WRITTEN_SUFFIXES)
def test_n24_what_a_header_says_of_a_patient_is_in_no_output(named, tmp_path, suffix, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    image = read_image(named)
    assert is_where_nibabel_says(image.grid, affine())
    labels = LabelMap((image.array > 900).astype(np.uint8), image.grid, source=image.source)
    for one in (image, labels):
        content = write_image(one, tmp_path / f"out{suffix}").read_bytes()
        assert CANARY not in (gzip.decompress(content) if suffix == ".nii.gz" else content)
    assert CANARY.decode() not in caplog.text + repr(image) + "".join(capfd.readouterr())


SPOILT = [
    {"pixdim": [1, 0, 1, 1, 1, 1, 1, 1]},
    {"datatype": 128},
    {"vox_offset": 0},
    {"dim": [4, *SIZES, 2, 1, 1, 1]},
    {"qform_code": 0, "sform_code": 0},
    {"magic": b"ni1"},
    {"scl_slope": np.inf},
    {"srow_x": [9, 9, 9, 9]},
]


@pytest.mark.parametrize("fields", SPOILT, ids=lambda fields: next(iter(fields)))
def test_n24_an_error_names_no_patient(named, fields, capfd):
    with warnings.catch_warnings(record=True) as heard, pytest.raises(AvnnetError) as caught:
        read_image(edit(named, **fields))
    assert CANARY.decode() not in str(caught.value) + str(heard) + "".join(capfd.readouterr())
