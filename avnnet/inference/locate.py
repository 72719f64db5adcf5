"""Networks that find the femoral heads in a whole image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from avnnet.data.softmax import Softmax
from avnnet.flags import Flag
from avnnet.image import Image, LabelMap
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.heads import FoundHead, heads_in
from avnnet.inference.member import Member, check_channels
from avnnet.labels import LabelScheme
from avnnet.measure.rows import KEY


class Locator:
    """Networks that see a whole image and mark the heads in it.

    Args:
        members: trained on whole images, not on crops, with mirrored hips.
        scheme: names of the label ids.
    """

    def __init__(self, members: Sequence[Member], scheme: LabelScheme) -> None:
        self.members, self.scheme = list(members), scheme

    def find(self, image: Image) -> list[FoundHead]:
        """The heads in an image, at most two, the right one first; none if there is no head.

        Raises:
            NonFiniteVoxels, ConstantImage, NotAVolume: if there is nothing to see.
        """
        probabilities = self._probabilities(image)
        values = probabilities.values
        # a voxel that is head with more than half is one, whichever part of the head it is
        marked = np.where(values[0] < 0.5, values[1:].argmax(axis=0) + 1, 0)
        array = np.zeros(image.grid.shape, np.uint8)
        array[probabilities.box] = marked
        return heads_in(LabelMap(array, image.grid, self.scheme))

    def _probabilities(self, image: Image) -> Softmax:
        """The members' mean; of those that prepare images alike before it goes back to the image's grid.

        A mean of interpolated values is the interpolated mean, and the way back takes most of the time.
        """
        check_channels(self.members, len(image.channels))
        groups: dict[str, list[Member]] = {}
        for member in self.members:
            groups.setdefault(member.preparation, []).append(member)
        restored, shares = [], []
        for group in groups.values():
            prepared = group[0].preprocess.prepare(image)
            total = torch.stack([member.probabilities(prepared) for member in group]).mean(dim=0)
            restored.append(group[0].preprocess.restore(total, prepared.placement))
            shares += [len(restored) - 1] * len(group)
        return restored[0] if len(restored) == 1 else mean_softmax([restored[share] for share in shares])


def located_row(
    case: pd.DataFrame, manual: LabelMap, heads: Sequence[FoundHead], head: FoundHead | None
) -> pd.DataFrame:
    """One row: the case's key, and how far what was found lies from the sphere of its manual mask.

    Args:
        case: one row with patient_id, case_id and side.
        manual: the manual mask.
        heads: all that were found in the image.
        head: the one that was taken for this case, or None.
    """
    drawn = heads_in(manual)
    found = {
        "heads": len(heads),
        "side_found": "" if head is None else head.side or "",
        "centre_error_mm": np.nan,
        "radius_error_mm": np.nan,
    }
    if head is not None and drawn:
        off = np.asarray(head.centre_mm) - np.asarray(drawn[0].centre_mm)
        found |= {"centre_error_mm": float(np.linalg.norm(off)), "radius_error_mm": head.radius_mm - drawn[0].radius_mm}
    key = case[KEY].reset_index(drop=True)
    return key.assign(**found, flags=str(Flag.HEAD_NOT_FOUND) if head is None else " ".join(head.flags))
