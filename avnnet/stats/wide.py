"""A table with one row per case and a column per reader, as people keep it, made long."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import pandas as pd

from avnnet.columns import STAGE
from avnnet.errors import StatisticsError
from avnnet.readers import AUTOMATIC, MANUAL
from avnnet.stats.pairs import numbers, text

PLAIN = {
    "cm3": "volume_cm3", "mm3": "volume_mm3", "percent": "share_percent", "mm": "distance_mm", "mm2": "area_mm2",
    "cm2": "area_cm2", "deg": "angle_deg",
}  # fmt: skip
"""What a quantity is called of which nothing but its unit is known."""
UNITS = {
    "cm3": "cm3", "cm^3": "cm3", "ccm": "cm3", "cc": "cm3", "ml": "cm3", "mm3": "mm3", "mm^3": "mm3", "%": "percent",
    "percent": "percent", "prozent": "percent", "mm": "mm", "mm2": "mm2", "cm2": "cm2", "°": "deg", "deg": "deg",
}  # fmt: skip
"""Units as people write them, and as avnnet does: a millilitre is a cubic centimetre."""


def column_called(asked: str, names: Iterable[str]) -> str:
    """The column that is meant: of that name, or of the only one that differs by case, blanks or a raised ³.

    Args:
        asked: a name.
        names: of the columns.

    Raises:
        StatisticsError: if there is none, or more than one.

    Examples:
        >>> column_called("Manual (cm3)", ["Patient", "manual (cm³)"])
        'manual (cm³)'
    """
    names = list(names)
    if asked in names:
        return asked
    found = [name for name in names if _folded(name) == _folded(asked)]
    if len(found) != 1:
        which = f"{found} are alike" if found else f"it has {names}"
        raise StatisticsError(f"the table has no column {asked!r}; {which}. Give the name as it stands in the table")
    return found[0]


def quantity_name(manual: str, automatic: str) -> str:
    """What two readers' columns are of: the words that both names share, and their unit.

    Without a unit and without shared words it is the first name as given.

    Args:
        manual: name of one column.
        automatic: name of the other.

    Raises:
        StatisticsError: if the units differ.

    Examples:
        >>> quantity_name("manual (cm³)", "auto (ml)"), quantity_name("Necrosis manual [%]", "Necrosis AI [%]")
        ('volume_cm3', 'Necrosis_percent')
        >>> quantity_name("head_cm3_manual", "head_cm3_auto"), quantity_name("reader A", "network")
        ('head_cm3', 'reader_A')
    """
    (first, unit), (second, other) = _parts(manual), _parts(automatic)
    if unit != other:
        raise StatisticsError(
            f"{manual!r} has the unit {unit or 'none'}, {automatic!r} {other or 'none'}; convert and name both alike"
        )
    words = [re.split(r"[\W_]+", name.strip()) for name in (first, second)]
    shared = [word for word in words[0] if word and word.casefold() in map(str.casefold, words[1])]
    if unit and shared:
        return "_".join([*shared, unit])
    named = "_".join(shared or filter(None, words[0]))
    return PLAIN[unit] if unit else named or "value"


def check_apart(manual: str, automatic: str, patient: str = "") -> None:
    """Refuses one column for two things.

    Args:
        manual: the column of the reference.
        automatic: the column that is held against it.
        patient: the column of the patients, if there is one.

    Raises:
        StatisticsError: if two are the same.
    """
    taken = [name for name in (manual, automatic, patient) if name]
    if len(set(taken)) < len(taken):
        raise StatisticsError(
            f"reference, automatic values and patients each have a column of their own; found {taken}"
        )


def long_of_wide(
    table: pd.DataFrame, manual: str, automatic: str, *, patient: str = "", value: str = ""
) -> pd.DataFrame:
    """A row per case and reader of a table with a row per case: two columns become the readers manual and automatic.

    Beside them only `case_id`, `side` and `arco_stage` are kept; what else a table of patients holds goes nowhere.

    Args:
        table: with a column of numbers for each reader; its index counts rows from 0.
        manual: the column of the reference.
        automatic: the column that is held against it.
        patient: the column of the patients; empty takes `patient_id`, and where there is none each row is a patient.
        value: what the numbers are to be called; empty takes `quantity_name`.

    Raises:
        StatisticsError: if a column is absent, taken twice, or holds no numbers, a patient is not named, or the units
            differ.

    Examples:
        >>> wide = pd.DataFrame({"Patient": ["P1", "P1"], "side": ["left", "right"], "manual (ml)": [10.2, 3.1],
        ...     "auto (ml)": [9.8, 3.9]})
        >>> print(long_of_wide(wide, "manual (ml)", "auto (ml)", patient="Patient").to_string(index=False))
        patient_id case_id  side    reader  volume_cm3
                P1   row-2  left    manual        10.2
                P1   row-3 right    manual         3.1
                P1   row-2  left automatic         9.8
                P1   row-3 right automatic         3.9
    """
    check_apart(manual, automatic, patient)
    missing = [name for name in (manual, automatic, patient) if name and name not in table]
    if missing:
        raise StatisticsError(f"the table has no column {missing}; it has {list(table.columns)}")
    value = value or quantity_name(manual, automatic)
    spreadsheet_rows = pd.Series([f"row-{n + 2}" for n in table.index], index=table.index)
    case = table["case_id"].map(text) if "case_id" in table else spreadsheet_rows
    patient = patient or ("patient_id" if "patient_id" in table else "")
    who = table[patient].map(text) if patient else case
    if (who == "").any():
        raise StatisticsError(
            f"column {patient!r} is empty in {spreadsheet_rows[who == ''].iloc[0]}: two hips of one patient are not "
            "independent, so every row must name its patient"
        )
    kept = table[[name for name in ("side", STAGE) if name in table]]
    front = pd.concat([who.rename("patient_id"), case.rename("case_id"), kept], axis=1)
    parts = [
        front.assign(reader=reader).assign(**{value: numbers(table, name)})
        for reader, name in ((MANUAL, manual), (AUTOMATIC, automatic))
    ]
    return pd.concat(parts, ignore_index=True)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _parts(name: str) -> tuple[str, str]:
    """A column's name without its unit, and the unit as avnnet writes it."""
    plain = " ".join(unicodedata.normalize("NFKC", name).split())
    words = re.split(r"[\s_,;:()\[\]]+", plain)
    for n, word in enumerate(words):
        unit = UNITS.get(word.casefold())
        if unit and n:
            return " ".join(words[:n] + words[n + 1 :]), unit
    return plain, ""
