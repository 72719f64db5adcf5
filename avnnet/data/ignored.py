"""Masks of which a part counts nowhere: voxels that nobody drew, or could not tell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from avnnet.data.files import read_image, read_labels
from avnnet.data.files.images import ids_of
from avnnet.image import LabelMap
from avnnet.labels import IGNORED, LabelScheme

NAME = "ignored_voxels"


def read_training_labels(path: Path, scheme: LabelScheme, *, has_ignored: bool) -> LabelMap:
    """The label map in a file; ignored voxels, if the file may have any, are one more label behind the scheme's own.

    As a label they are resampled and mirrored with the others.

    Args:
        path: an image file.
        scheme: names of the ids.
        has_ignored: whether voxels of id 255 count nowhere; else they are refused.

    Raises:
        AvnnetError: as `read_labels`.
    """
    if not has_ignored:
        return read_labels(path, scheme)
    image = read_image(path)
    ids = ids_of(image.array, Path(path).name)
    known = np.where(ids == IGNORED, 0, ids)
    LabelMap(known, image.grid, scheme)  # refuses ids that the scheme does not name, with its own names
    wider = LabelScheme({**scheme.names, scheme.classes: NAME}, scheme.part, scheme.whole)
    together = np.where(ids == IGNORED, scheme.classes, known).astype(np.uint8)
    return LabelMap(together, image.grid, wider, source=image.source)


def read_known_labels(path: Path, scheme: LabelScheme, *, has_ignored: bool) -> LabelMap:
    """The label map in a file, to measure and to compare; ignored voxels are background, and named by its `ignored`.

    Args:
        path: an image file.
        scheme: names of the ids.
        has_ignored: whether voxels of id 255 count nowhere; else they are refused.

    Raises:
        AvnnetError: as `read_labels`.
    """
    labels = read_training_labels(path, scheme, has_ignored=has_ignored)
    if not has_ignored:
        return labels
    ignored = labels.array == scheme.classes
    known = LabelMap(np.where(ignored, 0, labels.array), labels.grid, scheme, source=labels.source)
    return known.leaving_out(ignored)


def with_ignored_ids(label: Tensor, scheme: LabelScheme) -> Tensor:
    """Label ids with the ignored voxels as 255.

    Args:
        label: ids in which they are the label behind the scheme's own.
        scheme: names of the ids.

    Examples:
        >>> from avnnet.labels import HIP
        >>> with_ignored_ids(torch.tensor([0, 2, 3], dtype=torch.uint8), HIP).tolist()
        [0, 2, 255]
    """
    return torch.where(label == scheme.classes, IGNORED, label)


def structures_of(label: Tensor) -> Tensor:
    """Label ids with the ignored voxels as background.

    Args:
        label: ids in which they are 255.

    Examples:
        >>> structures_of(torch.tensor([0, 2, 255], dtype=torch.uint8)).tolist()
        [0, 2, 0]
    """
    return label * (label != IGNORED)
