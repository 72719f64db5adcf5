"""One trained network with all that it needs to be used: how to prepare an image, and how to tile it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from avnnet.data.contrast import Contrast
from avnnet.data.preprocess import Prepared, Preprocess
from avnnet.data.scope import Scope
from avnnet.data.softmax import Softmax
from avnnet.errors import ModelMismatch
from avnnet.flags import Flag
from avnnet.image import Image
from avnnet.inference.implant import implant_flags
from avnnet.inference.quality import image_flags
from avnnet.inference.tiling import Tiling, class_probabilities
from avnnet.labels import Side
from avnnet.models.unet import UNet
from avnnet.recipe import describe


class Member:
    """A network with its preprocessing and tiling.

    Args:
        net: the network.
        preprocess: what it was trained on.
        tiling: how an image is presented.
        name: the configuration's name, "unet3d".
        trained_on: hashes of the images that it was trained on (`image_hash`), to find a leak later.
        contrast: what its training images look like, to find an image of another sequence.
        dataset: hash of all images of its cohort, held out or not; the folds of one study have the same.
        scope: how large voxels and structures of its training were, to find an image beyond them.
    """

    def __init__(
        self,
        net: UNet,
        preprocess: Preprocess,
        tiling: Tiling,
        name: str,
        trained_on: Sequence[str] = (),
        dataset: str = "",
        contrast: Contrast | None = None,
        scope: Scope | None = None,
    ) -> None:
        self.net, self.preprocess, self.tiling, self.name = net, preprocess, tiling, name
        self.trained_on, self.dataset = [str(one) for one in trained_on], dataset
        self.contrast, self.scope = contrast, scope

    @property
    def preparation(self) -> str:
        """Names the preprocessing: members of which this is equal see the same prepared image."""
        return json.dumps(describe(self.preprocess), sort_keys=True)

    def recipe(self) -> dict[str, Any]:
        """The plain description from which `build` restores everything but the weights."""
        described = describe_member(self.net, self.preprocess, self.tiling)
        past = {"trained_on": self.trained_on, "dataset": self.dataset}
        known = {"contrast": describe(self.contrast), "scope": describe(self.scope)}
        return {"name": self.name, **described, **past, **known}

    def is_unusual(self, prepared: Prepared) -> bool:
        """Whether an image has another contrast than the training's; False where that cannot be told."""
        return (
            self.contrast is not None
            and self.contrast.is_cropped == prepared.is_cropped
            and self.contrast.is_unusual(prepared.image)
        )

    def softmax(self, prepared: Prepared, *, precision: str = "32-true") -> Softmax:
        """Probabilities on the image's own grid.

        Args:
            prepared: what `preprocess.prepare` gave.
            precision: "32-true", "bf16-mixed" or "16-mixed".
        """
        return self.preprocess.restore(self.probabilities(prepared, precision=precision), prepared.placement)

    def probabilities(self, prepared: Prepared, *, precision: str = "32-true") -> Tensor:
        """`(K, *S)` probabilities of the prepared voxels.

        Args:
            prepared: what `preprocess.prepare` gave.
            precision: "32-true", "bf16-mixed" or "16-mixed".
        """
        device = next(self.net.parameters()).device
        self.net.eval()
        with autocast(device, precision):
            return class_probabilities(self.net, prepared.image.to(device), self.tiling).cpu()


def describe_member(net: UNet, preprocess: Preprocess, tiling: Tiling) -> dict[str, Any]:
    """Plain descriptions of network, preprocessing and tiling, for checkpoints and model folders."""
    return {"net": describe(net), "preprocess": describe(preprocess), "tiling": describe(tiling)}


def autocast(device: torch.device, precision: str) -> AbstractContextManager:
    """The autocast context of a Lightning precision name."""
    kinds = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
    if precision not in kinds:
        return nullcontext()
    return torch.autocast(device.type, kinds[precision])


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the networks say of an image.

    Args:
        softmax: the probabilities of every member.
        flags: what a reader should know of the image itself.
    """

    softmax: list[Softmax]
    flags: tuple[str, ...]


def softmax_of(
    members: Sequence[Member],
    image: Image,
    *,
    side: Side | None = None,
    centre_mm: Sequence[float] | None = None,
    precision: str = "32-true",
    on_progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """The probabilities of every member; images that members prepare alike are prepared once.

    Args:
        members: the networks.
        image: the scan.
        side: the body side.
        centre_mm: head centre, LPS mm `(x, y, z)`; None slides a window over the whole image.
        precision: "32-true", "bf16-mixed" or "16-mixed".
        on_progress: called with networks done and networks in all.

    Raises:
        GeometryMismatch, NonFiniteVoxels, ConstantImage: as `Preprocess.prepare`.
        ModelMismatch: if a network was trained on other channels than the image has.
    """
    check_channels(members, len(image.channels))
    prepared: dict[str, Prepared] = {}
    results = []
    unusual = 0
    for done, member in enumerate(members, start=1):
        key = member.preparation
        if key not in prepared:
            prepared[key] = member.preprocess.prepare(image, side=side, centre_mm=centre_mm)
        results.append(member.softmax(prepared[key], precision=precision))
        unusual += member.is_unusual(prepared[key])
        if on_progress is not None:
            on_progress(done, len(members))
    flags = [*image_flags(image, side), *([Flag.UNUSUAL_CONTRAST] if 2 * unusual > len(members) else [])]
    if centre_mm is not None:
        flags += implant_flags(image, centre_mm)
    return Predicted(results, tuple(flags))


def check_channels(members: Sequence[Member], channels: int) -> None:
    """Nothing, if every network takes images of this many channels.

    Raises:
        ModelMismatch: if a network takes others.
    """
    for member in members:
        if member.net.in_channels != channels:
            raise ModelMismatch(
                f"{member.name} was trained on images of {member.net.in_channels} channel(s), found {channels}; give "
                "one file per channel in the order of the training, separated by ';'"
            )
