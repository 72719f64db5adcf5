"""A folder of digital hips with a cohort table, as NIfTI files or as DICOM series."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from avnnet.atomic import whole_folder, write_text_atomically
from avnnet.choice import FileFormat, SignalMode
from avnnet.data.cohort import DIGITAL_SOURCE
from avnnet.data.dicom import ScanSettings, write_series
from avnnet.data.files import SEPARATOR, write_image
from avnnet.errors import InvalidConfig
from avnnet.image import Image
from avnnet.labels import Side
from avnnet.phantom.acquisition import Acquisition
from avnnet.phantom.hip import DigitalScan, simulate
from avnnet.phantom.patients import Patient, draw_patient
from avnnet.phantom.sequences import DIXON_CHANNELS
from avnnet.phantom.truth import HipTruth

CLICK_SD_MM = 2.0

COHORT_COLUMNS = (
    "patient_id", "case_id", "image", "label", "side", "arco_stage", "age", "sex", "sequence", "index_hip",
    "second_label", "centre_x_mm", "centre_y_mm", "centre_z_mm", "source",
)  # fmt: skip


@dataclass(frozen=True)
class CohortPlan:
    """What a digital cohort is to be made of.

    Args:
        patients: how many.
        seed: another seed, another cohort. Patient k depends on the seed and k alone, not on how many there are.
        mode: the sequence; None mixes the T1 VIBEs with and without fat suppression and gadolinium.
        acquisition: field of view of every scan; with both hips in it, an affected other hip is a case of its own.
        other_hip_every: of every so many patients the other hip is scanned too, a case on top marked
            `index_hip` no; 0 leaves them out. Of no meaning with both hips in the field.
        file_format: of the images.

    Raises:
        InvalidConfig: if there are no patients, or a number is negative.
    """

    patients: int = 34
    seed: int = 1
    mode: SignalMode | None = SignalMode.VIBE
    acquisition: Acquisition = field(default_factory=Acquisition)
    other_hip_every: int = 3
    file_format: FileFormat = FileFormat.NIFTI

    def __post_init__(self) -> None:
        if self.patients < 1:
            raise InvalidConfig(f"a cohort needs at least one patient; found patients={self.patients}")
        if self.seed < 0:
            raise InvalidConfig(f"a seed is a whole number from 0; found seed={self.seed}")
        if self.other_hip_every < 0:
            raise InvalidConfig(f"other_hip_every is a whole number from 0; found {self.other_hip_every}")

    def scans(self, number: int) -> Iterator[tuple[Patient, DigitalScan]]:
        """The scans of patient `number` (from 1)."""
        patient = draw_patient(self.seed, number, self.mode)
        both = self.acquisition.both_hips
        hips = {patient.side: patient.disease} | ({patient.other_side: patient.other} if both else {})
        yield patient, self._scan(number, 0, hips, patient)
        if not both and self.other_hip_every and number % self.other_hip_every == 0:
            yield patient, self._scan(number, 1, {patient.other_side: patient.other}, patient)

    def _scan(self, number: int, which: int, hips: dict, patient: Patient) -> DigitalScan:
        return simulate(
            np.random.default_rng([self.seed, number, 1 + which]),
            hips,
            sex=patient.sex,
            mode=patient.mode,
            acquisition=self.acquisition,
            person=np.random.default_rng([self.seed, number, 9]),
        )


def write_cohort(plan: CohortPlan, out: Path, *, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """The path of `cohort.csv`, written with images, labels, a second reader's labels and `truth.csv`.

    The centre columns of `cohort.csv` imitate the click of a hand: the exact centre with a normal error of 2
    mm SD per axis. The exact centre stands in `truth.csv` only. The column `source` marks every row as digital, so
    that no report made of it can pass for a clinical one. `second_reader/` holds the labels as another hand would
    draw them; the column `second_label` names them.

    Args:
        plan: what it is made of.
        out: the folder to make; whole or not at all.
        on_progress: called with the number of finished patients and of all.

    Raises:
        InvalidConfig: if the field of view cannot hold the hips.
        OutputNotWritable: if the folder holds something already, or cannot be written to, or the disk is full.
    """
    out = Path(out)
    rows: list[dict[str, object]] = []
    truths: list[dict[str, object]] = []
    with ExitStack() as stack:
        folder = stack.enter_context(whole_folder(out))
        for number in range(1, plan.patients + 1):
            for patient, made in plan.scans(number):
                for side, truth in made.truths.items():
                    if side != patient.side and plan.acquisition.both_hips and not truth.arco_stage:
                        continue  # a healthy hip beside the index hip is no case
                    row = _write_case(folder, plan, number, patient, made, side)
                    rows.append(row)
                    truths.append({"case_id": row["case_id"], **_flat(truth)})
            if on_progress is not None:
                on_progress(number, plan.patients)
        write_text_atomically(folder / "truth.csv", _csv(list(truths[0]), truths))
        write_text_atomically(folder / "cohort.csv", _csv(COHORT_COLUMNS, rows))
    return out / "cohort.csv"


def _write_case(
    folder: Path, plan: CohortPlan, number: int, patient: Patient, made: DigitalScan, side: Side
) -> dict[str, object]:
    truth, is_index = made.truths[side], side == patient.side
    case = f"hip-{number:03d}" if is_index else f"hip-{number:03d}-other"
    scanned = f"hip-{number:03d}" if plan.acquisition.both_hips else case
    images = made.image.channels
    names = [scanned] if len(images) == 1 else [f"{scanned}_{name}" for name in DIXON_CHANNELS]
    paths = []
    for place, (name, array) in enumerate(zip(names, images, strict=True), start=1):
        image = Image(array, made.image.grid)
        if plan.file_format is FileFormat.DICOM:
            path = f"images/{name}"
            if not (folder / path).exists():
                laterality = "" if plan.acquisition.both_hips else side[0].upper()
                _write_dicom(image, folder / path, number, patient, place, made.sequence, laterality)
        else:
            path = f"images/{name}.nii.gz"
            if not (folder / path).exists():
                write_image(image, folder / path)
        paths.append(path)
    write_image(made.labels[side], folder / f"labels/{case}.nii.gz")
    write_image(made.second_reader[side], folder / f"second_reader/{case}.nii.gz")
    click = np.random.default_rng([plan.seed, number, 7, int(is_index)]).normal(0, CLICK_SD_MM, size=3)
    x, y, z = (np.asarray(truth.centre_mm) + click).tolist()
    values = (
        f"P{number:03d}", case, SEPARATOR.join(paths), f"labels/{case}.nii.gz", str(side), truth.arco_stage,
        patient.age, patient.sex, str(patient.mode), "yes" if is_index else "no",
        f"second_reader/{case}.nii.gz", f"{x:.2f}", f"{y:.2f}", f"{z:.2f}", DIGITAL_SOURCE,
    )  # fmt: skip
    return dict(zip(COHORT_COLUMNS, values, strict=True))


def _write_dicom(
    image: Image, folder: Path, number: int, patient: Patient, place: int, sequence: object, laterality: str
) -> None:
    # random contrasts are of no sequence and have no settings
    tr_ms, te_ms, flip_deg = (getattr(sequence, name, None) for name in ("tr_ms", "te_ms", "flip_deg"))
    agent = "gadolinium" if patient.mode.endswith("-gd") else ""
    settings = ScanSettings(tr_ms=tr_ms, te_ms=te_ms, flip_deg=flip_deg, field_t=3.0, contrast_agent=agent)
    if patient.mode is SignalMode.PD_TSE:
        settings = replace(settings, scanning_sequence="SE", sequence_variant="SK", acquisition="2D")
    write_series(
        image,
        folder,
        patient_id=f"P{number:03d}",
        patient_sex=patient.sex[0].upper(),
        patient_age_years=patient.age,
        series_description=f"digital hip, {patient.mode}",
        series_number=place,
        laterality=laterality,
        scan=settings,
    )


def _flat(truth: HipTruth) -> dict[str, object]:
    """The truth as one row: vectors become three columns, `centre_mm` becomes `centre_x_mm` and so on."""
    row: dict[str, object] = {}
    for name in (one.name for one in fields(truth)):
        value = getattr(truth, name)
        if isinstance(value, tuple):
            stem, unit = name.removesuffix("_mm"), "_mm" if name.endswith("_mm") else ""
            row |= {f"{stem}_{axis}{unit}": f"{v:.6f}" for axis, v in zip("xyz", value, strict=True)}
        else:
            row[name] = f"{value:.6f}" if isinstance(value, float) else value
    return row


def _csv(columns: Sequence[str], rows: Sequence[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
