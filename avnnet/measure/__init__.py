"""Quantities of a label map, and of two of them: `LabelMap` to `DataFrame` with units in the column names."""

from avnnet.measure.comparison import compare
from avnnet.measure.rows import agreement_rows, failed_row, measurement_row
from avnnet.measure.volumes import volumes

__all__ = ["agreement_rows", "compare", "failed_row", "measurement_row", "volumes"]
