"""DICOM series: an image as a folder of slices, written and read in the plainest form."""

from avnnet.data.dicom.attributes import ScanSettings
from avnnet.data.dicom.read import read_series, series_grid, series_in
from avnnet.data.dicom.write import write_series

__all__ = ["ScanSettings", "read_series", "series_grid", "series_in", "write_series"]
