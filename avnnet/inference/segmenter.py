"""A trained model: from an image to the segmentation of every hip in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from avnnet.data.softmax import Softmax
from avnnet.errors import InvalidConfig
from avnnet.flags import Flag, Flags
from avnnet.image import Image
from avnnet.inference.cleaning import Cleaning, usual_cleaning
from avnnet.inference.engines import Engine
from avnnet.inference.ensemble import Ensemble, OnNetwork
from avnnet.inference.fast import FastSet
from avnnet.inference.heads import FoundHead, side_flags
from avnnet.inference.implant import implants_in
from avnnet.inference.locate import Locator
from avnnet.inference.mask import mask_of
from avnnet.inference.member import Member
from avnnet.inference.segmentation import Segmentation, nothing_found
from avnnet.labels import HIP, LabelScheme, Side


class Segmenter:
    """The ensemble, the mean softmax of all members, with the locator that finds the heads for it.

    Args:
        members: trained networks, any mixture of 2D, 3D and folds.
        scheme: names of the label ids.
        engine: what computes the networks; torch in float32 by default.
        planned: how many networks the study is to have in the end; 0 stands for those there are.
        locator: finds the heads in an image whose centres are not known.
        sha256: names the model folder that it was loaded from; empty where there is none.
        cleaning: what is done with a mask after the networks, as their study's held-out cases have decided. None is the
            usual: of a mask around one head, the largest piece is kept.
        fast: the networks that its study found to be enough; None where no study has.

    Raises:
        ModelMismatch: if there is no member, or a network has other classes than the scheme.

    Examples:
        >>> import numpy as np
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.grid import Grid
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
        >>> member = Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d", trained_on=["a1b2"])
        >>> model = Segmenter([member], HIP, planned=5).to("cpu")
        >>> model.summary(), model.trained_on
        ('1 networks: 1 x unet3d; 4 of 5 are lacking, their study is not finished', {'a1b2'})
        >>> image = Image(np.arange(512.0).reshape(8, 8, 8), Grid((8, 8, 8)))
        >>> len(model.hips(image)), model.predict(image, side="left").labels.grid == image.grid
        (1, True)
    """

    def __init__(
        self,
        members: Sequence[Member],
        scheme: LabelScheme,
        *,
        engine: Engine | None = None,
        planned: int = 0,
        locator: Locator | None = None,
        sha256: str = "",
        cleaning: Cleaning | None = None,
        fast: FastSet | None = None,
    ) -> None:
        self.ensemble = Ensemble(members, scheme, engine=engine)
        self.members, self.scheme, self.engine = self.ensemble.members, scheme, self.ensemble.engine
        self.planned = max(planned, len(self.members))
        self.locator, self.sha256, self.cleaning, self.fast = locator, sha256, cleaning, fast
        self.is_fast = False

    def as_fast(self) -> Segmenter:
        """This model with the networks alone that its study found to be enough, and one of its locators.

        In cross-validation they lose at most 0.01 of the mean Dice of every label against one network of each
        configuration; what all folds together are better than these, held-out cases cannot say.

        Raises:
            InvalidConfig: if no study has found any.
        """
        if self.fast is None:
            raise InvalidConfig(
                f"nothing says which of this model's {len(self.members)} networks are enough: a study finds it when "
                "all its folds are done. Leave --fast out, or give OUT/model of a finished study"
            )
        taken = [next(one for one in self.members if one.name == name) for name in self.fast.networks]
        finder = None if self.locator is None else self.locator.ensemble
        one = None if finder is None else Locator(Ensemble(finder.members[:1], finder.scheme, engine=finder.engine))
        model = Segmenter(
            taken, self.scheme, engine=self.engine, locator=one, sha256=self.sha256, cleaning=self.cleaning
        )
        model.is_fast = True
        return model

    def summary(self) -> str:
        """The networks in one line, how their masks are cleaned, and whether their study is finished."""
        counts = Counter(member.name for member in self.members)
        text = f"{len(self.members)} networks: " + ", ".join(f"{n} x {name}" for name, n in counts.items())
        if self.decided_steps:
            text += f"; masks cleaned by {', '.join(self.decided_steps)}"
        lacking = self.planned - len(self.members)
        return text + (f"; {lacking} of {self.planned} are lacking, their study is not finished" if lacking else "")

    @property
    def decided_steps(self) -> tuple[str, ...]:
        """The steps of `avnnet.inference.cleaning` that its study keeps; none also where no study has decided."""
        return () if self.cleaning is None else self.cleaning.steps

    @property
    def trained_on(self) -> set[str]:
        """The hashes of all images (`image_hash`) that a network or the locator was trained on."""
        finders = set() if self.locator is None else self.locator.ensemble.trained_on
        return self.ensemble.trained_on | finders

    def to(self, device: str | torch.device) -> Segmenter:
        """This model with its networks on a device.

        Args:
            device: "cpu", "cuda", "cuda:1", ...; "auto" takes CUDA where there is one.

        Raises:
            InvalidConfig: if there is no such device.
        """
        self.ensemble.to(device)
        if self.locator is not None:
            self.locator.ensemble.to(device)
        return self

    def hips(
        self,
        image: Image,
        *,
        side: Side | str | None = None,
        centre_mm: Sequence[float] | None = None,
        heads: Sequence[FoundHead] | None = None,
        by_network: bool = False,
        on_progress: OnNetwork | None = None,
        on_hip: Callable[[Segmentation], object] | None = None,
    ) -> list[Segmentation]:
        """The segmentation of every hip in an image, on the image's own grid, the right one first.

        This is the one recipe for a hip, whoever asks: a command, a study or a notebook. Around a centre that is given
        the networks see one crop. Without one the locator finds the heads; where it finds none, or metal stands in the
        place of one, there is a segmentation with an empty mask and the flag `head_not_found`. A model without a
        locator slides a window over the whole image, slower and with the risk of marking both hips in one mask; where
        its networks were trained on crops around heads alone, an image that is much larger than these is refused.

        Args:
            image: the scan, in any axis order.
            side: "left" or "right": only this hip. A left hip is mirrored for the networks and back. Without it, or
                where the centre lies far on the other side of the scanner, a hip is flagged `side_unverified`.
            centre_mm: head centre, LPS mm `(x, y, z)`, of the only hip that is wanted.
            heads: what `Locator.find` has found in this image before; only these are segmented, and none of them
                stands for a head that was looked for and not found.
            by_network: also give the mask of each configuration alone, in `Segmentation.by_network`.
            on_progress: called with networks done and networks in all, for each hip anew.
            on_hip: called with each hip when it is made, before the networks see the next one.

        Raises:
            GeometryMismatch: if the centre is outside the image.
            NonFiniteVoxels, ConstantImage: if there is nothing to see.
            ModelMismatch: if the image has other channels than the networks were trained on.
            MissingCentre: if there is neither centre nor locator, and the networks have seen crops alone.

        Examples:
            >>> import numpy as np
            >>> from avnnet.data.preprocess import Preprocess
            >>> from avnnet.grid import Grid
            >>> from avnnet.inference.tiling import Tiling
            >>> from avnnet.models import UNet3D
            >>> net = UNet3D(channels=[2, 4], strides=[[2, 2, 2]])
            >>> model = Segmenter([Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d")], HIP)
            >>> image = Image(np.arange(512.0).reshape(8, 8, 8), Grid((8, 8, 8)))
            >>> [hip.networks for hip in model.hips(image, side="left")]
            [('unet3d',)]
        """
        side = None if side is None else Side(side)
        hips: list[Segmentation] = []

        def made(hip: Segmentation) -> None:
            hips.append(hip)
            if on_hip is not None:
                on_hip(hip)

        if centre_mm is not None or (heads is None and self.locator is None):
            made(self._segmented(image, side, centre_mm, None, by_network, on_progress))
            return hips
        found = list(heads or ()) if heads is not None or self.locator is None else self.locator.find(image)
        for head in found:
            if side is None or head.side in (None, side):
                made(self._segmented(image, head.side or side, head.centre_mm, head, by_network, on_progress))
        if not heads:
            for hip in self._without_head(image, side, found, by_network, bool(hips)):
                made(hip)
        return hips

    def predict(
        self,
        image: Image,
        *,
        side: Side | str | None = None,
        centre_mm: Sequence[float] | None = None,
        on_progress: OnNetwork | None = None,
    ) -> Segmentation:
        """The segmentation of the only hip in an image; of an image with two, `hips` gives both.

        Args:
            image: the scan, in any axis order.
            side: as of `hips`.
            centre_mm: as of `hips`.
            on_progress: called with networks done and networks in all.

        Raises:
            InvalidConfig: if the locator finds two hips, and no side says which.
            GeometryMismatch, NonFiniteVoxels, ConstantImage, ModelMismatch: as `hips`.
        """
        hips = self.hips(image, side=side, centre_mm=centre_mm, on_progress=on_progress)
        if len(hips) > 1:
            raise InvalidConfig(
                f"predict gives one hip, and this image holds {len(hips)}; say side=, or take all of them: hips(image)"
            )
        return hips[0]

    def _segmented(
        self,
        image: Image,
        side: Side | None,
        centre_mm: Sequence[float] | None,
        head: FoundHead | None,
        by_network: bool,
        on_progress: OnNetwork | None,
    ) -> Segmentation:
        """The hip at a place, or wherever the networks see one; with the flags of image, mask, side and head."""
        predicted = self.ensemble.see(
            image, side=side, centre_mm=centre_mm, by_name=by_network, on_progress=on_progress
        )
        doubts = side_flags(centre_mm, side) if self.scheme == HIP else Flags()
        place = None if centre_mm is None else (float(centre_mm[0]), float(centre_mm[1]), float(centre_mm[2]))

        def of(names: Sequence[str], softmax: Softmax) -> Segmentation:
            members = [member for member in self.members if member.name in names]
            marks = [one for one in predicted.marks if one.name in names]
            mask = mask_of(image, members, softmax, marks, self.scheme, self._cleaning_of(centre_mm))
            flags = mask.flags | predicted.flags | doubts | (() if head is None else head.flags)
            networks = tuple(member.name for member in members)
            radius_mm = None if head is None else head.radius_mm
            return Segmentation(image, mask.labels, mask.probabilities, side, place, radius_mm, networks, flags)

        each = {name: of([name], softmax) for name, softmax in predicted.by_name.items()}
        return replace(of(self.ensemble.names, predicted.softmax), by_network=each)

    def _cleaning_of(self, centre_mm: Sequence[float] | None) -> Cleaning:
        """What was decided holds where a scan is seen as in the study: networks of a crop saw one head there alone."""
        is_elsewhere = centre_mm is None and any(one.preprocess.crop for one in self.members)
        return usual_cleaning(centre_mm) if self.cleaning is None or is_elsewhere else self.cleaning

    def _without_head(
        self, image: Image, side: Side | None, found: Sequence[FoundHead], by_network: bool, is_found: bool
    ) -> list[Segmentation]:
        """The hips without a head: those where an implant stands, or the only one if no head was found."""
        flags: dict[Side | None, Flags] = {
            void.side: Flags([Flag.HEAD_NOT_FOUND, Flag.IMPLANT_SUSPECTED])
            for void in implants_in(image, [head.centre_mm for head in found])
            if side is None or void.side == side
        }
        if not is_found and not flags:
            flags = {side: Flags([Flag.HEAD_NOT_FOUND])}
        networks = tuple(member.name for member in self.members)
        nothing = [nothing_found(image, self.scheme, one, networks, words) for one, words in flags.items()]
        names = self.ensemble.names if by_network else []
        return [replace(hip, by_network=dict.fromkeys(names, hip)) for hip in nothing]
