"""What a module gives for an image, found by looking: its classes, and the sizes that it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from avnnet.errors import AvnnetError, InvalidNetwork
from avnnet.models.paper import check_logits, in_evaluation, on_paper

SIZES = (32, 64, 96, 128, 16, 8, 144, 240, 225, 196, 256)  # voxels along every axis, tried in turn
DIVISORS = (1, 2, 4, 8, 16, 32, 64, 3, 6, 12, 24, 48, 9, 18, 36, 27, 54, 5, 10, 20, 40, 25, 50, 7, 14, 28, 56)
PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 257, 263)
REAL_SIZES = SIZES[:2]


class Looks:
    """A module that is looked at, on paper where that can be done.

    Args:
        sketch: the module on the meta device.
        body: the module itself, for one that has to compute with numbers.
        channels: of an image.
        ndim: 2 or 3.
        name: of the module, for errors.

    Examples:
        >>> layer = nn.Conv2d(1, 5, 3, padding=1)
        >>> looks = Looks(layer, layer, 1, 2, "Conv2d")
        >>> looks.classes(None), looks.divisors()
        (5, [1, 1])
    """

    def __init__(self, sketch: nn.Module, body: nn.Module, channels: int, ndim: int, name: str) -> None:
        self.sketch, self.body, self.channels, self.ndim, self.name = sketch, body, channels, ndim, name
        self.size: list[int] = []
        self.is_on_paper = True

    def classes(self, divisors: Sequence[int] | None) -> int:
        """How many classes it gives for the first size that it takes.

        Args:
            divisors: what each axis is a multiple of, where that is known.

        Raises:
            InvalidNetwork: if it takes none of the sizes that are tried, or gives no logits of the image's size.
        """
        given: list[str] = []  # says more than why it gives nothing
        raised: list[str] = []
        for way, lengths in ((self._drawn, SIZES), (self._run, REAL_SIZES)):
            for length in lengths:
                self.size = [math.ceil(length / step) * step for step in divisors or [1] * self.ndim]
                try:
                    return self._logits(way, self.size).shape[1]
                except AvnnetError as error:
                    given.append(str(error))
                except Exception as error:  # whatever a module raises for an image that it does not take
                    raised.append(f"it raises {type(error).__name__}: {str(error)[:300]}")
            self.is_on_paper = False
        raise InvalidNetwork(
            f"{self.name} takes no image of {self.channels} channel(s) and {self.ndim} dimensions, tried with "
            f"{min(SIZES)} to {max(SIZES)} voxels along each axis: {[*given, *raised][0]}. in_channels and "
            "ndim of Foreign are those of its net"
        )

    def divisors(self) -> list[int]:
        """The least that each axis of an image must be a multiple of, after `classes`.

        A number is taken for a divisor if two prime multiples of it fit: what they have in common is no more than it.

        Raises:
            InvalidNetwork: if the module cannot be looked at on paper.
        """
        if not self.is_on_paper:
            raise InvalidNetwork(
                f"{self.name} computes with numbers that it has not on paper, so that its divisors cannot be found; "
                f"give them: divisors: {[16] * self.ndim}, what each axis of a patch must be a multiple of"
            )
        steps = next((n for n in DIVISORS if self._fit([n] * self.ndim)), None)
        if steps is None:
            return list(self.size)
        found = [steps] * self.ndim
        for axis in range(self.ndim):
            for prime in (2, 3, 5, 7):
                while found[axis] % prime == 0:
                    less = [*found[:axis], found[axis] // prime, *found[axis + 1 :]]
                    if not self._fit(less):
                        break
                    found = less
        return found

    def _fit(self, steps: Sequence[int]) -> bool:
        multiples = [
            [prime * step for prime in PRIMES if prime * step >= least]
            for step, least in zip(steps, self.size, strict=True)
        ]
        return all(self._takes([sizes[number] for sizes in multiples]) for number in (0, 1))

    def _takes(self, size: Sequence[int]) -> bool:
        try:
            self._logits(self._drawn, size)
        except Exception:  # whatever a module raises for a size that is none of its own
            return False
        return True

    def _logits(self, way: Callable[[Sequence[int]], Any], size: Sequence[int]) -> Tensor:
        return check_logits(finest_first(way(size), self.ndim, self.name)[0], of=self.name, classes=None, size=size)

    def _drawn(self, size: Sequence[int]) -> Any:
        return on_paper(self.sketch, self.channels, size)

    def _run(self, size: Sequence[int]) -> Any:
        with in_evaluation(self.body), torch.no_grad():
            return self.body(torch.zeros(1, self.channels, *size))


def finest_first(given: Any, ndim: int, name: str) -> list[Tensor]:
    """The logits `(B, K, *S)` in what a module gave, finest first; those of one size stay in their order.

    Args:
        given: a tensor, lists or tuples of tensors, or one tensor `(B, scales, K, *S)` as of MONAI's DynUNet.
        ndim: 2 or 3.
        name: of the module.

    Raises:
        InvalidNetwork: if it is anything else.

    Examples:
        >>> given = [torch.zeros(1, 3, 4, 4), (torch.zeros(1, 3, 8, 8),)]
        >>> [tuple(one.shape) for one in finest_first(given, 2, "Mine")]
        [(1, 3, 8, 8), (1, 3, 4, 4)]
        >>> len(finest_first(torch.zeros(1, 5, 3, 8, 8), 2, "Mine"))
        5
    """
    logits = list(_tensors(given, ndim, name))
    if not logits:
        raise InvalidNetwork(f"{name} gives an empty list; a network gives logits (B, K, *S)")
    return sorted(logits, key=lambda one: -math.prod(one.shape[2:]))


def _tensors(given: Any, ndim: int, name: str) -> Iterator[Tensor]:
    if isinstance(given, list | tuple):
        for one in given:
            yield from _tensors(one, ndim, name)
    elif isinstance(given, Tensor) and given.ndim == ndim + 2:
        yield given
    elif isinstance(given, Tensor) and given.ndim == ndim + 3:
        yield from given.unbind(1)
    else:
        what = f"a tensor {tuple(given.shape)}" if isinstance(given, Tensor) else f"a {type(given).__name__}"
        raise InvalidNetwork(
            f"{name} gives {what}; a network of {ndim} dimensions gives logits of {ndim + 2} axes (B, K, *S), or a "
            "list of such tensors. Take a network of segmentation, or set ndim"
        )
