"""One hip in every format is one image, and its mask lies in one place in every axis order (rows M1, M9, M10)."""

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from avnnet.data.dicom import write_series
from avnnet.data.files import read_image, read_labels, write_image
from avnnet.data.integrity import image_hash
from avnnet.data.preprocess import Preprocess
from avnnet.grid import Grid
from avnnet.image import Image
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling
from avnnet.labels import HIP, Side
from tests.conftest import ORDERS, reordered
from tests.faults.conftest import enhanced, files
from tests.faults.test_dicom_geometry import is_same
from tests.faults.test_dicom_pixels import rewritten
from tests.inference.conftest import Threshold

FILES = [".nii.gz", ".nii", ".nrrd", ".mha"]
SYNTAXES = [RLELossless, JPEGLSLossless, JPEG2000Lossless, ExplicitVRBigEndian]


@pytest.mark.parametrize("suffix", FILES)
def test_an_image_file_is_the_same_image_as_the_series(series, image, tmp_path, suffix):
    found = read_image(write_image(read_image(series), tmp_path / f"hip{suffix}"))
    assert is_same(found, image)
    assert image_hash(found) == image_hash(image)


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda uid: uid.keyword)
def test_a_compressed_and_shuffled_series_is_the_same_image(series, image, syntax):
    for path in files(series):
        rewritten(path, syntax)
    for name, path in zip("dbgaechf", files(series), strict=True):
        path.rename(series / name)
    assert is_same(read_image(series), image)


def test_an_enhanced_file_is_the_same_image_by_its_file_and_by_its_folder(series, image, tmp_path):
    (tmp_path / "export").mkdir()
    path = enhanced(series, tmp_path / "export" / "IM0001")
    assert is_same(read_image(path), image)
    assert is_same(read_image(path.parent), image)


@pytest.mark.parametrize("suffix", [".img", ".IMG", ".dcm", ""])
def test_a_dicom_file_is_known_by_its_content_also_where_its_ending_is_that_of_a_pair(series, image, tmp_path, suffix):
    (tmp_path / "export").mkdir()
    assert is_same(read_image(enhanced(series, tmp_path / "export" / f"IM0001{suffix}")), image)


def hip() -> Image:
    """A bright head with a brighter place in it, seen by the oracle, among noise; every size and spacing differs."""
    grid = Grid((18, 26, 22), (2.6, 1.9, 2.2), (-110.0, -30.0, 12.0))
    array = np.random.default_rng(5).normal(0, 20, grid.shape)
    away = (np.indices(grid.shape) - np.array([8.6, 12.2, 10.9])[:, None, None, None]) * np.reshape(
        grid.spacing, (3, 1, 1, 1)
    )
    distance = np.linalg.norm(away, axis=0)
    array += np.where(distance < 15, 400, 0) + np.where((distance < 15) & (away[0] > 4) & (away[1] > 2), 400, 0)
    return Image(array.astype(np.int16), grid)


def turned(grid: Grid, angles_deg: tuple[float, float, float]) -> tuple[np.ndarray, Grid]:
    """A rotation about the world's axes, and the grid turned by it."""
    rotation = np.eye(3)
    for axis, angle in enumerate(np.deg2rad(angles_deg)):
        i, j = (axis + 1) % 3, (axis + 2) % 3
        one = np.eye(3)
        one[[i, j], [i, j]] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        rotation = one @ rotation
    origin, direction = rotation @ grid.origin, rotation @ np.asarray(grid.direction)
    return rotation, Grid(grid.shape, grid.spacing, tuple(origin), tuple(map(tuple, direction)))


@pytest.mark.parametrize("angles_deg", [(0.0, 0.0, 0.0), (11.0, -7.0, 17.0), (-20.0, 15.0, 4.0)])
@pytest.mark.parametrize("side", [Side.RIGHT, Side.LEFT])
def test_m1_the_mask_of_every_axis_order_and_flip_lies_in_the_same_place(tmp_path, angles_deg, side):
    rotation, grid = turned(hip().grid, angles_deg)
    scan = Image(hip().array, grid)
    centre_mm = tuple(rotation @ hip().grid.to_lps((8.6, 12.2, 10.9)))
    oracle = Member(Threshold(), Preprocess(hip().grid.spacing, [16, 22, 20]), Tiling([16, 22, 20]), "oracle")
    model = Segmenter([oracle], HIP)
    suffix = ".nrrd" if side is Side.LEFT else ".nii.gz"
    # NIfTI keeps the spacing in single precision: the first file is the measure of the others
    expected = model.predict(read_image(write_image(scan, tmp_path / f"first{suffix}")), side=side, centre_mm=centre_mm)
    assert {1, 2} <= set(np.unique(expected.labels.array))
    for order in ORDERS:
        path = write_image(reordered(scan, *order), tmp_path / f"scan{suffix}")
        found = model.predict(read_image(path), side=side, centre_mm=centre_mm)
        saved = read_labels(found.save(tmp_path / f"mask{suffix}"))
        there = reordered(expected.labels, *order)
        assert int((saved.array != there.array).sum()) == 0
        assert saved.grid.is_close(there.grid)
        volumes = found.volumes().iloc[0] / expected.volumes().iloc[0]
        assert volumes.to_numpy() == pytest.approx(1.0, abs=1e-9)


def test_a_series_keeps_the_place_of_a_hip_too(tmp_path):
    _, grid = turned(hip().grid, (11.0, -7.0, 17.0))
    scan = Image(hip().array, grid)
    assert is_same(read_image(write_series(scan, tmp_path / "series", patient_id="p")), scan)
