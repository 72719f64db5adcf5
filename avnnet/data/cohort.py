"""The cohort table: one row per case, with its image, its manual mask and what is known of the patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avnnet.data.files import channel_files
from avnnet.decimals import Numbers, with_numbers
from avnnet.errors import DuplicateCase, InvalidCohort, MissingFile, UnreadableFile
from avnnet.labels import Side
from avnnet.spreadsheet import read_cells
from avnnet.tables import Sheet

REQUIRED = ["patient_id", "case_id", "image", "label"]
SECOND_LABEL = "second_label"
CENTRE = ["centre_x_mm", "centre_y_mm", "centre_z_mm"]
SAMPLE_WEIGHT = "sample_weight"
NUMBERS = ["age", *CENTRE, SAMPLE_WEIGHT]
DIGITAL_SOURCE = "digital hip"
CASE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Case:
    """One image with its manual mask.

    Args:
        patient_id: whose image it is; folds never divide a patient.
        case_id: names the case in tables and files.
        image: the image's files or DICOM folders, one per channel.
        label: path of the manual mask.
        side: body side, or None where the cohort does not say.
        arco_stage: ARCO stage as text, or empty.
        centre_mm: head centre, LPS mm `(x, y, z)`, or None.
        second_label: path of a second reader's mask, or None; only measured and compared, never learnt from.
        sample_weight: how often the loss counts a sample of the case; 1 where the cohort does not say.
    """

    patient_id: str
    case_id: str
    image: tuple[Path, ...]
    label: Path
    side: Side | None = None
    arco_stage: str = ""
    centre_mm: tuple[float, float, float] | None = None
    second_label: Path | None = None
    sample_weight: float = 1.0


class Cohort:
    """Cases with the table they came from.

    Args:
        table: a row per case; text ids as text, every column of the CSV.
        root: the folder that the table's paths are relative to.
        read_as: how its file is written, in words; empty for a plain one.

    Raises:
        InvalidCohort: if a column is missing, or a cell cannot be used.
        DuplicateCase: if a case id stands twice.
    """

    def __init__(self, table: pd.DataFrame, root: Path, read_as: str = "") -> None:
        missing = [name for name in REQUIRED if name not in table.columns]
        if missing:
            raise InvalidCohort(
                f"a cohort needs the columns {REQUIRED}; missing {missing}, found {list(table.columns)}"
            )
        if table.empty:
            raise InvalidCohort("the cohort has no rows; give one row per image")
        table = table.reset_index(drop=True).copy()
        if "arco_stage" not in table.columns:
            table["arco_stage"] = ""
        if "side" not in table.columns:
            table["side"] = ""
        # "A01" and "a01" would be one file on many disks
        repeated = table["case_id"][table["case_id"].astype(str).str.lower().duplicated()].unique().tolist()
        if repeated:
            raise DuplicateCase(
                "a case id must stand once in a cohort, two hips of a patient are two cases of one patient_id; "
                f"found {', '.join(map(str, repeated[:5]))} more than once",
                case_id=str(repeated[0]),
            )
        self.table, self.root, self.read_as = table, Path(root), read_as
        self.cases = [self._case(row) for row in table.to_dict("records")]
        table["side"] = [case.side or "" for case in self.cases]  # "L" and "Left" are left in all tables to come
        other = next((case for case in self.cases if len(case.image) != self.channels), None)
        if other is not None:
            raise InvalidCohort(
                f"all images of a cohort need the same channels; the first case has {self.channels}, this one "
                f"{len(other.image)}",
                case_id=other.case_id,
            )

    def _case(self, row: dict) -> Case:
        case_id = str(row["case_id"])
        if not CASE_ID.fullmatch(case_id):
            raise InvalidCohort(
                "a case id names files, so it is 1 to 64 letters, digits, '.', '_' or '-' and starts with a letter "
                f"or digit; found {case_id!r}",
                case_id=case_id,
            )
        empty = [name for name in REQUIRED if not str(row[name]).strip()]
        if empty:
            raise InvalidCohort(f"the columns {REQUIRED} must be filled; empty: {empty}", case_id=case_id)
        try:
            image = tuple(self.root / path for path in channel_files(str(row["image"])))
        except InvalidCohort as error:
            raise InvalidCohort(str(error), case_id=case_id) from error
        side = str(row["side"]).strip().lower()
        if side not in ("", "left", "right", "l", "r"):
            raise InvalidCohort(f"side is left, right or empty; found {row['side']!r}", case_id=case_id)
        given = row.get(SECOND_LABEL)
        second = "" if given is None or given != given else str(given).strip()
        centre = [float(row.get(name, np.nan)) for name in CENTRE]
        if np.isnan(centre).any() and not np.isnan(centre).all():
            raise InvalidCohort(f"{CENTRE} are all filled or all empty; found {centre}", case_id=case_id)
        weight = float(row.get(SAMPLE_WEIGHT, 1.0))
        if not 0 <= weight < np.inf:  # also where it is empty: a case is not to count once by chance
            raise InvalidCohort(
                f"{SAMPLE_WEIGHT} is a number from 0 on in every row (1 counts once, 0 never); found {weight}",
                case_id=case_id,
            )
        return Case(
            patient_id=str(row["patient_id"]),
            case_id=case_id,
            image=image,
            label=self.root / str(row["label"]),
            side={"l": Side.LEFT, "r": Side.RIGHT}.get(side[:1]),
            arco_stage=str(row["arco_stage"]).strip().upper(),
            centre_mm=None if np.isnan(centre).any() else (centre[0], centre[1], centre[2]),
            second_label=self.root / second if second else None,
            sample_weight=weight,
        )

    def __iter__(self) -> Iterator[Case]:
        return iter(self.cases)

    def __len__(self) -> int:
        return len(self.cases)

    def subset(self, case_ids: list[str]) -> list[Case]:
        """The cases with these ids, in the cohort's order.

        Raises:
            InvalidCohort: if an id is not in the cohort.

        Examples:
            >>> table = pd.DataFrame({"patient_id": [*"abc"], "case_id": [*"abc"]})
            >>> cohort = Cohort(table.assign(image="hip.nii.gz", label="mask.nii.gz"), Path("hips"))
            >>> [case.case_id for case in cohort.subset(["c", "a"])]
            ['a', 'c']
        """
        wanted = set(case_ids)
        unknown = sorted(wanted - {case.case_id for case in self.cases})
        if unknown:
            raise InvalidCohort(f"no such cases in the cohort: {unknown[:5]}")
        return [case for case in self.cases if case.case_id in wanted]

    @property
    def channels(self) -> int:
        """How many channels every image has."""
        return len(self.cases[0].image)

    @property
    def is_weighted(self) -> bool:
        """Whether the cases have weights for the loss, by the column `sample_weight`."""
        return SAMPLE_WEIGHT in self.table.columns

    @property
    def is_digital(self) -> bool:
        """Whether any case is a digital hip, by the column `source`: no report of it may pass for a clinical one."""
        return "source" in self.table.columns and bool((self.table["source"].astype(str) == DIGITAL_SOURCE).any())

    @property
    def carried(self) -> pd.DataFrame:
        """The table without paths and centres: what every result table carries along."""
        return self.table.drop(columns=["image", "label", SECOND_LABEL, *CENTRE], errors="ignore")


def read_cohort(path: str | Path) -> Cohort:
    """The cohort in a CSV file.

    Ids stay text ("007" is not 7, "NA" is not missing). Beside the required columns patient_id, case_id, image
    and label it may have side, arco_stage, age, sex, centre_x_mm, centre_y_mm, centre_z_mm, second_label (the mask
    of a second reader, where there is one) and sample_weight (how often the loss counts the case, filled in every row);
    further columns are carried along. Paths are relative to the CSV; an image is a file, or a folder of one DICOM
    series. An image of several channels is named by one path per channel with semicolons between them. What a
    spreadsheet writes is taken: semicolons or tabs between columns (a cell that holds semicolons then stands in
    quotes), decimal commas, byte-order marks, UTF-16.

    Raises:
        MissingFile: if there is no such file.
        InvalidCohort: if it is not a table, a column is missing, or a cell cannot be used.
        DuplicateCase: if a case id stands twice.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFile(
            f"no cohort table {path}; give a CSV with the columns {', '.join(REQUIRED)}, "
            "let avnnet cohort FOLDER write it, or make digital hips: avnnet phantom cohort OUT"
        )
    try:
        cells, layout = read_cells(path)
    except UnreadableFile as error:
        raise InvalidCohort(str(error)) from error
    words = cells.columns.intersection([*REQUIRED, SECOND_LABEL, "side", "arco_stage", "sex"])
    found = with_numbers(cells.drop(columns=words), is_english=layout.separator == ",")
    table = cells.copy()
    for name, column in found.table.items():
        table[name] = column
    for name in table.columns.intersection(NUMBERS):
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = _numbers(cells, str(name), found)
    sheet = Sheet(table, layout, found.decimals)
    return Cohort(table, path.parent, read_as="" if sheet.is_plain else f"{path.name}: {sheet}")


def _numbers(cells: pd.DataFrame, name: str, found: Numbers) -> pd.Series:
    """A column that must hold numbers, and is text as yet: codes such as 007 are numbers here."""
    filled = cells[name][~cells[name].str.strip().str.lower().isin(["", "nan"])]
    wrong = filled[pd.to_numeric(filled, errors="coerce").isna()]
    if name in found.unclear or len(wrong):
        row = wrong.index[0] if len(wrong) else filled.index[0]
        case_id = str(cells["case_id"].get(row, "")) if "case_id" in cells else ""
        why = found.unclear.get(name) or f"found {cells[name][row][:40]!r}"
        or_empty = "" if name == SAMPLE_WEIGHT else ", or empty"
        raise InvalidCohort(f"{name} must be a number{or_empty}; {why}", case_id=case_id)
    return pd.to_numeric(filled).reindex(cells.index).astype(float)
