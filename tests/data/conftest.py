"""A DICOM series on the disk, and ways to spoil it."""

import pydicom
import pytest

from avnnet.data.dicom import write_series


@pytest.fixture
def series(image, tmp_path):
    return write_series(image, tmp_path / "series", patient_id="p1")


def files(folder):
    return sorted(folder.iterdir())


def edited(path, **values):
    dataset = pydicom.dcmread(path)
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
