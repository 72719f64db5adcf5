"""Rows of the two result tables, whoever writes them: whose hip, which reader, what was measured, what to look at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from avnnet.columns import IDENTITY, IGNORED_VOLUME, check_columns
from avnnet.flags import NO_FLAGS, Flag, Flags
from avnnet.grid import MM3_PER_CM3
from avnnet.image import LabelMap
from avnnet.labels import HIP, LabelScheme, Side
from avnnet.measure.comparison import compare
from avnnet.measure.quantities import Setting, quantities, quantity_columns
from avnnet.measure.volumes import missing_structures, volumes

PREFERRED = {"sform": Flag.SFORM_PREFERRED, "qform": Flag.QFORM_PREFERRED}


def measure(labels: LabelMap, side: Side | str | None = None, setting: Setting | None = None) -> pd.DataFrame:
    """One row: every quantity and flag of a hip, the volumes of another label scheme.

    Args:
        labels: the mask.
        side: "right" or "left"; None where it is not known.
        setting: as of `quantities`.

    Raises:
        InvalidConfig: if the side is another word, or the landmarks are not of this hip.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> nothing = LabelMap(np.zeros((4, 4, 4), np.uint8), Grid((4, 4, 4)))
        >>> measure(nothing)[["head_cm3", "flags"]].values.tolist()
        [[0.0, 'no_head']]
    """
    if labels.scheme != HIP:
        return volumes(labels).assign(flags=str(missing_structures(labels)))
    return quantities(labels, None if side is None else Side(side), setting)


def case_row(case_id: str, side: Side | None = None, patient_id: str = "") -> pd.DataFrame:
    """One row: whose hip it is. Where nobody says who the patient is, the case counts as one of its own.

    Args:
        case_id: of the image or mask.
        side: of the body, if it is known.
        patient_id: whose, if it is known.

    Examples:
        >>> case_row("hip-07", Side.LEFT).to_dict("records")
        [{'patient_id': 'hip-07', 'case_id': 'hip-07', 'side': 'left'}]
    """
    words = [patient_id or case_id, case_id, "" if side is None else str(side)]
    return pd.DataFrame([words], columns=IDENTITY)


def measurement_columns(scheme: LabelScheme) -> list[str]:
    """The columns of measurements, where a case has its key alone.

    Args:
        scheme: names of the label ids.

    Examples:
        >>> measurement_columns(HIP)[:5], measurement_columns(HIP)[-2:]
        (['patient_id', 'case_id', 'side', 'reader', 'vital_cm3'], ['flags', 'error'])
    """
    measured = quantity_columns() if scheme == HIP else scheme.volume_columns
    return [*IDENTITY, "reader", *measured, "flags", "error"]


def measurement_row(
    case: pd.DataFrame, reader: str, labels: LabelMap, flags: Flags = NO_FLAGS, setting: Setting | None = None
) -> pd.DataFrame:
    """One row of measurements: the case's columns, the reader, all quantities with units, flags, and no error.

    A column of the case that has the name of a quantity is kept as `given_NAME`. Of a mask whose place was a choice
    between sform and qform, that is a flag. Of one with ignored voxels that is a flag too, and `ignored_cm3` is their
    volume.

    Args:
        case: one row with at least patient_id, case_id and side: of a cohort, or what `case_row` gives.
        reader: a name of `avnnet.readers`, or that of a network.
        labels: the reader's mask.
        flags: what else to look at.
        setting: as of `quantities`.

    Raises:
        UnknownColumn: if something was measured that the list of quantities lacks.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> labels = LabelMap(np.array([[[0, 1, 1, 2]]]), Grid((1, 1, 4), (10.0, 10.0, 10.0)))
        >>> row = measurement_row(case_row("hip-07", Side.LEFT), "manual", labels)
        >>> row[["case_id", "reader", "head_cm3", "error"]].values.tolist()
        [['hip-07', 'manual', 3.0, '']]
    """
    side = str(case["side"].iloc[0])
    measured = measure(labels, side or None, setting)
    check_columns(measured.columns, labels.scheme.volume_columns)
    preferred = labels.source.preferred_transform
    flags |= Flags.read(str(measured["flags"].iloc[0]), (labels.scheme.whole, labels.scheme.part))
    flags |= [] if preferred is None else [PREFERRED[preferred]]
    measured = measured.drop(columns="flags")
    if labels.ignored is not None:
        flags |= [Flag.PARTLY_IGNORED]
        count = int(np.count_nonzero(labels.ignored))
        measured[IGNORED_VOLUME] = count * labels.grid.voxel_mm3 / MM3_PER_CM3
    given = case.reset_index(drop=True).rename(columns={name: f"given_{name}" for name in measured.columns})
    table = pd.concat([given.assign(reader=reader), measured], axis=1)
    return table.assign(flags=str(flags), error="")


def empty_row(case: pd.DataFrame, reader: str, *, flags: Flags = NO_FLAGS, error: str = "") -> pd.DataFrame:
    """One row of measurements without numbers: of a case that failed, or a hip in which no head was found.

    Args:
        case: as of `measurement_row`.
        reader: whose mask is missing.
        flags: what to look at.
        error: the error's name and words, if there was one.

    Examples:
        >>> empty_row(case_row("hip-07"), "ensemble", flags=Flags([Flag.HEAD_NOT_FOUND])).iloc[0].tolist()
        ['hip-07', 'hip-07', '', 'ensemble', 'head_not_found', '']
    """
    return case.reset_index(drop=True).assign(reader=reader, flags=str(flags), error=error)


def agreement_rows(case: pd.DataFrame, reader: str, manual: LabelMap, automatic: LabelMap) -> pd.DataFrame:
    """One row of agreement per structure: the case's key, the reader, and what `compare` gives.

    Args:
        case: as of `measurement_row`.
        reader: the name of the automatic reader.
        manual: the manual mask.
        automatic: the reader's mask on the same grid.

    Raises:
        GeometryMismatch, InvalidScheme: as `compare`.

    Examples:
        >>> import numpy as np
        >>> from avnnet.grid import Grid
        >>> labels = LabelMap(np.array([[[0, 1, 1, 2]]]), Grid((1, 1, 4)))
        >>> agreement_rows(case_row("hip-07"), "unet3d", labels, labels)[["label", "dice"]].values.tolist()
        [['vital', 1.0], ['necrosis', 1.0], ['head', 1.0]]
    """
    both = compare(manual, automatic)
    key = case[IDENTITY].iloc[[0] * len(both)].reset_index(drop=True)
    return pd.concat([key.assign(reader=reader), both], axis=1)
