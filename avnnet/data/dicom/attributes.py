"""What a series says beside its pixels: patient, series, equipment and scan."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage
from pydicom.valuerep import format_number_as_ds

from avnnet.errors import InvalidConfig

SCANNING_SEQUENCES = ("SE", "IR", "GR", "EP", "RM")
SEQUENCE_VARIANTS = ("SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE")
LONGEST_TEXT = 64  # of the value representation LO


def decimal(number: float) -> str:
    """A number as a decimal string (DS) of at most 16 characters, as exact as these allow.

    Examples:
        >>> decimal(-1 / 3), decimal(-0.0)
        ('-0.3333333333333', '0.0')
    """
    return str(format_number_as_ds(float(number) + 0.0))  # + 0.0 takes the sign off a negative zero


@dataclass(frozen=True)
class ScanSettings:
    """How an MR image was acquired, as far as it is known.

    Args:
        tr_ms: repetition time in ms.
        te_ms: echo time in ms.
        flip_deg: flip angle in degrees.
        field_t: magnetic field strength in tesla.
        scanning_sequence: "SE", "IR", "GR", "EP" or "RM" (research mode); several with `\\` between.
        sequence_variant: "SK", "MTC", "SS", "TRSS", "SP" (spoiled), "MP", "OSP" or "NONE"; several with `\\` between.
        acquisition: "2D" slices, a "3D" slab, or "" where it is not known.
        contrast_agent: the contrast agent's name, or "" for a native image.

    Raises:
        InvalidConfig: if a number is not positive or a code is not one of DICOM's.

    Source: DICOM PS3.3, C.8.3.1, MR Image Module.
    """

    tr_ms: float | None = None
    te_ms: float | None = None
    flip_deg: float | None = None
    field_t: float | None = None
    scanning_sequence: str = "GR"
    sequence_variant: str = "SP"
    acquisition: str = "3D"
    contrast_agent: str = ""

    def __post_init__(self) -> None:
        for name in ("tr_ms", "te_ms", "flip_deg", "field_t"):
            number = getattr(self, name)
            if number is not None and not (isfinite(number) and number > 0):
                raise InvalidConfig(f"{name} is a positive number, or None where it is not known; found {number}")
        for part in self.scanning_sequence.split("\\"):
            check_choice("scanning_sequence", part, SCANNING_SEQUENCES)
        for part in self.sequence_variant.split("\\"):
            check_choice("sequence_variant", part, SEQUENCE_VARIANTS)
        check_choice("acquisition", self.acquisition, ("2D", "3D", ""))
        check_text("contrast_agent", self.contrast_agent)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        InvalidConfig: if it is another.
    """
    if value not in choices:
        raise InvalidConfig(f"{name} is one of {', '.join(repr(choice) for choice in choices)}; found {value!r}")


def check_text(name: str, value: str) -> None:
    """Refuse a text that cannot stand in a DICOM attribute.

    Raises:
        InvalidConfig: if it is too long, or holds a backslash, which separates values, or a control character.
    """
    if len(value) > LONGEST_TEXT or "\\" in value or not value.isprintable():
        raise InvalidConfig(
            f"{name} has at most {LONGEST_TEXT} characters, no backslash and no line break; found {value[:80]!r}"
        )


def add_patient(dataset: Dataset, *, patient_id: str, sex: str, age_years: float | None) -> None:
    """Adds the Patient and Patient Study modules; name and birth date stay empty.

    Raises:
        InvalidConfig: if a value cannot stand in DICOM, or the id is empty.
    """
    check_text("patient_id", patient_id)
    if not patient_id.strip():
        # the study's UID comes from the id, and two patients must not share a study
        raise InvalidConfig("patient_id must not be empty; give a pseudonym")
    check_choice("patient_sex", sex, ("F", "M", ""))
    dataset.PatientName = ""
    dataset.PatientID = patient_id
    dataset.PatientBirthDate = ""
    dataset.PatientSex = sex
    if age_years is not None:
        if not 0 <= age_years < 1000:
            raise InvalidConfig(f"patient_age_years is a number from 0 to 999, or None; found {age_years}")
        dataset.PatientAge = f"{int(age_years):03d}Y"


def add_study_and_series(dataset: Dataset, *, study_id: str, description: str, number: int, laterality: str) -> None:
    """Adds the General Study, General Series, Frame of Reference and General Equipment modules, without their UIDs.

    Raises:
        InvalidConfig: if a value cannot stand in DICOM.
    """
    check_text("series_description", description)
    check_choice("laterality", laterality, ("L", "R", ""))
    if not 0 <= number < 2**31:
        raise InvalidConfig(f"series_number is a whole number from 0; found {number}")
    dataset.StudyDate = dataset.StudyTime = dataset.ReferringPhysicianName = dataset.AccessionNumber = ""
    dataset.StudyID = study_id
    dataset.Modality = "MR"
    dataset.SeriesNumber = int(number)
    dataset.SeriesDescription = description
    dataset.BodyPartExamined = "HIP"
    dataset.Laterality = laterality  # asked for, though it may be empty, because the hip is a paired structure
    dataset.PatientPosition = ""  # asked for of MR, though it may be empty: the orientation says where voxels lie
    dataset.PositionReferenceIndicator = ""
    dataset.Manufacturer = "avnnet"


def add_scan(dataset: Dataset, scan: ScanSettings) -> None:
    """Adds the MR Image module's scan attributes, and the Contrast/Bolus module where an agent was given."""
    dataset.SOPClassUID = MRImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.ScanningSequence = scan.scanning_sequence
    dataset.SequenceVariant = scan.sequence_variant
    dataset.ScanOptions = dataset.EchoTrainLength = ""
    dataset.MRAcquisitionType = scan.acquisition
    dataset.RepetitionTime = "" if scan.tr_ms is None else decimal(scan.tr_ms)
    dataset.EchoTime = "" if scan.te_ms is None else decimal(scan.te_ms)
    if "IR" in scan.scanning_sequence.split("\\"):
        dataset.InversionTime = ""
    if scan.flip_deg is not None:
        dataset.FlipAngle = decimal(scan.flip_deg)
    if scan.field_t is not None:
        dataset.MagneticFieldStrength = decimal(scan.field_t)
    if scan.contrast_agent:
        dataset.ContrastBolusAgent = scan.contrast_agent
