"""What the fuzzer found, one small test each; `python -m tests.faults.fuzz` finds more."""

import json
import resource
import struct
import warnings
import zlib

import numpy as np
import pytest

from avnnet.cli import main
from avnnet.data.files import read_grid, read_image
from avnnet.data.files.seg_nrrd import write_segmentation
from avnnet.data.files.structures import read_structures
from avnnet.errors import (
    InvalidRecipe,
    NonOrthogonalDirection,
    ResourceLimitExceeded,
    UndecodablePixels,
    UnreadableFile,
)
from avnnet.inference.model_folder import load_model
from tests.faults.conftest import edit_all, files
from tests.faults.fuzz.sound import LABELS
from tests.faults.test_dicom_values import respell
from tests.faults.text_header_files import edit, written
from tests.inference.test_model_folder import folder  # noqa: F401  # a fixture
from tests.inference.test_model_recipes import agreed


@pytest.fixture
def mask(tmp_path):
    return write_segmentation(LABELS, tmp_path / "a.seg.nrrd")


@pytest.mark.parametrize("value", [b"-1e308", b"1\xff2", b"9" * 5000, b"-1", b"70000"])
@pytest.mark.parametrize("key", [b"LabelValue", b"Layer"])
def test_a_segment_whose_number_is_none_is_refused(mask, key, value):
    content = mask.read_bytes()
    at = content.index(b"Segment1_" + key + b":=") + len(b"Segment1_" + key + b":=")
    mask.write_bytes(content[:at] + value + content[content.index(b"\n", at) :])
    with pytest.raises(UnreadableFile, match=f"{key.decode()} must be a whole number from 0 to"):
        read_structures(mask)


def test_a_segmentation_whose_header_is_no_text_is_refused(mask):
    mask.write_bytes(mask.read_bytes().replace(b"Segment0_Name", b"Segment0_N\xff\xfee", 1))
    with pytest.raises(UnreadableFile, match="a header that is no text"):
        read_structures(mask)


def test_an_odd_uid_is_not_printed(series, capfd):
    for path in files(series):
        respell(path, "SOPClassUID", b"UI", b"Zqx7")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["scan", str(series)])
        read_image(series)
    shown = capfd.readouterr()
    assert "Zqx7" not in shown.out + shown.err


def test_directions_that_no_number_holds_are_refused_without_a_warning(tmp_path):
    path = edit(written(tmp_path / "plain.mha"), ("TransformMatrix = 0 ", "TransformMatrix = 1e308 "))
    for read in (read_image, read_grid):
        with pytest.raises(NonOrthogonalDirection):
            read(path)


@pytest.mark.parametrize("intercept", ["99999999999", "2147483647", "-4294967296"])
def test_an_intercept_beyond_32_bits_is_added_exactly(series, image, intercept):
    edit_all(series, RescaleIntercept=intercept, RescaleSlope="1")
    assert np.array_equal(read_image(series).array, image.array.astype(float) + float(intercept))


def test_a_scale_that_makes_values_infinite_is_refused(series):
    edit_all(series, RescaleIntercept="0", RescaleSlope="1e308")
    with pytest.raises(UndecodablePixels, match="keep every value finite"):
        read_image(series)


@pytest.mark.parametrize("key", ["net", "preprocess", "tiling", "contrast", "scope"])
@pytest.mark.parametrize("value", ["x", 3, [], {"type": "ConvBlock"}, {"items": []}])
def test_a_part_of_a_model_that_is_something_else_is_refused(folder, key, value):  # noqa: F811
    agreed(folder, lambda entry: entry.update({key: value}))
    with pytest.raises(InvalidRecipe, match="not a recipe of a"):
        load_model(folder)


def test_a_scheme_that_is_none_is_refused(folder):  # noqa: F811
    content = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps({**content, "scheme": "hip"}))
    with pytest.raises(InvalidRecipe, match="not a recipe of a LabelScheme"):
        load_model(folder)


def test_a_deflated_file_that_grows_a_thousandfold_is_refused_in_little_memory(series):
    path = files(series)[0]
    content = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    length = struct.unpack_from("<I", content, 140)[0] + 2
    at = content.index(b"1.2.840.10008.1.2.1.99")
    content = content[:140] + struct.pack("<I", length) + content[144 : at - 2] + struct.pack("<H", 22) + content[at:]
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(content[144 + length :])
    path.write_bytes(content[: 144 + length] + packed + packer.copy().flush())
    assert read_image(series).grid.shape[0] == 8
    with open(path, "wb") as file:
        file.write(content[: 144 + length] + packed)
        for _ in range(600):
            file.write(packer.compress(bytes(1 << 20)))
        file.write(packer.flush())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ResourceLimitExceeded, match="unpacks to at most 512 MiB"):
        read_image(series)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


@pytest.mark.parametrize("number", ["19600102", "PAT0012345"])
def test_a_date_or_a_number_of_a_person_in_the_place_of_a_code_is_not_shown(series, capfd, number):
    edit_all(series, ImageType=[number])
    main(["scan", str(series)])
    said = capfd.readouterr()
    assert number not in said.out + said.err
    assert "1: 8 slices of 34 x 40 pixels" in said.out


@pytest.mark.parametrize("keyword", ["ImageType", "ScanningSequence", "MRAcquisitionType", "Modality",
                                     "PhotometricInterpretation", "EchoTime"])  # fmt: skip
def test_a_code_that_is_none_is_not_shown_since_a_damaged_tag_may_hold_a_name(series, capfd, keyword):
    edit_all(series, EchoTime="4.5")
    for path in files(series):
        respell(path, keyword, b"LO", b"Zqx7^Ann")
    main(["scan", str(series)])
    shown = capfd.readouterr()
    assert "Zqx7" not in shown.out + shown.err
    assert "1: 8 slices of 34 x 40 pixels" in shown.out
