"""Claims on real vendors' DICOM files; they lie beside the repository and are not part of it."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.pixels.utils import pixel_array

from avnnet.data.dicom import read_series, series_grid
from avnnet.data.files.sitk import from_sitk
from avnnet.errors import DuplicateSlices, MissingSlices, MixedSeries
from avnnet.image import Image

DICOM = Path(__file__).parents[3] / "shared" / "data" / "dicom"
WITH_REFERENCE = {
    "siemens_enhanced_mprage": "siemens_enhanced_mprage.reference.nii.gz",
    "siemens_jpeg_lossless_classic": "siemens_jpeg_lossless_classic.reference.nii.gz",
    **{f"vendors/{v}/series": f"vendors/{v}/001_ground_truth.nii.gz" for v in
       ("ge", "generic", "hitachi", "philips_enhanced", "siemens")},
}  # fmt: skip

pytestmark = pytest.mark.skipif(not DICOM.exists(), reason="no real DICOM series in ../shared/data/dicom")


def on_grid_of(reference: Image, image: Image) -> tuple[np.ndarray, float]:
    """The reference's values at the image's voxels, and how far from its own voxel centres these lie, in mm."""
    index = np.stack(np.meshgrid(*map(np.arange, image.grid.shape), indexing="ij"), -1).reshape(-1, 3)
    exact = reference.grid.to_index(image.grid.to_lps(index))
    whole = np.rint(exact).astype(int)
    assert sorted(reference.grid.shape) == sorted(image.grid.shape)
    assert (whole >= 0).all()
    off_mm = float(np.linalg.norm((exact - whole) * reference.grid.spacing, axis=1).max())
    return reference.array[tuple(whole.T)].reshape(image.grid.shape), off_mm


@pytest.mark.parametrize("name", WITH_REFERENCE)
def test_a_series_has_the_values_and_places_of_its_reference(name):
    image = read_series(DICOM / name)
    values, off_mm = on_grid_of(from_sitk(sitk.ReadImage(str(DICOM / WITH_REFERENCE[name]))), image)
    assert np.abs(values.astype(float) - image.array).max() <= 1e-4
    # the converter of this reference multiplies the first gap (rounded to 2.0001 mm) by 95; the next test has the truth
    assert off_mm <= (0.011 if "jpeg_lossless" in name else 1e-3)


@pytest.mark.parametrize("name", ["siemens_jpeg_lossless_classic", "philips_oblique_classic", "vendors/ge/series"])
def test_every_slice_lies_where_its_own_header_says(name):
    grid = series_grid(DICOM / name)
    said = [
        np.array(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient, float)
        for path in (DICOM / name).iterdir()
    ]
    ours = grid.to_lps(np.stack([np.arange(grid.shape[0]), *np.zeros((2, grid.shape[0]))], axis=1))
    nearest = np.linalg.norm(np.array(said)[:, None] - ours[None], axis=2).min(axis=1)
    assert len(said) == grid.shape[0]
    assert nearest.max() <= 1e-3


def test_two_decoders_agree_where_there_is_no_reference():
    folder = DICOM / "vendors" / "generic_jpegls" / "series"
    image = read_series(folder)
    for plugin in ("gdcm", "pyjpegls"):
        found = {pixel_array(path, decoding_plugin=plugin).tobytes() for path in folder.iterdir()}
        assert found == {one.astype(np.uint16).tobytes() for one in image.array}


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("sliceincrement", MissingSlices, "between slices 3 and 4 .* 10 mm, elsewhere 5 mm"),
        ("sliceorientation", MixedSeries, "none of 2 series"),
        ("notavolume", DuplicateSlices, "several lie at 61.5 mm"),
    ],
)
def test_a_broken_series_is_refused_by_name(name, error, words):
    for read in (read_series, series_grid):
        with pytest.raises(error, match=words):
            read(DICOM / "rejects" / name)
