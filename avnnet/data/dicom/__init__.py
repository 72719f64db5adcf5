"""DICOM: which series are in a folder, one of them as an image, and an image as a classic series."""

from avnnet.data.dicom.attributes import ScanSettings
from avnnet.data.dicom.find import files_below, find_series
from avnnet.data.dicom.headers import is_dicom
from avnnet.data.dicom.read import check_complete, grid_of_series, read_series, series_grid, series_in
from avnnet.data.dicom.series import Found, Series, chosen
from avnnet.data.dicom.write import write_series

__all__ = [
    "Found", "ScanSettings", "Series", "check_complete", "chosen", "files_below", "find_series",
    "grid_of_series", "is_dicom", "read_series", "series_grid", "series_in", "write_series",
]  # fmt: skip
