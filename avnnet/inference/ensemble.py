"""The ensemble of networks, folds and configurations: what its members see in an image, and their mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from avnnet.data.preprocess import Prepared
from avnnet.data.softmax import Softmax
from avnnet.errors import GeometryMismatch, InvalidConfig, ModelMismatch
from avnnet.flags import Flag, Flags
from avnnet.image import Image
from avnnet.inference.implant import implant_flags
from avnnet.inference.member import Member
from avnnet.inference.quality import image_flags
from avnnet.labels import LabelScheme, Side

OnNetwork = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the networks say of an image.

    Args:
        softmax: the probabilities of every member, in their order.
        flags: what a reader should know of the image itself.
    """

    softmax: list[Softmax]
    flags: Flags


class Ensemble:
    """Networks that answer together: any mixture of 2D, 3D and folds.

    Args:
        members: trained networks.
        scheme: names of the label ids.
        precision: "32-true", "bf16-mixed" or "16-mixed".

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
        >>> single = ensemble.see(image).softmax
        >>> np.allclose(ensemble.mean(image).values, (single[0].values + single[1].values) / 2, atol=1e-6)
        True
    """

    def __init__(self, members: Sequence[Member], scheme: LabelScheme, *, precision: str = "32-true") -> None:
        if not members:
            raise ModelMismatch("a model needs at least one trained network; found none")
        for member in members:
            if member.net.classes != scheme.classes:
                raise ModelMismatch(
                    f"{member.name} has {member.net.classes} classes, the scheme {scheme.structures} needs "
                    f"{scheme.classes}"
                )
        self.members, self.scheme, self.precision = list(members), scheme, precision

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
        on_progress: OnNetwork | None = None,
    ) -> Predicted:
        """The probabilities of every member; an image that members prepare alike is prepared once.

        Args:
            image: the scan.
            side: the body side; a left hip is mirrored for the networks and back.
            centre_mm: head centre, LPS mm `(x, y, z)`; None slides a window over the whole image.
            on_progress: called with networks done and networks in all.

        Raises:
            GeometryMismatch, NonFiniteVoxels, ConstantImage: as `Preprocess.prepare`.
            ModelMismatch: if a network was trained on other channels than the image has.
        """
        self.check_channels(len(image.channels))
        prepared: dict[str, Prepared] = {}
        results = []
        unusual = 0
        for done, member in enumerate(self.members, start=1):
            key = member.preparation
            if key not in prepared:
                prepared[key] = member.preprocess.prepare(image, side=side, centre_mm=centre_mm)
            results.append(member.softmax(prepared[key], precision=self.precision))
            unusual += member.is_unusual(prepared[key])
            if on_progress is not None:
                on_progress(done, len(self.members))
        flags = image_flags(image, side) | ([Flag.UNUSUAL_CONTRAST] if 2 * unusual > len(self.members) else [])
        if centre_mm is not None:
            flags |= implant_flags(image, centre_mm)
        return Predicted(results, flags)

    def mean(self, image: Image) -> Softmax:
        """The mean probabilities over a whole image, where nobody asks for those of single members.

        Members that prepare images alike are averaged before the way back to the image's grid: a mean of interpolated
        values is the interpolated mean, and the way back takes most of the time.

        Args:
            image: the scan.

        Raises:
            NonFiniteVoxels, ConstantImage, NotAVolume, ModelMismatch: as `see`.
        """
        self.check_channels(len(image.channels))
        groups: dict[str, list[Member]] = {}
        for member in self.members:
            groups.setdefault(member.preparation, []).append(member)
        restored, shares = [], []
        for group in groups.values():
            prepared = group[0].preprocess.prepare(image)
            total = torch.stack([member.probabilities(prepared, precision=self.precision) for member in group])
            restored.append(group[0].preprocess.restore(total.mean(dim=0), prepared.placement))
            shares += [len(restored) - 1] * len(group)
        return restored[0] if len(restored) == 1 else mean_softmax([restored[share] for share in shares])


def mean_softmax(members: Sequence[Softmax]) -> Softmax:
    """The ensemble: the voxel-wise mean of the members' probabilities, in the box that holds all of theirs.

    Args:
        members: probabilities of the same image by different networks, folds or configurations.

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
    """
    if not members:
        raise GeometryMismatch("an ensemble needs at least one member")
    grid = members[0].grid
    if any(not member.grid.is_close(grid) for member in members):
        raise GeometryMismatch("all members of an ensemble must lie on the grid of the same image")
    start = np.min([m.start for m in members], axis=0)
    stop = np.max([np.add(m.start, m.values.shape[1:]) for m in members], axis=0)
    total = np.zeros((len(members[0].values), *(stop - start)), np.float32)
    for member in members:
        inside = tuple(slice(s.start - o, s.stop - o) for s, o in zip(member.box, start, strict=True))
        total[(slice(None), *inside)] += member.values
        outside = np.ones(total.shape[1:], np.float32)
        outside[inside] = 0
        total[0] += outside
    return Softmax(total / len(members), (int(start[0]), int(start[1]), int(start[2])), grid)


def _chosen(device: str | torch.device) -> str | torch.device:
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=device).item()  # the device meta has no numbers
    except (RuntimeError, AssertionError) as error:
        cuda = f"there are {torch.cuda.device_count()} CUDA devices here"
        raise InvalidConfig(f"there is no device {device} ({cuda}); take auto, cpu, cuda or cuda:NUMBER") from error
    return device
