"""What a reader should know of an image and of an ensemble before a mask is trusted."""

from __future__ import annotations

from collections.abc import Sequence

from avnnet.data.softmax import Softmax
from avnnet.flags import Flag
from avnnet.image import Image, LabelMap
from avnnet.labels import Side
from avnnet.metrics import dice

THICK_MM, THICK_RATIO = 2.5, 4.0
"""Slices this thick, and this many times the pixel: a lesion of 4 mm radius is off by 5 % and more (docs)."""
AGREEING_DICE = 0.8
"""Of single networks with their ensemble, in the whole structure: below it they do not see the same head."""


def image_flags(image: Image, side: Side | None) -> tuple[str, ...]:
    """What the image itself gives reason to look at.

    Args:
        image: the scan.
        side: of the hip that was found or given in it.
    """
    flags: list[str] = list(image.source.flags)
    thickest, thinnest = max(image.grid.spacing), min(image.grid.spacing)
    if thickest >= THICK_MM and thickest >= THICK_RATIO * thinnest:
        flags.append(Flag.ANISOTROPIC)
    said = image.source.laterality
    if side is not None and said is not None and said != side:
        flags.append(Flag.LATERALITY_CONFLICT)
    return tuple(flags)


def agreement_flags(members: Sequence[Softmax], ensemble: LabelMap) -> tuple[str, ...]:
    """Whether the single networks of an ensemble see other heads than their mean does.

    Args:
        members: the probabilities of each network.
        ensemble: the mask of their mean.
    """
    whole = ensemble.array > 0
    if len(members) < 2 or not whole.any():
        return ()
    agreed = [dice(one.labels(ensemble.scheme).array > 0, whole) for one in members]
    return (Flag.LOW_ENSEMBLE_AGREEMENT,) if sum(agreed) / len(agreed) < AGREEING_DICE else ()
