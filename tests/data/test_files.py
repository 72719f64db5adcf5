import resource
from dataclasses import replace

import nibabel
import numpy as np
import pytest

from avnnet.data.dicom import write_series
from avnnet.data.files import WRITTEN_SUFFIXES, read_grid, read_image, read_labels, write_image
from avnnet.data.integrity import content_hash
from avnnet.errors import (
    AvnnetError,
    InvalidGeometry,
    InvalidLabelValues,
    MissingFile,
    NotAVolume,
    OutputNotWritable,
    UnreadableFile,
    UnsupportedDimensions,
    UnsupportedFormat,
)
from avnnet.flags import Flag
from avnnet.grid import Grid
from avnnet.image import Image, LabelMap

OBLIQUE = Grid(
    (4, 5, 6),
    (3.3, 0.7, 0.6),
    (11.0, -22.0, 33.0),
    ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0)),
)


@pytest.fixture
def image():
    return Image(np.arange(120, dtype=np.int16).reshape(OBLIQUE.shape), OBLIQUE)


@pytest.mark.parametrize("suffix", WRITTEN_SUFFIXES)
def test_every_format_gives_back_voxels_and_places(image, tmp_path, suffix):
    path = write_image(image, tmp_path / f"a{suffix}")
    back = read_image(path)
    assert np.array_equal(back.array, image.array)
    assert back.grid.is_close(OBLIQUE, tolerance_mm=1e-4)
    assert read_grid(path).is_close(OBLIQUE, tolerance_mm=1e-4)


def test_nibabel_reads_the_same_world_positions(image, tmp_path):
    nifti = nibabel.load(write_image(image, tmp_path / "a.nii.gz"))
    ras = nifti.affine @ [5, 2, 1, 1]
    assert np.allclose(ras[:3] * [-1, -1, 1], OBLIQUE.to_lps((1, 2, 5)), atol=1e-4)
    assert int(np.asarray(nifti.dataobj)[5, 2, 1]) == int(image.array[1, 2, 5])


def test_whole_numbers_stored_as_floats_are_label_ids(tmp_path):
    array = np.array([[[0.0, 1.0, 2.0]]], np.float32)
    path = write_image(Image(array, Grid((1, 1, 3))), tmp_path / "a.nrrd")
    assert read_labels(path).array.tolist() == [[[0, 1, 2]]]


def test_a_fraction_in_a_label_map_is_refused_with_its_value(tmp_path):
    path = write_image(Image(np.full((2, 2, 2), 0.5, np.float32), Grid((2, 2, 2))), tmp_path / "a.nrrd")
    with pytest.raises(InvalidLabelValues, match=r"0\.5"):
        read_labels(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFile, match=r"gone\.nii\.gz"):
        read_image(tmp_path / "gone.nii.gz")


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
    path = tmp_path / "a.npy"
    path.write_bytes(b"x")
    with pytest.raises(UnsupportedFormat, match="nrrd"):
        read_image(path)


@pytest.mark.parametrize("suffix", WRITTEN_SUFFIXES)
@pytest.mark.parametrize("keep", [0, 0.6, 0.99])
def test_a_truncated_file_is_unreadable(image, tmp_path, keep, suffix):
    path = write_image(image, tmp_path / f"a{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(UnreadableFile, match=f"a{suffix}"):
        read_image(path)


def test_a_damaged_compressed_file_is_never_read_as_another_image(image, tmp_path):
    path = write_image(image, tmp_path / "a.nii.gz")
    content = path.read_bytes()
    for position in range(20, len(content), 3):
        broken = bytearray(content)
        broken[position] ^= 16
        path.write_bytes(broken)
        try:
            assert np.array_equal(read_image(path).array, image.array)
        except AvnnetError:
            continue


def test_a_four_dimensional_file_is_refused_by_header_and_by_content(tmp_path):
    path = tmp_path / "a.nii.gz"
    nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.int16), np.eye(4)).to_filename(path)
    for read in (read_image, read_grid):
        with pytest.raises(UnsupportedDimensions):
            read(path)


def test_a_dicom_file_is_read_as_dicom(image, tmp_path):
    path = next(write_series(image, tmp_path / "series", patient_id="p1").iterdir())
    for read in (read_image, read_grid):
        with pytest.raises(NotAVolume):
            read(path)  # it has one slice only


@pytest.mark.parametrize("spacing_mm", [(30.0, 1.0, 1.0), (0.01, 1.0, 1.0)])
def test_what_could_not_be_read_again_is_not_written(tmp_path, spacing_mm):
    with pytest.raises(InvalidGeometry, match=r"a\.nii: voxels lie 0\.05 to 20 mm apart"):
        write_image(Image(np.zeros((2, 3, 4), np.uint8), Grid((2, 3, 4), spacing_mm)), tmp_path / "a.nii")
    assert list(tmp_path.iterdir()) == []


def test_channels_keep_what_is_flagged_of_any_of_them(image, tmp_path):
    leaning = np.array(OBLIQUE.direction)
    leaning[:, 0] += 2e-4 * leaning[:, 1]
    paths = [write_image(image, tmp_path / "a.nrrd")]
    paths.append(write_image(Image(image.array, replace(OBLIQUE, direction=leaning)), tmp_path / "b.nrrd"))
    assert read_image(paths).source.flags == (Flag.REPAIRED_DIRECTION,)


def test_writing_leaves_no_partial_file(image, tmp_path):
    write_image(image, tmp_path / "a.nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.nii.gz"]


def test_the_content_hash_depends_on_bytes_and_order_not_on_names(image, tmp_path):
    one = write_image(image, tmp_path / "a.nrrd")
    same = write_image(image, tmp_path / "b.nrrd")
    other = write_image(LabelMap(np.zeros((4, 5, 6), np.uint8), OBLIQUE), tmp_path / "c.nrrd")
    assert content_hash(one) == content_hash(same)
    assert content_hash(one, other) != content_hash(other, one)


@pytest.mark.parametrize("suffix", WRITTEN_SUFFIXES)
def test_a_file_that_does_not_fit_on_the_disk_is_an_error_and_leaves_nothing(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 30000, (20, 40, 40)).astype(np.int16)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))  # every write beyond it fails, as on a full disk
    try:
        with pytest.raises(OutputNotWritable, match="cannot write"):
            write_image(Image(noise, Grid(noise.shape)), tmp_path / f"a{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
