"""The methods paragraph of a report: what was done, in the words of a paper, from what is known and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from avnnet.metrics.catalogue import METRICS
from avnnet.record import StudyRecord
from avnnet.report.wording import held_out, printable

DEFINITIONS = (
    *(one.definition for one in METRICS),
    "Volume is the number of voxels times the volume of a voxel; relative volume is that of the part over the whole.",
)
IGNORED = (
    "Voxels that a manual reader left open are left out of every mask of their case before it is measured or compared; "
    "where they touch a structure that both masks have, no distance between its surfaces is given."
)
STATISTICS = (
    "Means ± SD are over cases; every test has one value per patient, the mean over the patient's cases.",
    "Agreement of manual and automatic size: Bland-Altman bias and 95 % limits of agreement, Lin's concordance "
    "correlation, ICC(2,1) (two-way random, absolute agreement, single reading), Pearson's r with Fisher's "
    "interval, Deming and "
    "Passing-Bablok regression, two one-sided tests of equivalence.",
    "Networks are compared with paired t-tests and Wilcoxon's signed-rank tests, adjusted after Holm; groups with the "
    "Mann-Whitney U test, the Hodges-Lehmann shift and the area under the ROC curve (DeLong); grades with accuracy "
    "(Wilson interval) and weighted kappa.",
    "Where a patient has several cases, intervals are bootstrap intervals (BCa) that draw patients, not cases.",
)


def methods_paragraphs(
    record: StudyRecord, *, part: str, whole: str, draws: int, has_ignored: bool = False
) -> list[str]:
    """Paragraphs of prose.

    Args:
        record: what is known of the study.
        part: the structure whose size is compared.
        whole: of which it is a part.
        draws: of the bootstrap.
        has_ignored: whether manual masks leave voxels open.
    """
    return [" ".join(sentences) for sentences in (
        list(_segmentation(record, part, whole)),
        [*DEFINITIONS, *([IGNORED] if has_ignored else [])],
        [*STATISTICS, f"{draws:,} draws, seed 1. All tests are two-sided at 0.05."],
        list(_software(record)),
    ) if sentences]  # fmt: skip


def _segmentation(record: StudyRecord, part: str, whole: str) -> Iterable[str]:
    if record.networks:
        yield f"The {part} and the rest of the {whole} were segmented by {_listed(record.networks)}."
    if record.folds is not None:
        yield f"{record.folds}-fold cross-validation, folds by patient."
    if record.centre:
        yield f"Centre of the crop: {printable(record.centre)}."
    if words := held_out(record):
        yield words
    if record.digital:
        yield "The images are digital hips with known truth: no result is a clinical one."


def _software(record: StudyRecord) -> Iterable[str]:
    if record.versions:
        named = (f"{printable(name)} {printable(value)}" for name, value in record.versions.items())
        yield f"Software: {', '.join(named)}."


def _listed(names: Sequence[str]) -> str:
    printed = [printable(name) for name in names]
    return printed[0] if len(printed) == 1 else f"{', '.join(printed[:-1])} and {printed[-1]}"
