"""Headers that are damaged, hostile or merely old: read, or refused by name, and never quoted."""

import resource
import struct
import warnings

import pydicom
import pytest
from pydicom.dataset import Dataset

from avnnet.data.dicom import read_series, series_grid
from avnnet.errors import AvnnetError, UnreadableFile
from avnnet.labels import Side
from tests.faults.conftest import edit, edit_all, files
from tests.faults.test_dicom_geometry import is_same

CANARY = "Zqxjk-Canary"
ROWS = b"\x28\0\x10\0US"  # where the element of that name begins


def test_d34_an_element_that_claims_four_gigabytes_is_refused_without_taking_them(series):
    path = files(series)[2]
    content = path.read_bytes()
    at = content.index(ROWS)
    path.write_bytes(content[:at] + b"\x08\0\x80\0UN\0\0" + struct.pack("<I", 0xFFFFFFF0) + content[at:4096])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(UnreadableFile, match="file 3 of 8"):
        series_grid(series)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_d35_nested_sequences_are_refused_without_a_recursion_error(series):
    open_item = b"\xfe\xff\0\xe0" + b"\xff" * 4
    nested = b""
    for _ in range(300):
        nested = b"\x08\0\x40\x11SQ\0\0" + b"\xff" * 4 + open_item + nested
        nested += b"\xfe\xff\x0d\xe0" + b"\0" * 4 + b"\xfe\xff\xdd\xe0" + b"\0" * 4
    content = files(series)[2].read_bytes()
    files(series)[2].write_bytes(content.replace(ROWS, nested + ROWS))
    with pytest.raises(UnreadableFile, match=r"file 3 of 8.*RecursionError"):
        series_grid(series)


def test_d36_files_without_preamble_are_read(series, image):
    for path in files(series):
        path.write_bytes(path.read_bytes()[132:])
    assert is_same(read_series(series), image)


def test_d36_files_without_meta_information_are_read_where_that_is_unambiguous(series, image):
    for path in files(series):
        dataset = pydicom.dcmread(path)
        plain = Dataset()
        plain.update(dataset)
        pydicom.dcmwrite(path, plain, implicit_vr=True, little_endian=True)
    assert is_same(read_series(series), image)


def test_d36_a_wrong_transfer_syntax_is_refused_or_gives_the_same_image(series, image):
    for path in files(series):
        content = path.read_bytes()
        path.write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"))
    with pytest.raises(AvnnetError):
        read_series(series)


def test_d37_a_program_in_the_preamble_is_not_run_and_not_kept(series, image):
    for path in files(series):
        content = path.read_bytes()
        path.write_bytes(b"MZ" + content[2:])
    assert is_same(read_series(series), image)


@pytest.mark.parametrize(
    ("keyword", "written", "spoilt"),
    [
        ("SpecificCharacterSet", "ISO_IR 100", b"NO_SUCH_ON"),
        ("EchoTime", "12.5", b"12,5"),
        ("EchoTime", "1.23456789012345", b"1.2.3.4.5.6.7.8."),
        ("PixelSpacing", ["0.713", "0.413"], b"0,713\\0,413"),
        ("InstanceNumber", "1234", b"    "),
        ("RescaleSlope", "1.75", b"fast"),
        ("ImagePositionPatient", ["11.25", "12.25", "13.25"], b"\xff\xfe\xfd\xfc\xfb\\12.25\\13.25"),
    ],
)
def test_d38_odd_values_are_read_or_refused_by_name_and_never_printed(series, keyword, written, spoilt, capfd, caplog):
    edit_all(series, **{keyword: written}, PatientName=CANARY)
    as_bytes = ("\\".join(written) if isinstance(written, list) else written).encode()
    for path in files(series):
        content = path.read_bytes()
        assert as_bytes in content
        path.write_bytes(content.replace(as_bytes, spoilt))
    caplog.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            read_series(series)
        except AvnnetError as error:
            assert CANARY not in str(error)  # noqa: PT017
    assert capfd.readouterr().err == ""
    assert caplog.text == ""


@pytest.mark.parametrize("identity", ["", None])
def test_d39_a_patient_without_an_id_is_read(series, image, identity):
    edit_all(series, PatientID=identity)
    assert is_same(read_series(series), image)


@pytest.mark.parametrize(("letter", "side"), [("L", Side.LEFT), ("R", Side.RIGHT), ("B", None), ("", None)])
def test_d41_the_side_that_the_header_names_is_kept_for_a_comparison(series, letter, side):
    edit_all(series, Laterality=letter)
    assert read_series(series).source.laterality == side


def test_s05_no_text_of_a_person_is_in_any_message(series):
    names = ("PatientName", "PatientID", "SeriesDescription", "StudyID", "AccessionNumber", "InstitutionName")
    edit_all(series, **dict.fromkeys(names, CANARY[:12]))
    spoils = [
        {"ImagePositionPatient": None}, {"PixelSpacing": "1"}, {"Rows": 65535}, {"PixelData": b""},
        {"Modality": "PT"}, {"PhotometricInterpretation": "RGB"}, {"ImageType": ["A", "B", "LOCALIZER"]},
    ]  # fmt: skip
    hidden = series.rename(series.parent / CANARY)
    for path in files(hidden):
        path.rename(hidden / f"{CANARY}-{path.name}")
    for spoil in spoils:
        kept = {path: path.read_bytes() for path in files(hidden)}
        for one in files(hidden)[2:3] if "Rows" in spoil else files(hidden):
            edit(one, **spoil)
        with pytest.raises(AvnnetError) as caught:
            read_series(hidden)
        assert CANARY[:12] not in str(caught.value)
        for path, content in kept.items():
            path.write_bytes(content)
