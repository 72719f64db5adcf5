"""The ensemble of networks, folds and configurations: what its members see in an image, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avnnet.data.preprocess import Prepared
from avnnet.data.softmax import Softmax
from avnnet.errors import GeometryMismatch, InvalidConfig, MissingCentre, ModelMismatch
from avnnet.flags import Flag, Flags
from avnnet.image import Image
from avnnet.inference.agreement import Marks
from avnnet.inference.engines import Engine
from avnnet.inference.implant import implant_flags
from avnnet.inference.member import Member
from avnnet.inference.quality import image_flags
from avnnet.inference.scout import cut_out, where_to_look
from avnnet.labels import LabelScheme, Side

OnNetwork = Callable[[int, int], None]
LARGER_THAN_A_CROP = 1.3
"""Along any axis; where it stops to do no harm is shown by benchmarks/without_centre.py."""


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the networks say of an image.

    Args:
        softmax: the mean probabilities of all members.
        by_name: those of each configuration, the mean of its folds; empty where nobody asked.
        marks: what each member alone marks.
        flags: what a reader should know of the image itself.
    """

    softmax: Softmax
    by_name: Mapping[str, Softmax]
    marks: Sequence[Marks]
    flags: Flags


@dataclass(eq=False)
class _Sum:
    """The sum of some members' probabilities on the voxels of one preparation."""

    member: Member
    prepared: Prepared
    name: str
    total: Tensor
    count: int = 1

    def mean(self) -> Softmax:
        mean, place = self.total / self.count, self.prepared.placement
        if not self.prepared.is_cropped:
            mean, place = cut_out(mean, place)
        return self.member.preprocess.restore(mean, place)


class Ensemble:
    """Networks that answer together: any mixture of 2D, 3D and folds.

    Args:
        members: trained networks.
        scheme: names of the label ids.
        engine: what computes the networks; torch in float32 by default.

    Raises:
        ModelMismatch: if there is no member, or a network has other classes than the scheme.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.grid import Grid
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.labels import HIP
        >>> from avnnet.models import UNet3D
        >>> nets = [UNet3D(channels=[2, 4], strides=[[2, 2, 2]]) for _ in range(2)]
        >>> members = [Member(net, Preprocess([1, 1, 1]), Tiling([8, 8, 8]), "unet3d") for net in nets]
        >>> ensemble = Ensemble(members, HIP).to("cpu")
        >>> image = Image(np.arange(512.0).reshape(8, 8, 8), Grid((8, 8, 8)))
        >>> single = [Ensemble([member], HIP).see(image).softmax.values for member in members]
        >>> np.allclose(ensemble.see(image).softmax.values, (single[0] + single[1]) / 2, atol=1e-6)
        True
    """

    def __init__(self, members: Sequence[Member], scheme: LabelScheme, *, engine: Engine | None = None) -> None:
        if not members:
            raise ModelMismatch("a model needs at least one trained network; found none")
        for member in members:
            if member.net.classes != scheme.classes:
                raise ModelMismatch(
                    f"{member.name} has {member.net.classes} classes, the scheme {scheme.structures} needs "
                    f"{scheme.classes}"
                )
        self.members, self.scheme, self.engine = list(members), scheme, engine or Engine()

    @property
    def names(self) -> list[str]:
        """The names of the configurations, each once: "unet2d", "unet3d"."""
        return list(dict.fromkeys(member.name for member in self.members))

    @property
    def trained_on(self) -> set[str]:
        """The hashes of all images (`image_hash`) that a network was trained on."""
        return {one for member in self.members for one in member.trained_on}

    def to(self, device: str | torch.device) -> Ensemble:
        """This ensemble with its networks on a device.

        Args:
            device: "cpu", "cuda", "cuda:1", ...; "auto" takes CUDA where there is one.

        Raises:
            InvalidConfig: if there is no such device.
        """
        chosen = _chosen(device)
        for member in self.members:
            member.net.to(chosen)
        return self

    def check_channels(self, channels: int) -> None:
        """Refuse images of another number of channels than a network was trained on.

        Raises:
            ModelMismatch: if one does.
        """
        for member in self.members:
            if member.net.in_channels != channels:
                raise ModelMismatch(
                    f"{member.name} was trained on images of {member.net.in_channels} channel(s), found {channels}; "
                    "give one file per channel in the order of the training, separated by ';'"
                )

    def see(
        self,
        image: Image,
        *,
        side: Side | None = None,
        centre_mm: Sequence[float] | None = None,
        by_name: bool = False,
        on_progress: OnNetwork | None = None,
    ) -> Predicted:
        """The mean probabilities of the members, taken in one by one, so that memory does not grow with their number.

        An image that members prepare alike is prepared once, and their sum goes the way back to the image's grid once:
        the interpolated mean is the mean of the interpolated. Of a large image one network looks first, and the others
        only near what it found (`scout`).

        Args:
            image: the scan.
            side: the body side; a left hip is mirrored for the networks and back.
            centre_mm: head centre, LPS mm `(x, y, z)`; None slides a window over the whole image.
            by_name: also give the mean of each configuration.
            on_progress: called with networks done and networks in all.

        Raises:
            GeometryMismatch, NonFiniteVoxels, ConstantImage: as `Preprocess.prepare`.
            ModelMismatch: if a network was trained on other channels than the image has.
            MissingCentre: if there is no centre, a network has seen crops alone, and the image is much larger.
        """
        self.check_channels(len(image.channels))
        prepared: dict[str, Prepared] = {}
        for member in self.members:
            if member.preparation not in prepared:
                prepared[member.preparation] = member.preprocess.prepare(image, side=side, centre_mm=centre_mm)
        for member in self.members:
            _check_not_lost(member, prepared[member.preparation])
        looked = where_to_look(self.members, prepared, self.engine)
        sums: dict[tuple[str, str], _Sum] = {}
        marks: list[Marks] = []
        unusual = 0
        for done, member in enumerate(self.members, start=1):
            here = prepared[member.preparation]
            found = member.probabilities(here, self.engine, looked.get(member.preparation))
            marks.append(Marks.of(found, here.placement, member.name))
            key = member.preparation, member.name if by_name else ""
            if key in sums:
                sums[key].total += found
                sums[key].count += 1
            else:
                sums[key] = _Sum(member, here, key[1], found.clone())
            unusual += member.is_unusual(here)
            if on_progress is not None:
                on_progress(done, len(self.members))
        flags = image_flags(image, side) | ([Flag.UNUSUAL_CONTRAST] if 2 * unusual > len(self.members) else [])
        if centre_mm is not None:
            flags |= implant_flags(image, centre_mm)
        means = [(one.name, one.mean(), one.count) for one in sums.values()]

        def of(names: Sequence[str]) -> Softmax:
            parts = [(mean, count) for name, mean, count in means if name in names]
            return mean_softmax([mean for mean, _ in parts], [count for _, count in parts])

        each = {name: of([name]) for name in self.names if by_name}
        return Predicted(of([name for name, *_ in means]), each, marks, flags)


def mean_softmax(members: Sequence[Softmax], counts: Sequence[int] | None = None) -> Softmax:
    """The ensemble: the voxel-wise mean of the members' probabilities, in the box that holds all of theirs.

    Args:
        members: probabilities of the same image by different networks, folds or configurations.
        counts: of how many networks each is the mean; 1 for all by default.

    Raises:
        GeometryMismatch: if there is no member, or they lie on different grids.

    Source: Isensee et al., Nat Methods 2021;18:203 (configurations are ensembled by averaging softmax).

    Examples:
        >>> from avnnet.grid import Grid
        >>> grid = Grid((1, 1, 2))
        >>> a = Softmax(np.array([[[[0.9]]], [[[0.1]]]], np.float32), (0, 0, 0), grid)
        >>> b = Softmax(np.array([[[[0.5, 0.2]]], [[[0.5, 0.8]]]], np.float32), (0, 0, 0), grid)
        >>> mean_softmax([a, b]).values[1, 0, 0].tolist() == [np.float32(0.3), np.float32(0.4)]
        True
        >>> mean_softmax([a, b], [3, 1]).values[1, 0, 0].tolist() == [np.float32(0.2), np.float32(0.2)]
        True
    """
    if not members:
        raise GeometryMismatch("an ensemble needs at least one member")
    grid = members[0].grid
    if any(not member.grid.is_close(grid) for member in members):
        raise GeometryMismatch("all members of an ensemble must lie on the grid of the same image")
    if len(members) == 1:
        return members[0]
    weights = [1] * len(members) if counts is None else list(counts)
    start = np.min([m.start for m in members], axis=0)
    stop = np.max([np.add(m.start, m.values.shape[1:]) for m in members], axis=0)
    total = np.zeros((len(members[0].values), *(stop - start)), np.float32)
    for member, weight in zip(members, weights, strict=True):
        inside = tuple(slice(s.start - o, s.stop - o) for s, o in zip(member.box, start, strict=True))
        total[(slice(None), *inside)] += member.values * np.float32(weight)
        outside = np.full(total.shape[1:], weight, np.float32)
        outside[inside] = 0
        total[0] += outside
    return Softmax(total / np.float32(sum(weights)), (int(start[0]), int(start[1]), int(start[2])), grid)


def _check_not_lost(member: Member, here: Prepared) -> None:
    """Refuse what a network was never shown the like of: what lies farther from a head than its crops reached."""
    crop, shape = member.preprocess.crop, here.image.shape[1:]
    if here.is_cropped or crop is None or member.contrast is None or not member.contrast.is_cropped:
        return
    if any(n > LARGER_THAN_A_CROP * size for n, size in zip(shape, crop, strict=True)):
        seen, size = (
            [f"{n * mm:.0f}" for n, mm in zip(one, here.placement.spacing_mm, strict=True)] for one in (crop, shape)
        )
        raise MissingCentre(
            f"{member.name} has seen crops of {' x '.join(seen)} mm around heads alone, and marks wrong things in a "
            f"scan of {' x '.join(size)} mm. Say where the head is (--centre and --side), or take a model with a "
            "locator, which a study trains with --locator LOCATOR.yaml"
        )


def _chosen(device: str | torch.device) -> str | torch.device:
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device).item()  # the device meta has no numbers
    except (RuntimeError, AssertionError) as error:
        cuda = f"there are {torch.cuda.device_count()} CUDA devices here"
        raise InvalidConfig(f"there is no device {device} ({cuda}); take auto, cpu, cuda or cuda:NUMBER") from error
    return device
