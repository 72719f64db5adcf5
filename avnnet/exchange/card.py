"""What somebody without avnnet must know of a network: how to prepare an image, and what comes out."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from avnnet.data.orientation import ORDERS
from avnnet.errors import InvalidConfig
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.recipe import describe

WARNING = (
    "For research. Not a medical device: nobody has examined it for patients. What its model was trained on, digital "
    "hips or images of patients, a file cannot say; a network of digital hips says nothing of patients."
)
DIRECTIONS = (("left", "right"), ("posterior", "anterior"), ("superior", "inferior"))  # along and against LPS


def chosen_member(model: Segmenter, number: int | None) -> Member:
    """One network of a model: a program holds one.

    Args:
        model: an ensemble.
        number: 1 for the first; None where there is only one.

    Raises:
        InvalidConfig: if there are several and none is chosen, or there is no such one.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.labels import HIP
        >>> from avnnet.models import UNet2D
        >>> member = Member(UNet2D([2, 4], [[2, 2]]), Preprocess([1, 1, 1]), Tiling([1, 8, 8]), "unet2d")
        >>> chosen_member(Segmenter([member], HIP), None) is member
        True
    """
    names = [f"{place} {member.name}" for place, member in enumerate(model.members, start=1)]
    if number is None and len(names) == 1:
        return model.members[0]
    if number is None or not 1 <= number <= len(names):
        raise InvalidConfig(
            f"one network goes into one file, and the model has {len(names)}: {', '.join(names)[:200]}; found "
            f"{'none chosen' if number is None else number}. Export each to a file of its own, --member 1 and so on, "
            "and take the mean of their probabilities"
        )
    return model.members[number - 1]


def card(model: Segmenter, member: Member) -> dict[str, Any]:
    """What stands in each file beside the network, as JSON can hold it.

    Args:
        model: the ensemble that the network is of.
        member: the network.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.labels import HIP
        >>> from avnnet.models import UNet3D
        >>> member = Member(UNet3D([2, 4], [[2, 2, 2]]), Preprocess([3, 1, 1]), Tiling([4, 8, 8]), "unet3d")
        >>> said = card(Segmenter([member], HIP), member)
        >>> said["labels"], said["axes"], said["divisors"]
        ({'0': 'background', '1': 'vital', '2': 'necrosis'}, ['superior', 'posterior', 'left'], [2, 2, 2])
    """
    net, preprocess, tiling, scheme = member.net, member.preprocess, member.tiling, model.scheme
    backwards = preprocess.reversed_axes or []
    axes = [DIRECTIONS[row][axis in backwards] for axis, row in enumerate(ORDERS[preprocess.first_axis])]
    side = ORDERS[preprocess.first_axis].index(0)
    space = ["z", "y", "x"][-net.ndim :]
    return {
        "avnnet_version": version("avnnet"),
        "model_sha256": model.sha256,
        "network": member.name,
        "warning": WARNING,
        "input": f"image, float32 (batch, channel, {', '.join(space)}), {net.in_channels} channel(s)",
        "output": f"probabilities, float32 (batch, class, {', '.join(space)}), sum 1 over {net.classes} classes",
        "labels": {"0": "background", **{str(index): name for index, name in scheme.names.items()}},
        "whole": scheme.whole,
        "ndim": net.ndim,
        "channels": net.in_channels,
        "axes": axes,
        "left_hips": f"mirrored along axis {side} of z, y, x before, and their probabilities back",
        "spacing_mm": preprocess.spacing_mm,
        "crop": preprocess.crop,
        "normalisation": describe(preprocess.normalisation),
        "divisors": list(net.divisors),
        "patch": tiling.patch,
        "overlap": tiling.overlap,
        "mirror_axes": tiling.mirror_axes,
        "cleaning": None if model.cleaning is None else list(model.cleaning.steps),
    }
