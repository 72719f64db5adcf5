"""Rows of the two result tables: what is known of a case, then what a reader's mask gives."""

from __future__ import annotations

import pandas as pd

from avnnet.columns import IDENTITY, check_columns
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.image import LabelMap
from avnnet.labels import HIP, Side
from avnnet.measure.comparison import compare
from avnnet.measure.quantities import Setting, quantities
from avnnet.measure.volumes import missing_structures, volumes

PREFERRED = {"sform": Flag.SFORM_PREFERRED, "qform": Flag.QFORM_PREFERRED}


def measure(labels: LabelMap, side: str = "", setting: Setting | None = None) -> pd.DataFrame:
    """One row: every quantity and flag of a hip, the volumes of another label scheme.

    Args:
        labels: the mask.
        side: "right", "left", or empty where it is not known.
        setting: as of `quantities`.

    Raises:
        InvalidConfig: if the side is another word, or the landmarks are not of this hip.
    """
    if labels.scheme != HIP:
        return volumes(labels).assign(flags=str(missing_structures(labels)))
    return quantities(labels, Side(side) if side else None, setting)


def measurement_row(
    case: pd.DataFrame, reader: str, labels: LabelMap, flags: Flags = NO_FLAGS, setting: Setting | None = None
) -> pd.DataFrame:
    """One row of measurements: the case's columns, the reader, all quantities with units, flags, and no error.

    A column of the case that has the name of a quantity is kept as `given_NAME`. Of a mask whose place was a choice
    between sform and qform, that is a flag.

    Args:
        case: one row with at least patient_id, case_id and side.
        reader: "manual", or the name of a network.
        labels: the reader's mask.
        flags: what else to look at.
        setting: as of `quantities`.
    """
    measured = measure(labels, str(case["side"].iloc[0]), setting)
    preferred = labels.source.preferred_transform
    flags |= Flags.read(str(measured["flags"].iloc[0]), (labels.scheme.whole, labels.scheme.part))
    flags |= [] if preferred is None else [PREFERRED[preferred]]
    check_columns(measured.columns, labels.scheme.volume_columns)
    measured = measured.drop(columns="flags")
    given = case.reset_index(drop=True).rename(columns={name: f"given_{name}" for name in measured.columns})
    table = pd.concat([given.assign(reader=reader), measured], axis=1)
    return table.assign(flags=str(flags), error="")


def failed_row(case: pd.DataFrame, reader: str, why: str) -> pd.DataFrame:
    """One row of measurements without volumes, and why.

    Args:
        case: one row with at least patient_id, case_id and side.
        reader: whose mask is missing.
        why: the error's name and words.
    """
    return case.reset_index(drop=True).assign(reader=reader, flags="", error=why)


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
    key = case[IDENTITY].iloc[[0] * len(both)].reset_index(drop=True)
    return pd.concat([key.assign(reader=reader), both], axis=1)
