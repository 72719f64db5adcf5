"""Rows of the two result tables: what is known of a case, then what a reader's mask gives."""

from __future__ import annotations

import pandas as pd

from avnnet.image import LabelMap
from avnnet.measure.comparison import compare
from avnnet.measure.volumes import volumes

KEY = ["patient_id", "case_id", "side"]


def measurement_row(case: pd.DataFrame, reader: str, labels: LabelMap, flags: str = "") -> pd.DataFrame:
    """One row of measurements: the case's columns, the reader, volumes with units, flags, and no error.

    Args:
        case: one row with at least patient_id, case_id and side.
        reader: "manual", or the name of a network.
        labels: the reader's mask.
        flags: what to look at, words with blanks between.
    """
    table = pd.concat([case.reset_index(drop=True).assign(reader=reader), volumes(labels)], axis=1)
    return table.assign(flags=flags, error="")


def failed_row(case: pd.DataFrame, reader: str, error: Exception) -> pd.DataFrame:
    """One row of measurements without volumes, with the error's name and words.

    Args:
        case: one row with at least patient_id, case_id and side.
        reader: whose mask is missing.
        error: why.
    """
    return case.reset_index(drop=True).assign(reader=reader, flags="", error=f"{type(error).__name__}: {error}")


def agreement_rows(case: pd.DataFrame, reader: str, manual: LabelMap, automatic: LabelMap) -> pd.DataFrame:
    """One row of agreement per structure: the case's key, the reader, and what `compare` gives.

    Args:
        case: one row with at least patient_id, case_id and side.
        reader: the name of the automatic reader.
        manual: the manual mask.
        automatic: the reader's mask on the same grid.

    Raises:
        GeometryMismatch, InvalidScheme: as `compare`.
    """
    both = compare(manual, automatic)
    key = case[KEY].iloc[[0] * len(both)].reset_index(drop=True)
    return pd.concat([key.assign(reader=reader), both], axis=1)
