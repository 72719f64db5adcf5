"""A network as a program of torch.export: image to probabilities, at the sizes it was traced for and no other."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from avnnet.atomic import check_absent, whole_file
from avnnet.errors import InvalidNetwork
from avnnet.exchange.card import card, chosen_member
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.models import NetworkLike

MAX_VOXELS_PER_AXIS = 4096  # as of images
MIN_VOXELS_PER_AXIS = 3  # the least that torch's guards hold: of 2 they think that 1 is known not to be
MAX_BATCH = 1024
MAX_DIFFERENCE = 1e-4
CARD = "avnnet.json"


class Probabilities(nn.Module):
    """A network that gives probabilities in place of logits.

    Args:
        net: keeps the contract of `NetworkLike`.

    Examples:
        >>> from avnnet.models import UNet2D
        >>> seen = Probabilities(UNet2D([2, 4], [[2, 2]]))(torch.zeros(1, 1, 4, 4))
        >>> torch.allclose(seen.sum(dim=1), torch.ones(1, 4, 4))
        True
    """

    def __init__(self, net: NetworkLike) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        """Probabilities `(B, classes, *S)` of an image `(B, in_channels, *S)`.

        Examples:
            >>> from avnnet.models import UNet2D
            >>> Probabilities(UNet2D([2, 4], [[2, 2]]))(torch.zeros(2, 1, 4, 4)).shape
            torch.Size([2, 3, 4, 4])
        """
        return self.net(image).float().softmax(dim=1)


@dataclass(frozen=True)
class Sizes:
    """The sizes of image that a program takes.

    Args:
        steps: each axis is a multiple of its step.
        least: the smallest size per axis.
        most: the largest size per axis.
    """

    steps: tuple[int, ...]
    least: tuple[int, ...]
    most: tuple[int, ...]

    @property
    def is_open(self) -> bool:
        """Whether there is more than one.

        Examples:
            >>> Sizes((8, 8), (8, 8), (8, 8)).is_open
            False
        """
        return self.least != self.most

    def __str__(self) -> str:
        least, most, steps = (" x ".join(map(str, one)) for one in (self.least, self.most, self.steps))
        return f"{least} to {most} voxels in multiples of {steps}" if self.is_open else f"{least} voxels"

    def card(self) -> dict[str, list[int]]:
        """As it stands in a file.

        Examples:
            >>> Sizes((2, 2), (4, 4), (8, 8)).card()
            {'multiples_of': [2, 2], 'least': [4, 4], 'most': [8, 8]}
        """
        return {"multiples_of": list(self.steps), "least": list(self.least), "most": list(self.most)}

    def tried(self, patch: Sequence[int]) -> list[tuple[int, ...]]:
        """Sizes to compare a program at: the patch, the smallest, and the next one.

        Args:
            patch: that the network was trained on.

        Examples:
            >>> Sizes((2, 2), (4, 4), (8, 8)).tried([8, 8])
            [(8, 8), (4, 4), (6, 6)]
        """
        further = [min(size + step, top) for size, step, top in zip(self.least, self.steps, self.most, strict=True)]
        return list(dict.fromkeys((tuple(patch), self.least, tuple(further))))


@dataclass(frozen=True)
class Traced:
    """A program and the sizes that it takes.

    Args:
        program: `image` to `probabilities`.
        sizes: that it takes; others are refused by the program itself.
        example: an image that it was traced with.
    """

    program: ExportedProgram
    sizes: Sizes
    example: Tensor


def traced(member: Member) -> Traced:
    """The program of a network: any multiple of its divisors from two of them and three voxels on, or its patch alone.

    An axis of which the patch has less keeps its size. Where the network cannot be traced with open sizes, it is
    traced with those of its patch.

    Args:
        member: a network with its tiling.

    Raises:
        InvalidNetwork: if torch.export does not take the network, with its reason, or gives other probabilities.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet2D
        >>> member = Member(UNet2D([2, 4], [[2, 2]]), Preprocess([1, 1, 1]), Tiling([1, 8, 8]), "unet2d")
        >>> traced(member).sizes.least
        (4, 4)
    """
    net, patch = member.net, tuple(member.tiling.patch[-member.net.ndim :])
    net.eval()
    steps = tuple(net.divisors)
    lowest = [max(2 * step, MIN_VOXELS_PER_AXIS) for step in steps]
    single = [size < low for size, low in zip(patch, lowest, strict=True)]
    least = tuple(size if one else low for size, low, one in zip(patch, lowest, single, strict=True))
    most = tuple(
        size if one else MAX_VOXELS_PER_AXIS // step * step
        for size, step, one in zip(patch, steps, single, strict=True)
    )
    try:
        found = _traced(net, Sizes(steps, least, most))
    except Exception:  # whatever the exporter meets; most often a size that the network computes with
        try:
            found = _traced(net, Sizes(patch, patch, patch))
        except Exception as error:
            lines = str(error).splitlines() or [""]
            raise InvalidNetwork(
                f"torch.export takes no {member.name} ({type(net).__name__}), neither for open sizes nor for its patch "
                f"{list(patch)}: {type(error).__name__}: {lines[0][:300]}; forward must not depend on the values of "
                "its image. avnnet.models.check_network says more"
            ) from error
    check_equal(member, found.sizes, found.program.module(), "the program")
    return found


def _traced(net: NetworkLike, sizes: Sizes) -> Traced:
    dims: dict[int, Any] = {0: Dim("batch", min=1, max=MAX_BATCH)}
    shape = list(sizes.least)
    for axis, (step, low, high) in enumerate(zip(sizes.steps, sizes.least, sizes.most, strict=True)):
        if low < high:
            count = Dim(f"count{axis}", min=low // step, max=high // step)
            dims[axis + 2] = step * count if step > 1 else count
            shape[axis] = (axis + 3) * step  # unlike on every axis, so that none is taken for another
    example = torch.zeros(2, net.in_channels, *shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the exporter says of tensors that MONAI keeps between calls
        program = torch.export.export(Probabilities(net).eval(), (example,), dynamic_shapes=(dims,))
    return Traced(program, sizes, example)


@torch.no_grad()
def check_equal(member: Member, sizes: Sizes, run: Callable[[Tensor], Tensor], what: str) -> float:
    """The largest difference of probabilities between a network and what was written of it.

    Args:
        member: the network.
        sizes: that the program takes.
        run: image to probabilities, by the program.
        what: names the program.

    Raises:
        InvalidNetwork: if it is above `MAX_DIFFERENCE`.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet2D
        >>> member = Member(UNet2D([2, 4], [[2, 2]]), Preprocess([1, 1, 1]), Tiling([1, 8, 8]), "unet2d")
        >>> check_equal(member, Sizes((2, 2), (4, 4), (8, 8)), Probabilities(member.net), "itself")
        0.0
    """
    own, numbers = Probabilities(member.net).eval(), torch.Generator().manual_seed(1)
    worst = 0.0
    for size in sizes.tried(member.tiling.patch[-member.net.ndim :]):
        image = torch.randn(1, member.net.in_channels, *size, generator=numbers)
        difference = float((run(image) - own(image)).abs().max())
        if not difference <= MAX_DIFFERENCE:
            raise InvalidNetwork(
                f"{what} of {member.name} gives other probabilities than the network, by {difference:.2g} at "
                f"{list(size)}; at most {MAX_DIFFERENCE:g} is taken. Nothing was written"
            )
        worst = max(worst, difference)
    return worst


def write_torch_export(model: Segmenter, path: str | Path, *, number: int | None = None) -> Sizes:
    """The sizes that the program takes which was written: a `.pt2` file that torch runs without avnnet.

    `torch.export.load(path).module()` is the program; it refuses other sizes. `avnnet.json` of its `extra_files` is
    the card: labels, spacing, normalisation.

    Args:
        model: a trained model.
        path: the file to make.
        number: which network of the model, from 1; None where it has one.

    Raises:
        OutputNotWritable: if the path exists.
        InvalidConfig: if the model has several networks and none is chosen.
        InvalidNetwork: if torch.export does not take the network.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.labels import HIP
        >>> from avnnet.models import UNet2D
        >>> member = Member(UNet2D([2, 4], [[2, 2]]), Preprocess([1, 1, 1]), Tiling([1, 8, 8]), "unet2d")
        >>> with TemporaryDirectory() as folder:
        ...     print(write_torch_export(Segmenter([member], HIP), Path(folder) / "net.pt2"))
        4 x 4 to 4096 x 4096 voxels in multiples of 2 x 2
    """
    path = Path(path)
    check_absent(path)
    member = chosen_member(model, number)
    found = traced(member)
    said = {**card(model, member), "sizes": found.sizes.card()}
    save_program(found.program, path, said)
    return found.sizes


def save_program(program: ExportedProgram, path: Path, said: dict[str, Any]) -> None:
    """Writes a program with its card.

    Args:
        program: of torch.export.
        path: a `.pt2` file.
        said: its card.
    """
    with whole_file(path) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a suffix that is not .pt2
        torch.export.save(program, partial, extra_files={CARD: json.dumps(said, indent=1)})
