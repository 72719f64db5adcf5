"""A cohort as a data set of nnU-Net: `imagesTr`, `labelsTr`, `dataset.json` and folds by patient."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avnnet.atomic import whole_folder, write_text_atomically
from avnnet.data.cohort import SAMPLE_WEIGHT, SECOND_LABEL, Case, Cohort
from avnnet.data.files import read_image, write_image
from avnnet.data.ignored import read_training_labels
from avnnet.data.splits import check_folds
from avnnet.errors import AvnnetError, GeometryMismatch, InvalidConfig
from avnnet.exchange.words import CHANNEL, SUFFIX, check_dataset_name, labels_of
from avnnet.flags import Flag
from avnnet.image import Image
from avnnet.labels import HIP, LabelScheme

FOLDS = "splits_final.json"
OnCase = Callable[[int], None]


@dataclass(frozen=True)
class DatasetPlan:
    """How a cohort is written.

    Args:
        scheme: names of the label ids.
        has_ignored: whether voxels of id 255 count nowhere.
        is_of_regions: whether nnU-Net is to learn regions that lie in each other.
        channels: names of the channels; MRI, or MRI_0, MRI_1, ... where there are none.

    Raises:
        InvalidScheme: if nnU-Net cannot have such labels.

    Examples:
        >>> DatasetPlan().channel_names(2)
        {'0': 'MRI_0', '1': 'MRI_1'}
    """

    scheme: LabelScheme = HIP
    has_ignored: bool = False
    is_of_regions: bool = False
    channels: Sequence[str] = ()

    def __post_init__(self) -> None:
        labels_of(self.scheme, has_ignored=self.has_ignored, is_of_regions=self.is_of_regions)

    def channel_names(self, count: int) -> dict[str, str]:
        """`channel_names` of a `dataset.json`.

        Args:
            count: channels of an image.

        Raises:
            InvalidConfig: if there are names for another number of them.

        Examples:
            >>> DatasetPlan(channels=["water", "fat"]).channel_names(2)
            {'0': 'water', '1': 'fat'}
        """
        given = [CHANNEL] if count == 1 else [f"{CHANNEL}_{number}" for number in range(count)]
        names = list(self.channels) or given
        if len(names) != count:
            raise InvalidConfig(f"the cohort's images have {count} channel(s); found names for {len(names)}: {names}")
        return {str(number): name for number, name in enumerate(names)}


def write_nnunet_dataset(
    cohort: Cohort,
    folder: str | Path,
    held_out: Sequence[Sequence[str]],
    plan: DatasetPlan | None = None,
    on_case: OnCase | None = None,
) -> list[str]:
    """What nnU-Net does not know of this cohort, in sentences; the folder is whole or not there.

    A `.nii.gz` image is copied byte by byte once it could be read; another format is written as one. Masks are written
    anew, with the ids that nnU-Net wants.

    Args:
        cohort: the cases.
        folder: Dataset501_NAME; must not exist, or be empty.
        held_out: the case ids held out in each fold, as of `avnnet.data.splits.make_folds`.
        plan: labels and channels; those of the hip by default.
        on_case: called with the number of cases done.

    Raises:
        InvalidConfig: if nnU-Net cannot find a data set of that name, or channels have other names.
        InvalidSplit, LeakageError: if the folds are not of this cohort, or divide a patient.
        GeometryMismatch: if a mask does not lie on its image's grid.
        OutputNotWritable: if the folder holds something.
        AvnnetError: if an image or a mask cannot be read.
    """
    plan = DatasetPlan() if plan is None else plan
    check_dataset_name(folder)
    check_folds(cohort, [list(fold) for fold in held_out])
    names = plan.channel_names(cohort.channels)
    with whole_folder(folder) as partial:
        for done, case in enumerate(cohort, start=1):
            try:
                _write_case(case, partial, plan)
            except AvnnetError as error:
                raise type(error)(str(error), case_id=case.case_id) from error
            if on_case is not None:
                on_case(done)
        everyone = [case.case_id for case in cohort]
        folds = [{"train": [one for one in everyone if one not in set(fold)], "val": list(fold)} for fold in held_out]
        write_text_atomically(partial / FOLDS, json.dumps(folds, indent=1))
        described = {
            "channel_names": names,
            **labels_of(plan.scheme, has_ignored=plan.has_ignored, is_of_regions=plan.is_of_regions),
            "numTraining": len(cohort),
            "file_ending": SUFFIX,
        }
        write_text_atomically(partial / "dataset.json", json.dumps(described, indent=1))
    return _left_out(cohort)


def _write_case(case: Case, folder: Path, plan: DatasetPlan) -> None:
    image = read_image(case.image)
    labels = read_training_labels(case.label, plan.scheme, has_ignored=plan.has_ignored)
    if not labels.grid.is_close(image.grid):
        raise GeometryMismatch(
            f"the image has {image.grid.summary()}, its mask {labels.grid.summary()}, and nnU-Net needs both on one "
            "grid; resample the mask onto the image's"
        )
    for number, (path, channel) in enumerate(zip(case.image, image.channels, strict=True)):
        target = folder / "imagesTr" / f"{case.case_id}_{number:04d}{SUFFIX}"
        is_copied = path.name.endswith(SUFFIX) and Flag.REPAIRED_DIRECTION not in image.source.flags
        if is_copied and path.is_file():
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
        else:
            write_image(Image(channel, image.grid), target)
    write_image(labels, folder / "labelsTr" / f"{case.case_id}{SUFFIX}")


def _left_out(cohort: Cohort) -> list[str]:
    """What of a cohort has no place in nnU-Net."""
    said = {
        "head centres: nnU-Net looks at whole images": any(case.centre_mm is not None for case in cohort),
        "sides: nnU-Net does not mirror left hips": any(case.side is not None for case in cohort),
        "second masks: nnU-Net has one per case": SECOND_LABEL in cohort.table.columns,
        "weights of cases": SAMPLE_WEIGHT in cohort.table.columns,
    }
    return [f"not carried: {text}" for text, is_so in said.items() if is_so]
