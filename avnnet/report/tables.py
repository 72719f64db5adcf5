"""A study's folder of tables: read, computed and written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from avnnet.atomic import write_text_atomically
from avnnet.columns import GRADE_COLUMNS
from avnnet.errors import InvalidConfig, MissingFile, StatisticsError
from avnnet.labels import LabelScheme
from avnnet.readers import MANUAL, humans, is_human
from avnnet.record import StudyRecord
from avnnet.report.formats import as_latex, as_markdown
from avnnet.report.model_card import COSTS
from avnnet.report.results import write_results
from avnnet.report.study_words import study_rows
from avnnet.stats import Question, all_statistics, best_reader, cleaning_table, fast_table, locator_table, study_table
from avnnet.stats.bootstrap import DRAWS
from avnnet.tables import read_table, write_table

TRAINING, LOCATED_CENTRES, WEIGHED = "training.csv", "located.csv", "cleaning_weighed.csv"
STUDY_TABLE = "study_table"


@dataclass(frozen=True, eq=False)
class StudyTables:
    """The two result tables of a study and what is known about how they came about.

    Args:
        measurements: one row per case and reader, with the columns `values`.
        agreement: one row per case, reader and label; empty where no masks were compared.
        record: what is known of how they came about.
        training: loss and validation Dice, one row per network, fold and epoch; None without a training.
        located: where a locator found the heads, one row per case; None without one.
        weighed: what ways of cleaning masks would do to their Dice; None if they were not weighed.
        costs: what a network of each configuration costs; None without a model.
    """

    measurements: pd.DataFrame
    agreement: pd.DataFrame
    record: StudyRecord
    training: pd.DataFrame | None = None
    located: pd.DataFrame | None = None
    weighed: pd.DataFrame | None = None
    costs: pd.DataFrame | None = None

    @property
    def scheme(self) -> LabelScheme | None:
        """The label scheme; None for a table that is not of masks."""
        return self.record.scheme

    def cases(self) -> pd.DataFrame:
        """One row per case: its manual one where there is one."""
        side = [] if "side" not in self.measurements.columns else ["side"]
        first = self.measurements.assign(_late=self.measurements["reader"] != MANUAL).sort_values(
            "_late", kind="stable"
        )
        return first.drop_duplicates(["case_id", *side])

    @property
    def values(self) -> tuple[str, ...]:
        """The quantities that are compared: those that the record names, or the scheme's volumes."""
        return self.record.values or (tuple(self.scheme.volume_columns) if self.scheme else ())

    @cached_property
    def automatic(self) -> tuple[str, str]:
        """The network in question and the rule that chose it.

        Raises:
            StatisticsError: if there are several, and neither a name in the record nor a Dice decides.
        """
        if self.record.automatic:
            return self.record.automatic, "name that was given"
        if self.scheme is not None and (len(self.agreement) or not self.record.values):
            return best_reader(self.agreement, self.scheme)
        others = [name for name in self.measurements["reader"].unique() if not is_human(str(name))]
        if len(others) == 1:
            return str(others[0]), "only automatic reader"
        raise StatisticsError(
            f"which of the readers {others} is to be compared with the manual one? Name it with --automatic, and the "
            "reference with --manual if it is not called manual"
        )

    @cached_property
    def question(self) -> Question:
        """What is compared with what.

        Raises:
            StatisticsError: as `automatic`.
        """
        return Question(
            values=self.values,
            automatic=self.automatic[0],
            humans=tuple(name for name in humans(self.measurements["reader"]) if name != MANUAL),
            part=self.scheme.part if self.scheme else "",
            grades={name: classes for name, classes in GRADE_COLUMNS.items() if name in self.measurements},
            margins=self.record.margins,
            draws=DRAWS if self.record.draws is None else self.record.draws,
        )


def read_study(folder: str | Path) -> StudyTables:
    """The tables in a folder: `measurements.csv`, `study.json` and, if there, `agreement.csv` and `training.csv`.

    Ids, stages and errors are read as text: patient 007 stays 007.

    Raises:
        MissingFile: if measurements.csv or study.json is absent, or agreement.csv where the scheme needs it.
        UnreadableFile: if one is not CSV.
        InvalidRecord: if `study.json` is damaged, or of a newer avnnet.
        InvalidConfig: if it names neither a label scheme nor the quantities to compare.
        InvalidScheme: if the scheme contradicts itself.
    """
    folder = Path(folder)
    record = StudyRecord.read(folder)
    if record.scheme is None and not record.values:
        raise InvalidConfig(
            f'{folder / StudyRecord.FILE} must hold a "scheme" with names, part and whole, or "values"; found neither. '
            "Run the study again, or write the scheme into the file"
        )
    agreement = folder / "agreement.csv"
    return StudyTables(
        measurements=read_table(_existing(folder / "measurements.csv")),
        agreement=pd.DataFrame() if record.values and not agreement.is_file() else read_table(_existing(agreement)),
        record=record,
        training=read_table(folder / TRAINING) if (folder / TRAINING).is_file() else None,
        located=read_table(folder / LOCATED_CENTRES) if (folder / LOCATED_CENTRES).is_file() else None,
        weighed=read_table(folder / WEIGHED) if (folder / WEIGHED).is_file() else None,
        costs=read_table(folder / COSTS) if (folder / COSTS).is_file() else None,
    )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingFile(f"no {path.name} in {path.parent}; give the output folder of a study")
    return path


def compute_tables(study: StudyTables, done: Callable[[str], None] = lambda _: None) -> dict[str, pd.DataFrame]:
    """The result tables by name: study_table where masks were compared, and those of `all_statistics`.

    Args:
        study: the tables.
        done: told the name of each table.

    Raises:
        StatisticsError: if the study's tables lack a column, label or reader.
    """
    first = {}
    if study.scheme is not None and len(study.agreement):
        first[STUDY_TABLE] = study_table(study.measurements, study.agreement, study.scheme)
        done(STUDY_TABLE)
    if study.located is not None and len(study.located):
        first["locator"] = locator_table(study.located)
        done("locator")
    if study.weighed is not None and len(study.weighed):
        first["cleaning"] = cleaning_table(study.weighed)
        done("cleaning")
    if study.costs is not None and len(study.agreement):
        first["fast"] = fast_table(
            study.agreement, dict(zip(study.costs["network"], study.costs["gflop"], strict=True))
        )
        done("fast")
    return first | all_statistics(study.measurements, study.agreement, study.question, done)


def write_tables(folder: str | Path, done: Callable[[str], None] = lambda _: None) -> dict[str, pd.DataFrame]:
    """The result tables of a study, by name, once they are written to `folder/tables` and `folder/results.json`.

    Made from `measurements.csv`, `agreement.csv` and `study.json` alone: no image, no model, no GPU. Each is
    `tables/NAME.csv`; the study's table is Markdown and LaTeX too.

    Args:
        folder: a study's output folder.
        done: told the name of each table.

    Raises:
        MissingFile: if one of the three files is absent.
        UnreadableFile: if one is not CSV or JSON.
        InvalidConfig: if `study.json` names no label scheme.
        StatisticsError: if a table lacks a column, label or reader.
    """
    return save_tables(read_study(folder), Path(folder), done)


def save_tables(study: StudyTables, folder: Path, done: Callable[[str], None]) -> dict[str, pd.DataFrame]:
    """As `write_tables`, of a study that has been read.

    Args:
        study: the tables.
        folder: where.
        done: told the name of each table.
    """
    tables = compute_tables(study, done)
    out = folder / "tables"
    for name, table in tables.items():
        write_table(table, out / f"{name}.csv")
    if STUDY_TABLE in tables:
        header, rows = study_rows(tables[STUDY_TABLE])
        write_text_atomically(out / f"{STUDY_TABLE}.md", as_markdown(header, rows))
        write_text_atomically(out / f"{STUDY_TABLE}.tex", as_latex(header, rows))
    write_results(folder, study.record, study.question, tables)
    return tables
