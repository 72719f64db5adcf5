"""Every statistic of a comparison at once: two tidy tables and a question in, result tables by name out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from avnnet.errors import InvalidConfig, StatisticsError
from avnnet.stats.agreement import pearson, spearman, volume_agreement
from avnnet.stats.bootstrap import DRAWS
from avnnet.stats.categories import confusion, grade_agreement
from avnnet.stats.clustered import clustered_rank_test, paired_sensitivity
from avnnet.stats.equivalence import tost
from avnnet.stats.groups import early_or_advanced, kruskal_wallis, mann_whitney
from avnnet.stats.limits import bland_altman
from avnnet.stats.paired import compare_readers
from avnnet.stats.pairs import numbers, tidy
from avnnet.stats.readers import second_reader
from avnnet.stats.regression import deming, passing_bablok
from avnnet.stats.reliability import concordance, icc
from avnnet.stats.segmentation import detection, segmentation_results
from avnnet.stats.summary import summarise_agreement, summarise_volumes

MIN_DRAWS = 100
SCALES = ("difference", "percent", "log")


def check_margins(margins: Mapping[str, float], values: Sequence[str]) -> None:
    """Refuse an equivalence margin of a quantity that is not compared.

    Args:
        margins: by quantity.
        values: the quantities that are compared.

    Raises:
        InvalidConfig: if a margin is of another quantity.
    """
    unknown = sorted(set(margins) - set(values))
    if unknown:
        raise InvalidConfig(f"a margin is of a compared column {list(values)}; found {unknown}")


@dataclass(frozen=True)
class Question:
    """What is to be compared with what.

    Args:
        values: columns of measurements to compare, such as necrosis_cm3.
        automatic: the network in question.
        manual: the reader that it is held against.
        humans: further human readers: each is held against the first, and against the network.
        part: the structure whose finding is counted; empty for none.
        group: the column of the stages.
        grades: columns of grades and their classes in order.
        margins: equivalence margins of values, fixed before the study.
        draws: of the bootstrap.

    Raises:
        StatisticsError: if there is no value, or there are fewer than 100 draws.
        InvalidConfig: as `check_margins`.
    """

    values: tuple[str, ...]
    automatic: str
    manual: str = "manual"
    humans: tuple[str, ...] = ()
    part: str = ""
    group: str = "arco_stage"
    grades: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    margins: Mapping[str, float] = field(default_factory=dict)
    draws: int = DRAWS

    def __post_init__(self) -> None:
        if not self.values:
            raise StatisticsError("name at least one column to compare, such as necrosis_cm3")
        if self.draws < MIN_DRAWS:
            raise StatisticsError(f"a bootstrap interval needs at least {MIN_DRAWS} draws; found {self.draws}")
        check_margins(self.margins, self.values)


def all_statistics(
    measurements: pd.DataFrame,
    agreement: pd.DataFrame,
    question: Question,
    done: Callable[[str], None] = lambda _: None,
) -> dict[str, pd.DataFrame]:
    """Result tables by name; those that the tables have nothing for are not there.

    Args:
        measurements: one row per case and reader.
        agreement: one row per case, reader and label; may be empty.
        question: what is compared.
        done: told the name of each table.

    Raises:
        StatisticsError: if a column or reader is absent, or a row stands twice.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"abcdabcd"], "case_id": [*"abcdabcd"],
        ...     "reader": ["manual"] * 4 + ["net"] * 4, "volume_ml": [1.0, 2, 3, 4, 1, 3, 2, 4]})
        >>> sorted(all_statistics(table, pd.DataFrame(), Question(("volume_ml",), "net", draws=100)))[:4]
        ['agreement_statistics', 'concordance', 'correlation', 'icc']
    """
    found: dict[str, pd.DataFrame] = {}
    for name, make in _parts(measurements, agreement, question):
        table = make()
        if len(table):
            found[name] = table
        done(name)
    return found


def table_names(measurements: pd.DataFrame, agreement: pd.DataFrame, question: Question) -> list[str]:
    """The names of the tables that `all_statistics` will try to make, in their order.

    Args:
        measurements: one row per case and reader.
        agreement: one row per case, reader and label; may be empty.
        question: what is compared.

    Examples:
        >>> table = pd.DataFrame({"patient_id": [*"ab"] * 2, "case_id": [*"ab"] * 2,
        ...     "reader": ["manual"] * 2 + ["unet3d"] * 2, "head_cm3": [50.0, 40.0, 48.0, 41.0]})
        >>> "limits" in table_names(table, pd.DataFrame(), Question(("head_cm3",), "unet3d"))
        True
    """
    return [name for name, _ in _parts(measurements, agreement, question)]


def _parts(
    measurements: pd.DataFrame, agreement: pd.DataFrame, question: Question
) -> Iterable[tuple[str, Callable[[], pd.DataFrame]]]:
    """Names of tables and how each is made."""
    q, table = question, measurements
    against: Any = {"manual": q.manual, "automatic": q.automatic}

    def each(one: Callable[[str], pd.DataFrame], values: Iterable[str] = q.values) -> pd.DataFrame:
        parts = [one(value) for value in values]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def named(made: pd.DataFrame, **columns: object) -> pd.DataFrame:
        front = pd.DataFrame({name: [value] * len(made) for name, value in columns.items() if name not in made})
        return pd.concat([front, made], axis=1)

    yield "volumes", lambda: summarise_volumes(table, q.values)
    yield "agreement_statistics", lambda: volume_agreement(table, q.values, manual=q.manual)
    yield (
        "limits",
        lambda: each(
            lambda v: pd.concat(
                [named(bland_altman(table, v, **against, scale=s, method="exact"), scale=s) for s in SCALES]
            )
        ),
    )
    yield "icc", lambda: each(lambda v: icc(table, v, readers=[q.manual, q.automatic], draws=q.draws))
    yield "concordance", lambda: each(lambda v: concordance(table, v, **against, draws=q.draws))
    yield (
        "correlation",
        lambda: each(
            lambda v: pd.concat(
                [
                    named(pearson(table, v, **against), method="Pearson"),
                    named(spearman(table, v, **against), method="Spearman"),
                ]
            )
        ),
    )
    yield (
        "regression",
        lambda: each(
            lambda v: pd.concat(
                [
                    named(deming(table, v, **against, draws=q.draws), method="Deming"),
                    named(passing_bablok(table, v, **against, draws=q.draws), method="Passing-Bablok"),
                ]
            )
        ),
    )
    yield "equivalence", lambda: each(lambda v: tost(table, v, margin=q.margins[v], **against), q.margins)
    yield (
        "paired",
        lambda: each(
            lambda v: named(paired_sensitivity(table, v, readers=(q.manual, q.automatic), draws=q.draws), value=v)
        ),
    )
    yield (
        "grades",
        lambda: each(lambda v: grade_agreement(table, v, order=q.grades[v], **against, draws=q.draws), q.grades),
    )
    yield "confusion", lambda: each(lambda v: confusion(table, v, order=q.grades[v], **against), q.grades)
    if q.group in table and tidy(table)[q.group].map(early_or_advanced).notna().any():
        readers = (q.manual, q.automatic)
        yield (
            "groups",
            lambda: each(lambda v: pd.concat([mann_whitney(table, v, group=q.group, reader=r) for r in readers])),
        )
        yield (
            "clustered_groups",
            lambda: each(
                lambda v: pd.concat([clustered_rank_test(table, v, group=q.group, reader=r) for r in readers])
            ),
        )
        yield (
            "stages",
            lambda: each(lambda v: pd.concat([kruskal_wallis(table, v, group=q.group, reader=r) for r in readers])),
        )
    if q.humans:
        yield (
            "second_reader",
            lambda: each(
                lambda v: pd.concat(
                    [
                        second_reader(table, v, manual=q.manual, second=human, automatic=q.automatic, draws=q.draws)
                        for human in q.humans
                    ]
                )
            ),
        )
    if len(agreement):
        yield "dice", lambda: summarise_agreement(agreement)
        yield "readers", lambda: compare_readers(agreement)
        size = f"{q.part}_percent"
        yield (
            "segmentation",
            lambda: segmentation_results(agreement, table, manual=q.manual, stage=q.group, size=size, draws=q.draws),
        )
        if q.part:
            yield "detection", lambda: detection(agreement, label=q.part)


def numeric_columns(measurements: pd.DataFrame) -> list[str]:
    """The columns of a table that hold numbers, which can be compared.

    Args:
        measurements: one row per case and reader.

    Examples:
        >>> numeric_columns(pd.DataFrame({"case_id": ["a"], "head_cm3": [50.0], "flags": [""]}))
        ['head_cm3']
    """
    found = []
    for name in measurements.columns:
        try:
            if numbers(measurements, str(name)).notna().any():
                found.append(str(name))
        except StatisticsError:
            continue
    return found
