"""A cohort table from a folder of images and masks, as they lie on people's disks."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from avnnet.data.dicom import series_in
from avnnet.data.files import SEPARATOR, images_in
from avnnet.errors import InvalidCohort, MissingFile

# folders of images and of masks: nnU-Net's raw data and the Decathlon's, then what people call them
LAYOUTS = [("imagesTr", "labelsTr"), ("images", "labels"), ("images", "masks"), ("image", "label")]
MASK_WORDS = re.compile(r"[._-](label|labels|mask|seg|segmentation|gt|manual)$", re.IGNORECASE)
CHANNEL = re.compile(r"_(\d{4})$")


def cohort_of_folder(folder: str | Path) -> pd.DataFrame:
    """The rows of a cohort: patient_id, case_id, image and label, paths relative to the folder.

    Knows nnU-Net's raw data sets (`imagesTr/CASE_0000.nii.gz`, `labelsTr/CASE.nii.gz`), a folder with `images` and
    `labels` (or `masks`) of equal names, and a flat folder where a mask is called like its image with `_label`,
    `_mask` or `_seg` behind. Each case is taken for a patient of its own: where two are of one patient, give both
    the same patient_id, so that no fold divides them.

    An image may be a folder of one DICOM series, named as its file would be without the suffix.
    nnU-Net's channels (`CASE_0000.nii.gz`, `CASE_0001.nii.gz`) become one cell of paths with semicolons between.

    Args:
        folder: the folder.

    Raises:
        MissingFile: if there is no such folder, or an image has no mask or a mask no image.
        InvalidCohort: if the folder holds no pairs, or a case lacks a channel.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise MissingFile(f"no folder {folder}")
    for images, labels in LAYOUTS:
        if (folder / images).is_dir() and (folder / labels).is_dir():
            image_files, label_of = _scans_in(folder / images), images_in(folder / labels)
            break
    else:
        files = _scans_in(folder)
        masks = {name: path for name, path in files.items() if MASK_WORDS.search(name)}
        image_files = {name: path for name, path in files.items() if name not in masks}
        label_of = {MASK_WORDS.sub("", name): path for name, path in masks.items()}
    image_of = _channels_by_name(image_files, label_of)
    if not image_of or not label_of:
        raise InvalidCohort(
            f"no pairs of image and mask in {folder}; expected imagesTr and labelsTr, images and labels, or "
            "CASE.nii.gz beside CASE_label.nii.gz"
        )
    lonely = sorted(image_of.keys() ^ label_of.keys())
    if lonely:
        raise MissingFile(
            f"{len(lonely)} names have an image without a mask, or a mask without an image: {', '.join(lonely[:5])}"
            f"{' and more' if len(lonely) > 5 else ''}. Add what is missing, or move them out of the folder"
        )
    rows = [(name, name, image_of[name], label_of[name]) for name in sorted(image_of)]
    table = pd.DataFrame(rows, columns=["patient_id", "case_id", "image", "label"])
    table["image"] = [SEPARATOR.join(path.relative_to(folder).as_posix() for path in paths) for paths in table["image"]]
    table["label"] = [path.relative_to(folder).as_posix() for path in table["label"]]
    return table


def _scans_in(folder: Path) -> dict[str, Path]:
    """The image files and the DICOM folders of a folder, by name."""
    files, series = images_in(folder), series_in(folder)
    both = sorted(files.keys() & series.keys())
    if both:
        raise InvalidCohort(
            f"{files[both[0]].name} and the folder {both[0]} in {folder} have one name; keep one of them"
        )
    return dict(sorted({**files, **series}.items()))


def _channels_by_name(files: dict[str, Path], masks: dict[str, Path]) -> dict[str, list[Path]]:
    """Each case's channels in order; four digits at the end are its number unless masks are numbered alike."""
    if files.keys() & masks.keys() or not all(CHANNEL.search(name) for name in files):
        return {name: [path] for name, path in files.items()}
    cases: dict[str, dict[str, Path]] = {}
    for name, path in files.items():
        number = name[-4:]
        cases.setdefault(CHANNEL.sub("", name), {})[number] = path
    wanted = sorted({number for channels in cases.values() for number in channels})
    for name, channels in cases.items():
        lacking = [number for number in wanted if number not in channels]
        if lacking:
            raise InvalidCohort(
                f"every case needs the channels {', '.join(wanted)}; {name} lacks {', '.join(lacking)}. Add the files, "
                "or move the case out of the folder",
                case_id=name,
            )
    return {name: [channels[number] for number in wanted] for name, channels in cases.items()}
