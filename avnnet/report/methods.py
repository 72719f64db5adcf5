"""The methods paragraph of a report: what was done, in the words of a paper, from what is known and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from avnnet.metrics.catalogue import METRICS
from avnnet.report.wording import held_out, printable

DEFINITIONS = (
    *(one.definition for one in METRICS),
    "Volume is the number of voxels times the volume of a voxel; relative volume is that of the part over the whole.",
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


def methods_paragraphs(about: Mapping[str, Any], *, part: str, whole: str, draws: int) -> list[str]:
    """Paragraphs of prose.

    Args:
        about: the content of `study.json`.
        part: the structure whose size is compared.
        whole: of which it is a part.
        draws: of the bootstrap.
    """
    return [" ".join(sentences) for sentences in (
        list(_segmentation(about, part, whole)),
        list(DEFINITIONS),
        [*STATISTICS, f"{draws:,} draws, seed 1. All tests are two-sided at 0.05."],
        list(_software(about)),
    ) if sentences]  # fmt: skip


def _segmentation(about: Mapping[str, Any], part: str, whole: str) -> Iterable[str]:
    networks = about.get("networks")
    if isinstance(networks, list) and networks:
        yield f"The {part} and the rest of the {whole} were segmented by {_listed(networks)}."
    if isinstance(about.get("folds"), int):
        yield f"{about['folds']}-fold cross-validation, folds by patient."
    if about.get("centre"):
        yield f"Centre of the crop: {printable(about['centre'])}."
    if words := held_out(about):
        yield words
    if about.get("digital") is True:
        yield "The images are digital hips with known truth: no result is a clinical one."


def _software(about: Mapping[str, Any]) -> Iterable[str]:
    versions = about.get("versions")
    if isinstance(versions, Mapping) and versions:
        yield (
            "Software: " + ", ".join(f"{printable(name)} {printable(value)}" for name, value in versions.items()) + "."
        )


def _listed(names: list[Any]) -> str:
    printed = [printable(name) for name in names]
    return printed[0] if len(printed) == 1 else f"{', '.join(printed[:-1])} and {printed[-1]}"
