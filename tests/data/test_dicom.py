"""DICOM series, written and read back, with SimpleITK's own series reader and pydicom as oracles."""

import itertools

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.uid import MRImageStorage

from avnnet.data.dicom import ScanSettings, write_series
from avnnet.data.files import read_grid, read_image
from avnnet.data.integrity import image_files_hash
from avnnet.errors import InvalidConfig, NonFiniteVoxels, OutputNotWritable, UnsupportedDimensions
from avnnet.grid import Grid
from avnnet.image import Image
from tests.data.conftest import edited, files

ANGLES = np.radians([21.0, -33.0, 12.0])


def turned(x, y, z):
    """The rotation matrix of three angles in radians."""
    turn_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    turn_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    turn_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    return np.array(turn_x) @ turn_y @ turn_z


AXIAL = np.eye(3)[:, ::-1]
CORONAL = np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])
DIRECTIONS = {"axial": AXIAL, "coronal": CORONAL, "oblique": turned(*ANGLES) @ AXIAL}
HANDED = list(itertools.product(DIRECTIONS, (False, True)))


def image_of(direction, *, left_handed=False, dtype=np.int16):
    columns = np.array(direction) * ([-1, 1, 1] if left_handed else 1)
    grid = Grid((5, 6, 7), (3.3, 0.7, 1 / 3), (-101.23456789, 22.2, 1 / 7), tuple(map(tuple, columns)))
    values = np.random.default_rng(4).integers(-900, 3000, grid.shape)
    return Image(values.astype(dtype), grid)


@pytest.fixture
def image():
    return image_of(DIRECTIONS["oblique"])


@pytest.mark.parametrize(("name", "left_handed"), HANDED)
def test_values_and_places_come_back(name, left_handed, tmp_path):
    image = image_of(DIRECTIONS[name], left_handed=left_handed)
    back = read_image(write_series(image, tmp_path / "s", patient_id="p1"))
    assert back.array.dtype == np.int16
    # DICOM slices run along their normal, so those of a left-handed grid come back reversed, each voxel in its place
    assert np.array_equal(back.array[::-1] if left_handed else back.array, image.array)
    for index in np.ndindex(5, 6, 7):
        own = (4 - index[0], *index[1:]) if left_handed else index
        assert np.allclose(back.grid.to_lps(index), image.grid.to_lps(own), rtol=0, atol=1e-9)
    assert read_grid(tmp_path / "s") == back.grid


@pytest.mark.parametrize(("name", "left_handed"), HANDED)
def test_the_series_reader_of_simpleitk_sees_the_same_image(name, left_handed, tmp_path):
    image = image_of(DIRECTIONS[name], left_handed=left_handed)
    folder = str(write_series(image, tmp_path / "s", patient_id="p1"))
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(folder))
    itk = reader.Execute()
    for z, y, x in np.ndindex(5, 6, 7):
        index = [round(number) for number in itk.TransformPhysicalPointToContinuousIndex(image.grid.to_lps((z, y, x)))]
        assert itk[index] == image.array[z, y, x]
        assert np.allclose(itk.TransformIndexToPhysicalPoint(index), image.grid.to_lps((z, y, x)), atol=1e-4)


def test_pydicom_reads_the_pixels_and_a_valid_header(image, tmp_path):
    scan = ScanSettings(tr_ms=1 / 3, te_ms=4.9, flip_deg=20, field_t=1.5, contrast_agent="gadoterate")
    folder = write_series(
        image, tmp_path / "s", patient_id="Müller-1", patient_sex="F", patient_age_years=62.9,
        series_description="T1 fat", series_number=3, laterality="L", scan=scan,
    )  # fmt: skip
    with pydicom.config.strict_reading():
        slices = [pydicom.dcmread(path) for path in files(folder)]
        for one in slices:
            one.decode()
    assert np.array_equal([one.pixel_array for one in slices], image.array)
    first = slices[0]
    assert first.SOPClassUID == first.file_meta.MediaStorageSOPClassUID == MRImageStorage
    assert (first.PatientID, first.PatientSex, first.PatientAge, first.Laterality) == ("Müller-1", "F", "062Y", "L")
    assert (first.SeriesNumber, first.SeriesDescription, first.ContrastBolusAgent) == (3, "T1 fat", "gadoterate")
    assert (first.ScanningSequence, first.SequenceVariant, first.EchoTime, first.FlipAngle) == ("GR", "SP", 4.9, 20)
    assert [one.InstanceNumber for one in slices] == [1, 2, 3, 4, 5]
    assert len({one.SOPInstanceUID for one in slices}) == 5
    for one, keyword in itertools.product(slices, ["StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"]):
        assert one[keyword].value == first[keyword].value
        assert one[keyword].value.is_valid
    values = [
        value for one in slices for element in one if element.VR == "DS" for value in np.atleast_1d(element.value)
    ]
    assert all(len(str(value)) <= 16 for value in values)
    assert "RescaleSlope" not in first
    # type 2 attributes are there though nothing is known of them
    empty = "PatientName PatientBirthDate StudyDate StudyTime ReferringPhysicianName AccessionNumber PatientPosition"
    assert [first[keyword].is_empty for keyword in empty.split()] == [True] * 7


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int8, np.int16, np.int32, np.float32, bool])
def test_whole_numbers_of_16_bits_are_stored_as_they_are(dtype, image, tmp_path):
    whole = Image((image.array % 120).astype(dtype), image.grid)
    folder = write_series(whole, tmp_path / "s", patient_id="p1")
    assert np.array_equal(read_image(folder).array, whole.array)
    assert "RescaleSlope" not in pydicom.dcmread(files(folder)[0])


@pytest.mark.parametrize("scale", [1e-7, 0.37, 1e5])
def test_other_numbers_are_rescaled_to_half_a_step(scale, image, tmp_path):
    array = (image.array * scale + 0.123).astype(np.float64)
    folder = write_series(Image(array, image.grid), tmp_path / "s", patient_id="p1")
    back = read_image(folder).array
    assert np.abs(back - array).max() <= 0.51 * np.ptp(array) / 65535
    stored = [pydicom.dcmread(path) for path in files(folder)]
    assert np.allclose(back, [pydicom.pixels.apply_rescale(one.pixel_array, one) for one in stored], rtol=1e-12)


def test_a_constant_fraction_comes_back(image, tmp_path):
    folder = write_series(Image(np.full((5, 6, 7), 0.25), image.grid), tmp_path / "s", patient_id="p1")
    assert (read_image(folder).array == 0.25).all()


def test_each_slice_is_rescaled_by_its_own_numbers(series, image):
    edited(files(series)[2], RescaleSlope="0.5", RescaleIntercept="10")
    expected = image.array.astype(float)
    expected[2] = expected[2] * 0.5 + 10
    assert np.array_equal(read_image(series).array, expected)


def test_the_same_call_gives_the_same_bytes_and_another_call_other_uids(image, series, tmp_path):
    again = write_series(image, tmp_path / "again", patient_id="p1")
    assert [path.read_bytes() for path in files(again)] == [path.read_bytes() for path in files(series)]
    brighter = Image(image.array + np.int16(1), image.grid)
    calls = [(image, {}), (brighter, {}), (image, {"series_number": 2}), (image, {"scan": ScanSettings(te_ms=3)})]
    calls += [(image, {"patient_id": "p2"}), (image, {"study_id": "2"})]
    found = []
    for number, (one, words) in enumerate(calls):
        folder = write_series(one, tmp_path / str(number), **{"patient_id": "p1", **words})
        found.append(pydicom.dcmread(files(folder)[0]))
    assert len({one.SeriesInstanceUID for one in found}) == len({one.SOPInstanceUID for one in found}) == 6
    assert [one.StudyInstanceUID == found[0].StudyInstanceUID for one in found] == [True] * 4 + [False] * 2
    assert [one.FrameOfReferenceUID == found[0].FrameOfReferenceUID for one in found] == [True] * 4 + [False] * 2


def test_a_folder_with_files_is_not_written_over_and_an_empty_one_is_filled(image, series, tmp_path):
    before = image_files_hash(series)
    with pytest.raises(OutputNotWritable, match="there already"):
        write_series(image, series, patient_id="p2")
    assert image_files_hash(series) == before
    (tmp_path / "empty").mkdir()
    assert len(files(write_series(image, tmp_path / "empty", patient_id="p1"))) == 5


def test_a_write_that_fails_leaves_no_folder(image, tmp_path, monkeypatch):
    saved = []

    def full(dataset, path, **words):
        saved.append(path)
        path.write_bytes(b"x")
        if len(saved) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pydicom.Dataset, "save_as", full)
    with pytest.raises(OutputNotWritable, match="No space left"):
        write_series(image, tmp_path / "s", patient_id="p1")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused(image, tmp_path):
    channels = Image(np.stack([image.array, image.array]), image.grid)
    with pytest.raises(UnsupportedDimensions, match="one channel"):
        write_series(channels, tmp_path / "s", patient_id="p1")
    with pytest.raises(NonFiniteVoxels):
        write_series(Image(np.full((5, 6, 7), np.nan), image.grid), tmp_path / "s", patient_id="p1")
    wrong = [{"patient_id": " "}, {"patient_sex": "X"}, {"laterality": "B"}, {"patient_age_years": float("nan")}]
    wrong += [{"series_description": "a\\b"}, {"series_number": -1}, {"study_id": "1" * 17}]
    for words in wrong:
        with pytest.raises(InvalidConfig, match=next(iter(words))):
            write_series(image, tmp_path / "s", **{"patient_id": "p1", **words})
    for scan in ({"te_ms": 0.0}, {"scanning_sequence": "XX"}, {"sequence_variant": ""}, {"acquisition": "4D"}):
        with pytest.raises(InvalidConfig, match=next(iter(scan))):
            ScanSettings(**scan)
    assert list(tmp_path.iterdir()) == []
