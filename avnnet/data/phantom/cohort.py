"""A folder of digital hips with a cohort table, composed like the patients of the abstract."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from avnnet.atomic import write_text_atomically
from avnnet.data.cohort import DIGITAL_SOURCE
from avnnet.data.files import write_image
from avnnet.data.phantom.hip import HipTruth, hip
from avnnet.data.phantom.lesion import ADVANCED
from avnnet.errors import InvalidConfig
from avnnet.labels import Side

# The abstract prints I 3, II 5, IIIA 12 of 34; the 14 that are left are IIIB.
STAGE_COUNTS = {"I": 3, "II": 5, "IIIA": 12, "IIIB": 14}
SEX_COUNTS = {"female": 14, "male": 20}
MEAN_AGE, SD_AGE = (
    30.0,
    8.0,
)  # the abstract prints the mean only; the SD is a guess, ages are kept in 18 to 55
CLICK_SD_MM = 2.0

# Below 1.5 % (0.7 cm3 in a head of 45) a lesion is hardly thicker than its rim and the subchondral plate, and
# no reader could draw it; above 60 % hardly any vital bone is left to be labelled.
SHARE_LIMITS_PERCENT = (1.5, 60.0)
# Gammas (shape, scale in %) that, truncated to these limits, have the abstract's mean and SD: 8±8, 20±16 %.
EARLY_GAMMA = (0.2161, 13.206)
ADVANCED_GAMMA = (0.5115, 72.19)

COHORT_COLUMNS = (
    "patient_id", "case_id", "image", "label", "side", "arco_stage", "age", "sex",
    "centre_x_mm", "centre_y_mm", "centre_z_mm", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Patient:
    """What is drawn of a case before its hip: see `draw_patient`."""

    side: Side
    sex: str
    age: int
    arco_stage: str
    necrosis_percent: float


def evenly_mixed(counts: Mapping[str, int], *, first: int = 0) -> list[str]:
    """Names repeated as often as counted, in an order whose every stretch is composed much like the whole.

    Args:
        counts: name to number.
        first: rotates the order, so that two such lists are not in step.

    Examples:
        >>> evenly_mixed({"a": 2, "b": 4})
        ['b', 'a', 'b', 'b', 'a', 'b']
    """
    total = sum(counts.values())
    used = dict.fromkeys(counts, 0)
    order: list[str] = []
    for place in range(total):
        owed = {name: (place + 0.5) * count / total - used[name] for name, count in counts.items()}
        best = max(owed, key=lambda name: owed[name])
        used[best] += 1
        order.append(best)
    return order[first:] + order[:first]


def draw_share_percent(generator: np.random.Generator, *, arco_stage: str) -> float:
    """A random share of necrosis in the head: 8±8 % in stages I and II, 20±16 % in IIIA and IIIB, 1.5 to 60.

    Source:
        The abstract's manual relative volumes; the gamma form is that of clinical.md 4.2 (SD near the mean).
    """
    shape, scale = ADVANCED_GAMMA if arco_stage in ADVANCED else EARLY_GAMMA
    low, high = SHARE_LIMITS_PERCENT
    while True:
        share = float(generator.gamma(shape, scale))
        if low <= share <= high:
            return share


def draw_patient(generator: np.random.Generator, number: int) -> Patient:
    """Case `number` (from 1): stage and sex by turn, as composed in the abstract, the rest drawn.

    Of 34 consecutive cases exactly 3, 5, 12 and 14 have stage I, II, IIIA and IIIB, and 14 are women.
    """
    stages, sexes = evenly_mixed(STAGE_COUNTS), evenly_mixed(SEX_COUNTS, first=5)
    stage = stages[(number - 1) % len(stages)]
    return Patient(
        side=Side.LEFT if generator.random() < 0.5 else Side.RIGHT,
        sex=sexes[(number - 1) % len(sexes)],
        age=int(np.clip(round(generator.normal(MEAN_AGE, SD_AGE)), 18, 55)),
        arco_stage=stage,
        necrosis_percent=draw_share_percent(generator, arco_stage=stage),
    )


def write_cohort(
    out: Path,
    *,
    patients: int = 34,
    seed: int = 1,
    shape: tuple[int, int, int] = (104, 384, 384),
    spacing_mm: tuple[float, float, float] = (1.0, 0.44, 0.44),
    on_progress: Callable[[int, int], None] | None = None,
) -> Path:
    """The path of `cohort.csv`, written with images, labels and `truth.csv` for a cohort of digital hips.

    The centre columns of `cohort.csv` imitate the click of a hand: the exact centre with a normal error of 2
    mm SD per axis. The exact centre stands in `truth.csv` only. The column `source` marks every row as digital, so
    that no report made of it can pass for a clinical one. One hip per patient. Case k depends on `seed`
    and k alone, not on the number of patients; `cohort.csv` is written last, so that where it lies the cohort
    is whole.

    Args:
        out: the folder; files of the same names are replaced.
        patients: how many.
        seed: another seed, another cohort.
        shape: voxels `(z, y, x)` of each image.
        spacing_mm: voxel distances `(z, y, x)`.
        on_progress: called with the number of finished cases and of all cases.

    Raises:
        InvalidConfig: if there are no patients, or the field of view cannot hold a head.
        AvnnetError: if the folder cannot be written to.
    """
    if patients < 1:
        raise InvalidConfig(f"a cohort needs at least one patient; found patients={patients}")
    if seed < 0:
        raise InvalidConfig(f"a seed is a whole number from 0; found seed={seed}")
    out = Path(out)
    rows: list[list[object]] = []
    truths: list[list[object]] = []
    for number in range(1, patients + 1):
        generator = np.random.default_rng([seed, number])
        patient = draw_patient(generator, number)
        click = generator.normal(0, CLICK_SD_MM, size=3)
        image, labels, truth = hip(
            generator,
            side=patient.side,
            sex=patient.sex,
            arco_stage=patient.arco_stage,
            necrosis_percent=patient.necrosis_percent,
            shape=shape,
            spacing_mm=spacing_mm,
        )
        case = f"hip-{number:03d}"
        paths = f"images/{case}.nii.gz", f"labels/{case}.nii.gz"
        write_image(image, out / paths[0])
        write_image(labels, out / paths[1])
        centre = [f"{c:.2f}" for c in np.asarray(truth.centre_mm) + click]
        rows.append(
            [
                f"P{number:03d}",
                case,
                *paths,
                truth.side,
                truth.arco_stage,
                patient.age,
                truth.sex,
                *centre,
                DIGITAL_SOURCE,
            ]
        )
        truths.append([case, *_flat(truth).values()])
        if on_progress is not None:
            on_progress(number, patients)
    write_text_atomically(out / "truth.csv", _csv(["case_id", *_flat(truth)], truths))
    return write_text_atomically(out / "cohort.csv", _csv(COHORT_COLUMNS, rows))


def _flat(truth: HipTruth) -> dict[str, object]:
    """The truth as one row: vectors become three columns, `centre_mm` becomes `centre_x_mm` and so on."""
    row: dict[str, object] = {}
    for field in fields(truth):
        value = getattr(truth, field.name)
        if isinstance(value, tuple):
            stem, unit = field.name.removesuffix("_mm"), "_mm" if field.name.endswith("_mm") else ""
            row |= {f"{stem}_{axis}{unit}": f"{v:.6f}" for axis, v in zip("xyz", value, strict=True)}
        else:
            row[field.name] = f"{value:.6f}" if isinstance(value, float) else value
    return row


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
