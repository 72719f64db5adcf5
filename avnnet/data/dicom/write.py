"""An image as a classic series: one MR Image Storage file per slice."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from avnnet.atomic import whole_folder
from avnnet.data.dicom.attributes import ScanSettings, add_patient, add_scan, add_study_and_series, check_text, decimal
from avnnet.errors import InvalidConfig, NonFiniteVoxels, UnsupportedDimensions
from avnnet.grid import Grid
from avnnet.image import Image

STORED = (np.int16, np.uint16)
STEPS = 2**16 - 1
LONGEST_STUDY_ID = 16  # of the value representation SH


def write_series(
    image: Image,
    folder: str | Path,
    *,
    patient_id: str,
    patient_sex: str = "",
    patient_age_years: float | None = None,
    study_id: str = "",
    series_description: str = "",
    series_number: int = 1,
    laterality: str = "",
    scan: ScanSettings | None = None,
) -> Path:
    """The folder written: an image as a DICOM series, one MR file per slice, whole or not at all.

    Whole numbers that fit 16 bits are stored as they are; others are rescaled, to half of a 65535th of the image's
    range. Every voxel keeps its place. Files are numbered along the slice normal, the vector product of the columns'
    and the rows' direction: an image whose slices run against it (a left-handed grid) comes back with its slices
    reversed. The same call gives the same bytes: UIDs come from the content, and there are no dates.

    Args:
        image: `(z, y, x)` intensities; the first axis counts the slices.
        folder: the folder to make; it must not exist, or be empty.
        patient_id: a pseudonym; series of one patient and one study id are one study in one frame of reference.
        patient_sex: "F", "M" or "".
        patient_age_years: age at the scan, or None.
        study_id: tells studies of one patient apart, at most 16 characters.
        series_description: at most 64 characters.
        series_number: the number within the study.
        laterality: "L", "R" or "": the side of the hip.
        scan: how the image was acquired; None writes the defaults of `ScanSettings`.

    Raises:
        UnsupportedDimensions: if the image has several channels: each is a series of its own.
        NonFiniteVoxels: if a voxel is NaN or infinite.
        InvalidConfig: if a value cannot stand in DICOM.
        OutputNotWritable: if the folder holds something already, or cannot be written to.

    Source: DICOM PS3.3, A.4 MR Image IOD.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> image = Image(np.arange(24, dtype=np.int16).reshape(2, 3, 4), Grid((2, 3, 4)))
        >>> with TemporaryDirectory() as place:
        ...     folder = write_series(image, Path(place) / "t1", patient_id="hip-07", laterality="R")
        ...     sorted(file.name for file in folder.iterdir())
        ['0001.dcm', '0002.dcm']
    """
    if image.array.ndim != 3:
        raise UnsupportedDimensions(
            f"a series holds one channel; write the {len(image.channels)} of this image as series of their own"
        )
    check_text("study_id", study_id)
    if len(study_id) > LONGEST_STUDY_ID:
        raise InvalidConfig(f"study_id has at most {LONGEST_STUDY_ID} characters; found {len(study_id)}")
    shared = Dataset()
    shared.SpecificCharacterSet = "ISO_IR 192"  # UTF-8
    add_patient(shared, patient_id=patient_id, sex=patient_sex, age_years=patient_age_years)
    add_study_and_series(
        shared, study_id=study_id, description=series_description, number=series_number, laterality=laterality
    )
    add_scan(shared, scan or ScanSettings())
    pixels = _add_pixels(shared, image.array)
    positions_mm, order = _add_plane(shared, image.grid)
    _add_uids(shared, patient_id, study_id, positions_mm, pixels)
    with whole_folder(folder) as partial:
        for number, index in enumerate(order, start=1):
            one = copy.copy(shared)  # shallow: the slices share what does not differ
            one.SOPInstanceUID = _uid("image", shared.SeriesInstanceUID, str(number))
            one.InstanceNumber = number
            one.ImagePositionPatient = positions_mm[index]
            one.PixelData = pixels[index].tobytes()
            one.file_meta = _file_meta(one.SOPInstanceUID)
            one.save_as(partial / f"{number:04d}.dcm", enforce_file_format=True)
    return Path(folder)


def _add_pixels(dataset: Dataset, array: np.ndarray) -> np.ndarray:
    """The stored values as little-endian 16 bit; adds the Image Pixel module that says how to read them."""
    if not np.isfinite(array).all():
        raise NonFiniteVoxels("an image must hold finite numbers to be written; found NaN or infinite ones")
    low, high = array.min(), array.max()
    kind = next((kind for kind in STORED if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max), None)
    if kind is not None and (array.dtype.kind in "iub" or np.array_equal(array, np.rint(array))):
        # the type of the array where it is one that DICOM has, so that it comes back
        stored = array if array.dtype in STORED else array.astype(np.uint16 if array.dtype.kind in "ub" else kind)
    else:
        # the slope as it is written, of 16 characters, decides the stored values
        slope, intercept = decimal((float(high) - float(low)) / STEPS or 1.0), decimal(float(low))
        stored = np.rint((array.astype(np.float64) - float(intercept)) / float(slope)).clip(0, STEPS).astype(np.uint16)
        # not of the MR Image IOD but of its standard extension, so written only where needed
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = intercept, slope, "US"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit = 15
    dataset.PixelRepresentation = int(stored.dtype.kind == "i")
    return stored.astype(stored.dtype.newbyteorder("<"), copy=False)


def _add_plane(dataset: Dataset, grid: Grid) -> tuple[list[list[str]], Sequence[int]]:
    """Each slice's position, and the order of the slices along the normal; adds the Image Plane module."""
    slices, rows, columns = grid.shape
    if max(rows, columns) > STEPS:
        raise UnsupportedDimensions(f"DICOM slices have at most {STEPS} rows and columns; found {rows} x {columns}")
    across, down, along = np.asarray(grid.direction).T  # of the slices, of the rows' index, of the columns' index
    dataset.Rows, dataset.Columns = rows, columns
    dataset.ImageOrientationPatient = [decimal(cosine) for cosine in (*along, *down)]
    dataset.PixelSpacing = [decimal(step) for step in grid.spacing[1:]]
    dataset.SliceThickness = dataset.SpacingBetweenSlices = decimal(grid.spacing[0])
    positions = [[decimal(number) for number in grid.to_lps((index, 0, 0))] for index in range(slices)]
    is_forward = float(np.cross(along, down) @ across) > 0
    return positions, range(slices) if is_forward else range(slices - 1, -1, -1)


def _add_uids(
    dataset: Dataset, patient_id: str, study_id: str, positions_mm: list[list[str]], pixels: np.ndarray
) -> None:
    content = hashlib.sha256(repr((dataset.to_json(), positions_mm)).encode())
    content.update(pixels.tobytes())
    dataset.StudyInstanceUID = _uid("study", patient_id, study_id)
    dataset.FrameOfReferenceUID = _uid("frame of reference", patient_id, study_id)
    dataset.SeriesInstanceUID = _uid("series", dataset.StudyInstanceUID, content.hexdigest())


def _uid(*identity: str) -> UID:
    return generate_uid(entropy_srcs=[repr(("avnnet", *identity))])  # repr keeps ("a", "bc") and ("ab", "c") apart


def _file_meta(instance: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = _uid("implementation")
    meta.ImplementationVersionName = "AVNNET"  # else pydicom puts its version here, and bytes would differ with it
    return meta
