"""A header value of the wrong kind ends in a named error that tells the keyword, never the value."""

import struct
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from avnnet.cli import main
from avnnet.data.dicom.values import TAGS, Header, Kind, value_of
from avnnet.data.files import read_grid, read_image
from avnnet.errors import AvnnetError, InvalidGeometry, MissingGeometry, MixedSeries, UnreadableFile
from tests.faults.conftest import edit, enhanced, files

FAULTS = Path(__file__).parents[3] / "shared" / "data" / "faults"
CANARY = b"Zqx7"
WORDS = {
    "dcm-BytesLengthException_series.py_77": "deflated header cannot be unpacked",
    "dcm-NotImplementedError_series.py_73": "BurnedInAnnotation .* a representation",
    "dcm-TypeError_find.py_128": "SeriesNumber .* one whole number; found 3 values",
    "dcm-TypeError_read.py_118": "InstanceNumber .* one whole number; found 2 values",
    "dcm-TypeError_series.py_77": "SamplesPerPixel .* one whole number; found 12 values",
    "dcm-ValueError_find.py_128": "SeriesNumber .* one whole number; found text",
    "dcm-ValueError_read.py_118": "InstanceNumber .* one whole number; found text",
    "dcm-onediff-1788": "one file beside the 7 slices .* left out",
    "enh-BytesLengthException_find.py_105": "PatientID .* must be text; found bytes of a length",
    "enh-TypeError_find.py_128": "SeriesNumber .* one whole number; found 3 values",  # all three are empty
    "enh-ValueError_find.py_128": "SeriesNumber .* one whole number; found text",
}
SPOILT = [
    ("SeriesNumber", b"IS", b"1\\2\\3 ", "one whole number; found 3 values"),
    ("SeriesNumber", b"IS", b"\\\\", "one whole number; found 3 values"),
    ("SeriesNumber", b"IS", CANARY, "one whole number; found text"),
    ("InstanceNumber", b"IS", b"1.5 ", "one whole number; found"),
    ("InstanceNumber", b"IS", b"99999999999 ", "one whole number; found"),
    ("SamplesPerPixel", b"US", bytes(6), "one whole number; found 3 values"),
    ("SamplesPerPixel", b"US", bytes(3), "found bytes of a length"),
    ("BurnedInAnnotation", b"ZZ", CANARY, "text; found a representation"),
    ("PatientID", b"US", bytes(3), "text; found bytes of a length"),
    ("RescaleSlope", b"DS", b"nan ", "one finite number; found a number that is not finite"),
    ("RescaleSlope", b"DS", b"2\\3 ", "one finite number; found 2 values"),
    ("RescaleIntercept", b"DS", CANARY, "one finite number; found text"),
    ("ImagePositionPatient", b"DS", CANARY + b"\\12.25\\13 ", "finite numbers; found text"),
    ("PixelSpacing", b"DS", b"inf\\0.4 ", "finite numbers; found a number that is not finite"),
    ("PixelSpacing", b"DS", b"0.7\\1e308 ", "finite numbers; found a number beyond"),
    ("ImageOrientationPatient", b"DS", b"1e308\\0\\0\\0\\-1e308\\0 ", "finite numbers; found a number beyond"),
    ("Rows", b"IS", b"34\\34 ", "one whole number; found 2 values"),
]


def respell(path, keyword, representation, value):
    """Writes one element's bytes anew: what pydicom itself would refuse to write."""
    content, raw = path.read_bytes(), pydicom.dcmread(path).get_item(keyword)
    tag = Tag(keyword)
    element = struct.pack("<HH2sH", tag.group, tag.element, representation, len(value)) + value
    path.write_bytes(content[: raw.value_tell - 8] + element + content[raw.value_tell + raw.length :])


def refused_alike(place, capsys, words):
    """The error of `read_image`, which `avnnet scan` says too."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(AvnnetError, match=words) as caught:
            read_image(place)
        assert main(["scan", str(place)]) == 3
    shown = capsys.readouterr().out
    assert str(caught.value).splitlines()[0] in shown
    assert CANARY.decode() not in str(caught.value) + shown
    return caught.value


@pytest.mark.skipif(not FAULTS.exists(), reason="no faulty series in ../shared/data/faults")
@pytest.mark.parametrize("name", WORDS)
def test_series_that_mutation_found_are_refused_by_keyword(name, capsys):
    refused_alike(FAULTS / name, capsys, WORDS[name])


@pytest.mark.skipif(not FAULTS.exists(), reason="no faulty file in ../shared/data/faults")
def test_a_nifti_file_whose_qform_puts_it_beyond_the_stars_is_refused():
    # what was read is what the header says: offset y of 1e30 mm; no point near it can be told from another
    for read in (read_image, read_grid):
        with pytest.raises(InvalidGeometry, match="10000 mm from the scanner's centre"):
            read(FAULTS / "nii-silent-1684.nii")


@pytest.mark.parametrize("is_everywhere", [True, False], ids=["all", "one"])
@pytest.mark.parametrize(("keyword", "representation", "value", "words"), SPOILT)
def test_d38_a_value_of_the_wrong_kind_is_refused_by_keyword(
    series, capsys, keyword, representation, value, words, is_everywhere
):
    for path in files(series) if is_everywhere else files(series)[2:3]:
        edit(path, RescaleSlope="1", RescaleIntercept="0")
        respell(path, keyword, representation, value)
    error = refused_alike(series, capsys, f"{keyword} of a DICOM file must be .*{words}")
    assert isinstance(error, MissingGeometry if TAGS[keyword] is Kind.NUMBERS else UnreadableFile)


@pytest.mark.parametrize(("keyword", "value", "words"), [
    ("SeriesNumber", b"\\\\", "found 3 values"), ("NumberOfFrames", b"8\\8 ", "found 2 values"),
    ("NumberOfFrames", CANARY, "found text"),
])  # fmt: skip
def test_d38_the_same_holds_of_a_multi_frame_file(series, tmp_path, capsys, keyword, value, words):
    path = enhanced(series, tmp_path / "enhanced.dcm")
    respell(path, keyword, b"IS", value)
    refused_alike(path, capsys, f"{keyword} .*{words}")


def test_a_refusal_that_asks_for_an_unlisted_keyword_is_an_error_and_passes_no_file():
    header = Header(Dataset())
    for ask in (header.text, header.words, header.whole, header.number, header.numbers, header.items, header.value):
        with pytest.raises(KeyError, match="DiffusionBValue is not read so; add it to TAGS"):
            ask("DiffusionBValue")
    with pytest.raises(KeyError, match="Rows"):
        header.text("Rows")  # which is a whole number
    with pytest.raises(KeyError):
        value_of(Dataset(), "DiffusionBValue")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_slices_that_only_their_series_uid_parts_from_the_stack_are_never_left_out_without_a_word(
    series, capsys, count
):
    for nth, path in enumerate(files(series)[:count]):
        edit(path, SeriesInstanceUID=f"1.2.3.{nth}")
    words = "one file" if count == 1 else f"{count} files"
    error = refused_alike(series, capsys, f"{words} beside the {8 - count} slices .*--series {count + 1}")
    assert isinstance(error, MixedSeries)
    assert read_image(series, series=count + 1).grid.shape[0] == 8 - count


@pytest.mark.parametrize("values", [
    {"SeriesNumber": 7}, {"EchoTime": "5"}, {"ImageType": ["DERIVED", "SECONDARY", "OTHER"]},
    {"ImagePositionPatient": ["0", "0", "0"]},
])  # fmt: skip
def test_a_short_series_of_its_own_is_left_out_as_before(series, values):
    edit(files(series)[0], SeriesInstanceUID="1.2.3", **values)
    assert read_image(series).grid.shape[0] == 7


def test_a_copy_of_a_slice_in_a_series_of_its_own_hides_no_other(series):
    first, second, *_ = files(series)
    (series / "copy.dcm").write_bytes(second.read_bytes())
    edit(series / "copy.dcm", SeriesInstanceUID="1.2.4")
    assert read_image(series).grid.shape[0] == 8
    edit(first, SeriesInstanceUID="1.2.3")
    with pytest.raises(MixedSeries, match="one file beside the 7 slices"):
        read_image(series)
