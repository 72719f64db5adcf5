"""Pairs of readers joined by case, and one value per patient: the ground that every statistic stands on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from avnnet.columns import IDENTITY
from avnnet.errors import StatisticsError

KEY = IDENTITY[1:]
"""Finds a hip: a case has a row per side, and belongs to one patient."""
CONSTANT_TOLERANCE = 1e-12  # differences of equal numbers are rounding errors of this size, not a spread
CONFIDENCE = 0.95


def text(value: object) -> str:
    """A table cell as stripped text, empty where the cell is missing.

    Examples:
        >>> [text(cell) for cell in (" left ", 3, float("nan"), None)]
        ['left', '3', '', '']
    """
    return "" if value is None or value is pd.NA or value != value else str(value).strip()


def tidy(table: pd.DataFrame, columns: Iterable[str] = ()) -> pd.DataFrame:
    """A copy of a long table with text keys, known columns and one row per case, side, reader and label.

    Args:
        table: measurements or agreement; `side` may be absent or empty.
        columns: further columns that must be there.

    Raises:
        StatisticsError: if a column is absent, a patient is not named, or a row stands twice.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [7], "case_id": [" h1 "], "reader": ["manual"], "head_cm3": [50.0]})
        >>> tidy(table, ["head_cm3"])[["patient_id", "case_id", "side"]].values.tolist()
        [['7', 'h1', '']]
    """
    needed = ["patient_id", "case_id", "reader", *columns]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise StatisticsError(f"the table has no column {missing}; it has {list(table.columns)}")
    frame = table.reset_index(drop=True)
    if "side" not in frame.columns:
        frame["side"] = ""
    for name in [*IDENTITY, "reader"]:
        frame[name] = frame[name].map(text).astype(object)
    nameless = frame.index[frame["patient_id"] == ""].tolist()
    if nameless:
        raise StatisticsError(
            f"patient_id is empty in {len(nameless)} rows, first in row {nameless[0]}: two hips of one "
            "patient are not independent, so every row must name its patient; repeat case_id if each is one"
        )
    key = [*KEY, "reader", *(["label"] if "label" in frame.columns else [])]
    twice = frame[frame.duplicated(key)]
    if len(twice):
        raise StatisticsError(
            f"{len(twice)} rows repeat {' x '.join(key)}, first {twice.iloc[0][key].tolist()}; keep one row for each"
        )
    return frame


def numbers(frame: pd.DataFrame, value: str) -> pd.Series:
    """A column of a table as floats.

    Args:
        frame: the table.
        value: name of the column.

    Raises:
        StatisticsError: if the column is absent or holds text.

    Examples:
        >>> numbers(pd.DataFrame({"head_cm3": ["50", "48.5"]}), "head_cm3").tolist()
        [50.0, 48.5]
    """
    if value not in frame.columns:
        raise StatisticsError(f"the table has no column {value!r}; it has {list(frame.columns)}")
    try:
        return pd.to_numeric(frame[value]).astype(float)
    except (TypeError, ValueError) as error:
        kind = frame[value].dtype
        raise StatisticsError(f"column {value!r} must hold numbers; found {kind} ({error})") from error


def rows_of(frame: pd.DataFrame, reader: str) -> pd.DataFrame:
    """The rows of one reader.

    Args:
        frame: a table with the column reader.
        reader: whose rows.

    Raises:
        StatisticsError: if the table has no such reader.

    Examples:
        >>> table = pd.DataFrame({"reader": ["manual", "unet3d"], "head_cm3": [50.0, 48.0]})
        >>> rows_of(table, "unet3d")["head_cm3"].tolist()
        [48.0]
    """
    rows = frame[frame["reader"] == reader]
    if rows.empty:
        present = frame["reader"].unique().tolist()
        alone = "; avnnet evaluate writes rows of manual masks beside the networks'" if len(present) == 1 else ""
        raise StatisticsError(f"no reader {reader!r} in the table; it has {present}{alone}")
    return rows


def pairs(table: pd.DataFrame, value: str, first: str, second: str) -> tuple[pd.DataFrame, int]:
    """The values of two readers joined by case and side, and how many cases could not be paired.

    A case is left out, and counted, where either reader has no finite value for it: it failed, it was not
    read, or the quantity is undefined there.

    Args:
        table: a long table with one row per case, side and reader.
        value: the column to compare.
        first: one reader; becomes column `first`.
        second: the other reader; becomes column `second`.

    Returns:
        A table with patient_id, case_id, side, first and second in the order of the keys, and the left-out
        count.

    Raises:
        StatisticsError: if a column or reader is absent, a row stands twice, or a case changes its patient.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abab"], "case_id": [*"abab"],
        ...     "reader": ["manual"] * 2 + ["unet3d"] * 2, "head_cm3": [50.0, 40.0, 48.0, np.nan]})
        >>> paired, left_out = pairs(table, "head_cm3", "manual", "unet3d")
        >>> paired[["case_id", "first", "second"]].values.tolist(), left_out
        ([['a', 50.0, 48.0]], 1)
    """
    if first == second:
        raise StatisticsError(f"two different readers are needed; found {first!r} twice")
    frame = tidy(table, [value])
    sides = []
    for name, reader in (("first", first), ("second", second)):
        rows = rows_of(frame, reader)
        sides.append(rows[IDENTITY].assign(**{name: numbers(rows, value)}))
    joined = sides[0].merge(sides[1], on=KEY, how="outer", suffixes=("", "_second"), sort=True)
    both = joined[np.isfinite(joined["first"]) & np.isfinite(joined["second"])]
    changed = both[both["patient_id"] != both["patient_id_second"]]
    if len(changed):
        row = changed.iloc[0]
        raise StatisticsError(
            f"case {row['case_id']} belongs to patient {row['patient_id']!r} for {first} and to "
            f"{row['patient_id_second']!r} for {second}; give both the same patient_id"
        )
    return both[[*IDENTITY, "first", "second"]].reset_index(drop=True), len(joined) - len(both)


def patient_means(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per patient: the mean of each column over the patient's hips.

    Two hips of one patient are not independent, so a test that counted hips would claim more than it knows.

    Args:
        frame: one row per hip, with patient_id.
        columns: to take the mean of.

    Examples:
        >>> hips = pd.DataFrame({"patient_id": ["a", "a", "b"], "dice": [0.8, 0.9, 0.7]})
        >>> patient_means(hips, ["dice"])["dice"].round(2).to_dict()
        {'a': 0.85, 'b': 0.7}
    """
    return frame.groupby("patient_id", sort=True)[columns].mean()


def is_constant(values: np.ndarray, *, scale: float = 0.0) -> bool:
    """Whether the values differ by rounding errors only.

    Args:
        values: numbers.
        scale: size of the numbers that they were computed from, where that is larger than their own.

    Examples:
        >>> is_constant(np.array([0.1 + 0.2, 0.3])), is_constant(np.array([0.3, 0.31]))
        (True, False)
    """
    size = max(scale, float(np.abs(values).max())) if len(values) else 0.0
    return len(values) == 0 or float(np.ptp(values)) <= CONSTANT_TOLERANCE * size
