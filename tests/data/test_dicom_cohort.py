"""A cohort whose images are folders of DICOM series is the cohort of the same images in NIfTI."""

import pytest
import torch

from avnnet.data.cache import Cache, load_entry
from avnnet.data.checks import check_cohort
from avnnet.data.cohort import read_cohort
from avnnet.data.dicom import ScanSettings, write_series
from avnnet.data.files import image_name, read_image
from avnnet.data.folders import cohort_of_folder
from avnnet.data.integrity import image_hash
from avnnet.data.preprocess import Preprocess
from avnnet.errors import GeometryMismatch, InvalidCohort, MissingSlices
from avnnet.image import Image
from avnnet.labels import HIP

PREPROCESS = Preprocess([4.0, 4.0, 4.0], [16, 18, 18])


def as_dicom(cohort, folder, *, numbers=(1,)):
    """The cohort with a DICOM folder for each image, or for each channel where there are several numbers."""
    table = cohort.table.copy()
    for row, case in enumerate(cohort):
        cells = []
        for number in numbers:
            image = read_image(case.image)
            channel = Image(image.array * number, image.grid)
            cells.append(f"dicom/{case.case_id}-{number}")
            scan = ScanSettings(te_ms=number)
            write_series(channel, folder / cells[-1], patient_id=case.patient_id, series_number=number, scan=scan)
        table.loc[row, "image"] = ";".join(cells)
        table.loc[row, "label"] = str(case.label)
        table.loc[row, "second_label"] = str(case.second_label)
    table.to_csv(folder / "cohort.csv", index=False)
    return read_cohort(folder / "cohort.csv")


def test_it_passes_the_check_and_is_prepared_the_same(cohort, tmp_path):
    dicom = as_dicom(cohort, tmp_path)
    check_cohort(dicom, HIP)
    cache = Cache(tmp_path / "cache")
    for ours, theirs in zip(dicom, cohort, strict=True):
        assert image_hash(read_image(ours.image)) == image_hash(read_image(theirs.image))
        entries = [load_entry(cache.add(case, PREPROCESS, HIP)) for case in (ours, theirs)]
        assert all(torch.equal(one, other) for one, other in zip(*entries, strict=True))


def test_the_cache_notices_another_slice(cohort, tmp_path):
    case = as_dicom(cohort, tmp_path).cases[0]
    cache = Cache(tmp_path / "cache")
    before = cache.key(case, PREPROCESS, HIP)
    image = read_image(case.image)
    other = write_series(Image(image.array + 1, image.grid), tmp_path / "other", patient_id="p1")
    (other / "0003.dcm").replace(case.image[0] / "0003.dcm")
    assert cache.key(case, PREPROCESS, HIP) != before


def test_a_folder_per_channel_gives_an_image_of_channels(cohort, tmp_path):
    dicom = as_dicom(cohort, tmp_path, numbers=(1, 2))
    check_cohort(dicom, HIP)
    assert dicom.channels == 2
    one, two = read_image(dicom.cases[0].image).array
    assert (one * 2 == two).all()


def test_the_check_names_the_case_with_a_missing_slice_and_one_off_its_mask(cohort, tmp_path):
    dicom = as_dicom(cohort, tmp_path)
    (dicom.cases[1].image[0] / "0007.dcm").unlink()
    with pytest.raises(MissingSlices, match=f"case {dicom.cases[1].case_id}: slices are missing"):
        check_cohort(dicom, HIP)
    # missing at the end, nothing tells: but the mask has one slice more
    (dicom.cases[1].image[0] / "0007.dcm").write_bytes((dicom.cases[1].image[0] / "0032.dcm").read_bytes())
    for number in range(8, 33):
        (dicom.cases[1].image[0] / f"{number:04d}.dcm").unlink()
    (dicom.cases[1].image[0] / "0007.dcm").unlink()
    with pytest.raises(GeometryMismatch, match=f"case {dicom.cases[1].case_id}"):
        check_cohort(dicom, HIP)


def test_a_folder_of_dicom_folders_and_masks_is_a_cohort(cohort, tmp_path):
    (tmp_path / "labels").mkdir()
    for case in cohort.cases[:2]:
        write_series(read_image(case.image), tmp_path / "images" / case.case_id, patient_id=case.patient_id)
        (tmp_path / "labels" / f"{case.case_id}.nii.gz").write_bytes(case.label.read_bytes())
    (tmp_path / "images" / "notes").mkdir()
    (tmp_path / "images" / "notes" / "a.txt").write_text("no image")
    table = cohort_of_folder(tmp_path)
    assert table["image"].tolist() == [f"images/{case.case_id}" for case in cohort.cases[:2]]
    table.to_csv(tmp_path / "cohort.csv", index=False)
    check_cohort(read_cohort(tmp_path / "cohort.csv"), HIP)
    (tmp_path / "images" / f"{cohort.cases[0].case_id}.nii.gz").write_bytes(b"x")
    with pytest.raises(InvalidCohort, match="one name"):
        cohort_of_folder(tmp_path)


def test_a_folder_is_named_as_it_is_called(tmp_path, monkeypatch):
    assert image_name(tmp_path / "hip-07") == "hip-07"
    (tmp_path / "hip-08").mkdir()
    monkeypatch.chdir(tmp_path / "hip-08")
    assert image_name(".") == "hip-08"
