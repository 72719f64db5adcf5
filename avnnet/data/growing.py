"""Patches that grow over a training: small ones first, which are cheap, and the whole size at the end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from avnnet.data.sampling import Sampling, Size
from avnnet.errors import InvalidConfig


class GrowingPatch(Sampling):
    """Smaller patches in the first part of a training; `data.patch` itself in the rest.

    A smaller patch costs less, so that the same operations hold more steps. The last part must be of the whole size,
    that at which images are tiled: a network that has only seen smaller patches is worse on larger ones.

    Args:
        sizes: `(z, y, x)` voxels of each smaller patch, in the order of the training.
        until: for each the share of the epochs after which it ends, rising, below 1.

    Raises:
        InvalidConfig: if there are not as many shares as sizes, a size is not three numbers of 1 or more, or the
            shares do not rise from above 0 to below 1.

    Source:
        Fischer SM et al. Progressive growing of patch size: resource-efficient curriculum learning for dense
        prediction tasks. MICCAI 2024, arXiv:2407.07853.

    Examples:
        >>> GrowingPatch([[24, 32, 24]], [0.5]).sizes([32, 48, 32])
        [(0.5, (24, 32, 24)), (1.0, (32, 48, 32))]
    """

    def __init__(self, sizes: list[list[int]], until: list[float]) -> None:
        if not sizes or any(len(size) != 3 or min(size) < 1 for size in sizes):
            raise InvalidConfig(f"sizes are lists of three numbers of voxels, (z, y, x); found {sizes}")
        if len(until) != len(sizes):
            raise InvalidConfig(f"until has one share of the training for each of {len(sizes)} sizes; found {until}")
        edges = [0.0, *until, 1.0]
        if not all(low < high for low, high in itertools.pairwise(edges)):
            raise InvalidConfig(f"until rises from above 0 to below 1, as [0.25, 0.5]; found {until}")
        self.smaller, self.until = [tuple(int(n) for n in size) for size in sizes], [float(end) for end in until]

    def sizes(self, patch: Sequence[int]) -> list[tuple[float, Size]]:
        """The smaller sizes, each with where it ends, and the whole one to the end.

        Raises:
            InvalidConfig: if a smaller one is larger than the patch.
        """
        for size in self.smaller:
            if any(small > whole for small, whole in zip(size, patch, strict=True)):
                raise InvalidConfig(f"a patch grows to data.patch, {list(patch)}; found {list(size)} before")
        return [*zip(self.until, self.smaller, strict=True), (1.0, tuple(patch))]
