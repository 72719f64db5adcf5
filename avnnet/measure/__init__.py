"""Quantities of a label map, and of two of them: `LabelMap` to `DataFrame` with units in the column names."""

from avnnet.measure.comparison import compare
from avnnet.measure.head import MeasuredHead, measured_head
from avnnet.measure.lesion_types import Landmarks
from avnnet.measure.location import location_map
from avnnet.measure.quantities import Setting, quantities, quantity_columns
from avnnet.measure.rows import (
    agreement_rows,
    case_row,
    empty_row,
    measure,
    measurement_columns,
    measurement_row,
)
from avnnet.measure.volumes import volumes

__all__ = [
    "Landmarks",
    "MeasuredHead",
    "Setting",
    "agreement_rows",
    "case_row",
    "compare",
    "empty_row",
    "location_map",
    "measure",
    "measured_head",
    "measurement_columns",
    "measurement_row",
    "quantities",
    "quantity_columns",
    "volumes",
]
