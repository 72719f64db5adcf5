"""An ensemble of trained networks, from an image to a segmentation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from avnnet.errors import ModelMismatch
from avnnet.image import Image
from avnnet.inference.heads import side_flags
from avnnet.inference.locate import Locator
from avnnet.inference.mask import mask_of
from avnnet.inference.member import Member, softmax_of
from avnnet.inference.segmentation import Segmentation
from avnnet.labels import HIP, LabelScheme, Side


class Segmenter:
    """The ensemble: the mean softmax of all members.

    Args:
        members: trained networks, any mixture of 2D, 3D and folds.
        scheme: names of the label ids.
        precision: "32-true", "bf16-mixed" or "16-mixed".
        planned: how many networks the study is to have in the end; 0 stands for those there are.
        locator: finds the heads in an image whose centres are not known.

    Raises:
        ModelMismatch: if there is no member, or a network has other classes than the scheme.
    """

    def __init__(
        self,
        members: Sequence[Member],
        scheme: LabelScheme,
        *,
        precision: str = "32-true",
        planned: int = 0,
        locator: Locator | None = None,
    ) -> None:
        if not members:
            raise ModelMismatch("a model needs at least one trained network; found none")
        for member in members:
            if member.net.classes != scheme.classes:
                raise ModelMismatch(
                    f"{member.name} has {member.net.classes} classes, the scheme {scheme.structures} needs "
                    f"{scheme.classes}"
                )
        self.members, self.scheme, self.precision = list(members), scheme, precision
        self.planned = max(planned, len(self.members))
        self.locator = locator

    def summary(self) -> str:
        """The networks in one line, and whether their study is finished."""
        counts = Counter(member.name for member in self.members)
        text = f"{len(self.members)} networks: " + ", ".join(f"{n} x {name}" for name, n in counts.items())
        lacking = self.planned - len(self.members)
        return text + (f"; {lacking} of {self.planned} are lacking, their study is not finished" if lacking else "")

    @property
    def trained_on(self) -> set[str]:
        """The hashes of all images (`image_hash`) that a network or the locator was trained on."""
        finders = [] if self.locator is None else self.locator.members
        return {one for member in (*self.members, *finders) for one in member.trained_on}

    def to(self, device: str | torch.device) -> Segmenter:
        """This model with its networks on a device."""
        for member in (*self.members, *(self.locator.members if self.locator is not None else ())):
            member.net.to(device)
        return self

    def predict(
        self,
        image: Image,
        *,
        side: Side | str | None = None,
        centre_mm: Sequence[float] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Segmentation:
        """The segmentation of one hip, on the image's own grid.

        Args:
            image: the scan, in any axis order.
            side: "left" or "right"; a left hip is mirrored for the network and back. Without it, or where the
                centre lies far on the other side of the scanner, the mask of a hip is flagged `side_unverified`.
            centre_mm: head centre, LPS mm `(x, y, z)`. Without it a window slides over the whole image, slower
                and with the risk of marking the other hip; `predict_hips` finds the heads first.
            on_progress: called with networks done and networks in all.

        Raises:
            GeometryMismatch: if the centre is outside the image.
            NonFiniteVoxels, ConstantImage: if there is nothing to see.
        """
        side = None if side is None else Side(side)
        predicted = softmax_of(
            self.members, image, side=side, centre_mm=centre_mm, precision=self.precision, on_progress=on_progress
        )
        found = mask_of(image, self.members, predicted.softmax, self.scheme, is_one_head=centre_mm is not None)
        provenance = {
            "networks": [member.name for member in self.members],
            "side": None if side is None else side.value,
            "centre_mm": None if centre_mm is None else [float(c) for c in centre_mm],
        }
        doubts = side_flags(centre_mm, side) if self.scheme == HIP else ()
        flags = (*found.flags, *predicted.flags, *doubts)
        return Segmentation(image, found.labels, found.probabilities, provenance, flags)

    def predict_hips(
        self,
        image: Image,
        *,
        side: Side | str | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> list[Segmentation]:
        """The segmentation of every hip that the locator finds in an image, the right one first; none without a head.

        Args:
            image: the scan, in any axis order.
            side: only the hip of this side.
            on_progress: called with networks done and networks in all, for each hip anew.

        Raises:
            ModelMismatch: if the model has no locator.
            NonFiniteVoxels, ConstantImage: if there is nothing to see.
        """
        if self.locator is None:
            raise ModelMismatch(
                "this model has no locator; give the head centre, or train one in the study: --locator LOCATOR.yaml"
            )
        found = []
        for head in self.locator.find(image):
            if side is not None and head.side is not None and head.side != Side(side):
                continue
            hip = self.predict(image, side=head.side or side, centre_mm=head.centre_mm, on_progress=on_progress)
            hip.provenance["radius_mm"] = head.radius_mm
            found.append(replace(hip, flags=tuple(dict.fromkeys([*hip.flags, *head.flags]))))
        return found
