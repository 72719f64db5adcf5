"""nnU-Net's names: of data sets, of labels, and what avnnet's label scheme is in its words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from avnnet.errors import InvalidConfig, InvalidScheme
from avnnet.labels import LabelScheme

DATASET = re.compile(r"Dataset\d{3}_[A-Za-z0-9][A-Za-z0-9_-]*")
BACKGROUND, IGNORE = "background", "ignore"
SUFFIX = ".nii.gz"
CHANNEL = "MRI"
"""What nnU-Net's planner z-scores; of its names only CT, zscore, rgb_to_0_1, noNorm and rescale_0_1 mean more."""


def check_dataset_name(folder: str | Path) -> str:
    """The name of a data set, which its folder has.

    Args:
        folder: of the data set.

    Raises:
        InvalidConfig: if nnU-Net would not find it by that name.

    Examples:
        >>> check_dataset_name("raw/Dataset501_Hips")
        'Dataset501_Hips'
    """
    name = Path(folder).name
    if not DATASET.fullmatch(name):
        raise InvalidConfig(
            f"nnU-Net finds a data set by a folder called Dataset, three digits, _ and a name; found {name!r}. Say "
            "--out Dataset501_Hips, below nnUNet_raw or nnUNet_results"
        )
    return name


def labels_of(scheme: LabelScheme, *, has_ignored: bool = False, is_of_regions: bool = False) -> dict[str, Any]:
    """What `dataset.json` says of labels: `labels`, and `regions_class_order` for regions.

    Args:
        scheme: names of the ids.
        has_ignored: whether voxels count nowhere; nnU-Net wants the id behind all others for them.
        is_of_regions: whether nnU-Net is to learn regions that lie in each other, the whole first.

    Raises:
        InvalidScheme: if a label has a name that means something else to nnU-Net, or one label is to be two regions.

    Examples:
        >>> from avnnet.labels import HIP
        >>> labels_of(HIP, has_ignored=True)
        {'labels': {'background': 0, 'vital': 1, 'necrosis': 2, 'ignore': 3}}
        >>> labels_of(HIP, is_of_regions=True)
        {'labels': {'background': 0, 'head': [1, 2], 'necrosis': [2]}, 'regions_class_order': [1, 2]}
    """
    taken = sorted({BACKGROUND, IGNORE} & set(scheme.structures))
    if taken:
        raise InvalidScheme(f"{taken[0]} means something else in nnU-Net's dataset.json; give the label another name")
    ids = list(scheme.names)
    if is_of_regions and len(ids) < 2:
        raise InvalidScheme(f"regions lie in each other, so there are two labels or more; found {scheme.structures}")
    labels: dict[str, Any] = {BACKGROUND: 0}
    if is_of_regions:
        # from the whole inwards: what is left of the ids, down to the last
        inner = ["_and_".join(scheme.names[one] for one in ids[start:]) for start in range(1, len(ids))]
        labels |= {name: ids[start:] for start, name in enumerate([scheme.whole, *inner])}
    else:
        labels |= {name: index for index, name in scheme.names.items()}
    if has_ignored:
        labels[IGNORE] = scheme.classes
    return {"labels": labels, **({"regions_class_order": ids} if is_of_regions else {})}
