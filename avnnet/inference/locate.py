"""Networks that find the femoral heads in a whole image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from avnnet.columns import IDENTITY
from avnnet.flags import Flag, Flags
from avnnet.image import Image, LabelMap
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.heads import FoundHead, heads_in

OVERLAP = 0.25
"""Of tiles: 24 in place of 40 of a scan of both hips, and centres lie as well (benchmarks/locator_overlap.py)."""


class Locator:
    """Networks that see a whole image and mark the heads in it.

    Args:
        ensemble: networks trained on whole images, not on crops, with mirrored hips.

    Examples:
        >>> import torch
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.grid import Grid
        >>> from avnnet.inference.member import Member
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.labels import HIP
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> locator = Locator(Ensemble([Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")], HIP))
        >>> image = Image(np.arange(512.0).reshape(8, 8, 8), Grid((8, 8, 8)))
        >>> locator.find(image)  # half a cubic centimetre holds no head
        []
    """

    def __init__(self, ensemble: Ensemble) -> None:
        members = [member.tiled(OVERLAP) for member in ensemble.members]
        self.ensemble = Ensemble(members, ensemble.scheme, engine=ensemble.engine)

    def find(self, image: Image) -> list[FoundHead]:
        """The heads in an image, at most two, the right one first; none if there is no head.

        Args:
            image: the scan, in any axis order.

        Raises:
            NonFiniteVoxels, ConstantImage, NotAVolume: if there is nothing to see.
        """
        probabilities = self.ensemble.see(image).softmax
        values = probabilities.values
        # a voxel that is head with more than half is one, whichever part of the head it is
        is_head = values[0] < 0.5
        marked = np.zeros(is_head.shape, np.uint8)
        marked[is_head] = values[1:, is_head].argmax(axis=0) + 1
        array = np.zeros(image.grid.shape, np.uint8)
        array[probabilities.box] = marked
        return heads_in(LabelMap(array, image.grid, self.ensemble.scheme))


def located_row(
    case: pd.DataFrame, manual: LabelMap, heads: Sequence[FoundHead], head: FoundHead | None
) -> pd.DataFrame:
    """One row: the case's key, and how far what was found lies from the sphere of its manual mask.

    A manual head that ignored voxels touch has no sphere to hold it against.

    Args:
        case: one row with patient_id, case_id and side.
        manual: the manual mask.
        heads: all that were found in the image.
        head: the one that was taken for this case, or None.

    Examples:
        >>> from avnnet.grid import Grid
        >>> z, y, x = np.indices((21, 21, 21)) * 3.0
        >>> ball = (x - 30) ** 2 + (y - 30) ** 2 + (z - 30) ** 2 < 22**2
        >>> manual = LabelMap(ball.astype(np.uint8), Grid(ball.shape, (3.0, 3.0, 3.0)))
        >>> heads = [FoundHead((33.0, 34.0, 30.0), 22.0, None)]
        >>> case = pd.DataFrame({"patient_id": ["p1"], "case_id": ["p1"], "side": [""]})
        >>> located_row(case, manual, heads, heads[0])["centre_error_mm"].round(1).tolist()
        [5.0]
    """
    drawn = [] if manual.touches_ignored(manual.scheme.whole) else heads_in(manual)
    found = {
        "heads": len(heads),
        "side_found": "" if head is None else head.side or "",
        "centre_error_mm": np.nan,
        "radius_error_mm": np.nan,
    }
    if head is not None and drawn:
        off = np.asarray(head.centre_mm) - np.asarray(drawn[0].centre_mm)
        found |= {"centre_error_mm": float(np.linalg.norm(off)), "radius_error_mm": head.radius_mm - drawn[0].radius_mm}
    key = case[IDENTITY].reset_index(drop=True)
    return key.assign(**found, flags=str(Flags([Flag.HEAD_NOT_FOUND]) if head is None else head.flags))
