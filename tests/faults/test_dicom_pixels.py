"""Pixels are decoded as they were written, or refused by name; never cut, padded or guessed."""

import struct
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from avnnet.data.dicom import read_series, series_grid
from avnnet.errors import AvnnetError, ResourceLimitExceeded, UndecodablePixels
from avnnet.flags import Flag
from tests.faults.conftest import edit, edit_all, files
from tests.faults.test_dicom_geometry import is_same

COMPRESSED = [RLELossless, JPEGLSLossless, JPEG2000Lossless]
PLAIN = [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def rewritten(path, syntax):
    dataset = pydicom.dcmread(path)
    if syntax in COMPRESSED:
        dataset.compress(syntax, generate_instance_uid=False)
        dataset.save_as(path)
        return
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = dataset.pixel_array.astype(">i2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    is_little = syntax != ExplicitVRBigEndian
    is_implicit = syntax == ImplicitVRLittleEndian
    pydicom.dcmwrite(path, dataset, implicit_vr=is_implicit, little_endian=is_little, force_encoding=True)


@pytest.mark.parametrize("syntax", [*COMPRESSED, *PLAIN], ids=lambda uid: uid.keyword)
def test_d26_every_lossless_writing_gives_the_same_image(series, image, syntax):
    for path in files(series):
        rewritten(path, syntax)
    assert is_same(read_series(series), image)
    assert read_series(series).source.flags == ()


def test_d27_a_lossy_source_is_flagged(series):
    edit_all(series, LossyImageCompression="01")
    assert read_series(series).source.flags == (Flag.LOSSY_SOURCE,)


@pytest.mark.parametrize("values", [{"BitsStored": 11, "HighBit": 10}, {"PixelRepresentation": 0}])
def test_d28_a_jpeg_2000_stream_of_another_depth_or_sign_is_refused(series, values):
    for path in files(series):
        rewritten(path, JPEG2000Lossless)
    edit_all(series, **values)
    with pytest.raises(UndecodablePixels, match="bits and sign"):
        read_series(series)


def test_d29_a_jpeg_2000_stream_of_immense_size_is_refused(series):
    path = files(series)[2]
    rewritten(path, JPEG2000Lossless)
    dataset = pydicom.dcmread(path)
    at = dataset.PixelData.find(b"\xff\x4f\xff\x51") + 8
    dataset.PixelData = dataset.PixelData[:at] + struct.pack(">2I", 60000, 60000) + dataset.PixelData[at + 8 :]
    dataset.save_as(path)
    with pytest.raises(ResourceLimitExceeded, match="60000 x 60000"):
        read_series(series)


@pytest.mark.parametrize("change", [-2, -42, 2, 1_000_000])
@pytest.mark.parametrize("index", [0, 3, 7])
def test_d30_pixels_of_another_length_are_refused(series, index, change):
    path = files(series)[index]
    pixels = pydicom.dcmread(path).PixelData
    edit(path, PixelData=pixels + b"\0" * change if change > 0 else pixels[:change])
    for read in (read_series, series_grid):
        with pytest.raises(UndecodablePixels, match=f"file {index + 1} of 8 by name.*2720 bytes of pixels"):
            read(series)


def test_d30_missing_pixels_are_refused(series):
    edit(files(series)[1], PixelData=None)
    with pytest.raises(UndecodablePixels, match="no pixels"):
        series_grid(series)


def test_d31_each_slice_is_scaled_by_its_own_slope(series, image):
    slopes = np.linspace(0.5, 2.5, 8)
    for path, slope in zip(files(series), slopes, strict=True):
        edit(path, RescaleSlope=f"{slope:.12f}", RescaleIntercept="-3.25")
    found = read_series(series).array
    expected = image.array * slopes[:, None, None] - 3.25
    assert np.abs(found - expected).max() <= 1e-6


@pytest.mark.parametrize(
    "values",
    [
        {"BitsStored": 8, "HighBit": 7},
        {"HighBit": 3},
        {"PixelRepresentation": 1},
        {"BitsStored": 0},
        {"BitsStored": 40},
        {"BitsAllocated": 7},
        {"BitsAllocated": 0},
    ],
)
def test_d32_odd_bits_are_read_or_refused_by_name(series, values):
    edit_all(series, **values)
    try:
        found = read_series(series)
    except AvnnetError:
        return
    assert found.array.shape == (8, 34, 40)


@pytest.mark.parametrize("values", [{"Rows": 65535, "Columns": 65535}, {"NumberOfFrames": 10**9}, {"Rows": 0}])
def test_d33_sizes_beyond_a_hip_scan_are_refused_before_anything_is_allocated(series, values):
    edit_all(series, **values)
    with pytest.raises(AvnnetError) as caught:
        series_grid(series)
    assert isinstance(caught.value, ResourceLimitExceeded) or values == {"Rows": 0}


def broken(path, encapsulated):
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    dataset.PixelData = encapsulated
    dataset["PixelData"].VR = "OB"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(path)


@pytest.mark.parametrize(
    "fragments",
    [
        b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0",  # a table of offsets and no fragment
        encapsulate([b"\1\2\3"]),  # too short for a segment header
        encapsulate([b"\xff" * 64]),
        b"\xfe\xff\x00\xe0\x04\0\0\0\xff\xff\xff\x7f" + encapsulate([b"\0" * 70])[8:],  # offset beyond the end
    ],
)
def test_d42_broken_fragments_are_refused(series, fragments):
    broken(files(series)[4], fragments)
    with pytest.raises(UndecodablePixels):
        read_series(series)


def test_d45_overlays_are_ignored(series, image):
    for path in files(series):
        dataset = pydicom.dcmread(path)
        dataset.add_new(0x60000010, "US", 65535)
        dataset.add_new(0x60000011, "US", 65535)
        dataset.add_new(0x60003000, "OW", b"\0\0")
        dataset.save_as(path)
    assert is_same(read_series(series), image)


# a cut in compressed pixels is seen by a process of its own, a quarter of a second each
CUTS = [
    pytest.param(ExplicitVRLittleEndian, 128, id="ExplicitVRLittleEndian"),
    pytest.param(RLELossless, 512, id="RLELossless"),
    pytest.param(RLELossless, 128, id="RLELossless at every 128th byte", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("syntax", "every"), CUTS)
def test_d44_a_file_cut_anywhere_is_refused(series, syntax, every):
    path = files(series)[3]
    if syntax == RLELossless:
        rewritten(path, syntax)
    whole = path.read_bytes()
    for length in range(0, len(whole), every):
        path.write_bytes(whole[:length])
        with pytest.raises(AvnnetError, match=r"file 4 of 8|slice 4 of 8"):
            read_series(series)
