"""A hip-like image as DICOM files, and ways to spoil them."""

import copy
import warnings

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage

from avnnet.data.dicom import write_series
from avnnet.grid import Grid
from avnnet.image import Image
from tests.data.conftest import files
from tests.inference.conftest import fixed_member  # noqa: F401  # a fixture

OBLIQUE = ((0.0, 0.6, 0.8), (0.0, 0.8, -0.6), (1.0, 0.0, 0.0))
GRID = Grid((8, 34, 40), (3.3, 0.7, 0.4), (-101.0, 22.2, 7.5), OBLIQUE)


@pytest.fixture
def image():
    values = np.random.default_rng(3).integers(0, 1800, GRID.shape)
    return Image(values.astype(np.int16), GRID)


@pytest.fixture
def series(image, tmp_path):
    """A folder with the files 0001.dcm to 0008.dcm."""
    return write_series(image, tmp_path / "series", patient_id="p1")


def edit(path, **values):
    """Writes a file anew with other values; None deletes one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is written is meant to be wrong
        dataset = pydicom.dcmread(path)
        for keyword, value in values.items():
            if value is not None:
                setattr(dataset, keyword, value)
            elif keyword in dataset:
                del dataset[keyword]
        dataset.save_as(path)


def edit_all(folder, **values):
    for path in files(folder):
        edit(path, **values)


def enhanced(folder, path):
    """The classic slices of a folder as one Enhanced MR file, in the order of their names, its folder deleted."""
    slices = [pydicom.dcmread(one) for one in files(folder)]
    whole = copy.deepcopy(slices[0])
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "EchoTime"):
        if keyword in whole:
            del whole[keyword]
    whole.SOPClassUID = whole.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    whole.NumberOfFrames = len(slices)
    whole.PixelData = b"".join(one.PixelData for one in slices)
    shared = Dataset()
    shared.PlaneOrientationSequence = Sequence([_group(slices[0], "ImageOrientationPatient")])
    shared.PixelMeasuresSequence = Sequence([_group(slices[0], "PixelSpacing")])
    whole.SharedFunctionalGroupsSequence = Sequence([shared])
    each = []
    for one in slices:
        frame = Dataset()
        frame.PlanePositionSequence = Sequence([_group(one, "ImagePositionPatient")])
        content = Dataset()
        content.StackID = "1"
        frame.FrameContentSequence = Sequence([content])
        each.append(frame)
    whole.PerFrameFunctionalGroupsSequence = Sequence(each)
    for old in files(folder):
        old.unlink()
    folder.rmdir()
    whole.save_as(path)
    return path


def _group(source, keyword):
    group = Dataset()
    group[keyword] = source[keyword]
    return group
