"""Whether the networks of an ensemble see the same head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from avnnet.data.preprocess import Placement
from avnnet.flags import Flag, Flags
from avnnet.image import LabelMap
from avnnet.metrics import dice

AGREEING_DICE = 0.8
"""Of single networks with their ensemble, in the whole structure: below it they do not see the same head."""


@dataclass(frozen=True, eq=False)
class Marks:
    """What one network marks, a bit for each prepared voxel.

    Args:
        bits: of all voxels, eight in a byte.
        shape: voxels per axis.
        placement: where the prepared voxels lie in the image.
        name: of the network.
    """

    bits: np.ndarray
    shape: tuple[int, ...]
    placement: Placement
    name: str

    @classmethod
    def of(cls, probabilities: Tensor, placement: Placement, name: str) -> Marks:
        """Those where another class than the background is the most probable one.

        Args:
            probabilities: `(K, *S)` of prepared voxels.
            placement: as of `Marks`.
            name: as of `Marks`.
        """
        marked = (probabilities[1:] > probabilities[0]).any(dim=0).numpy()
        return cls(np.packbits(marked), marked.shape, placement, name)

    def dice(self, whole: np.ndarray) -> float:
        """Dice with a mask of the image's own grid, at the prepared voxels.

        Args:
            whole: bool, on the image's grid.

        Examples:
            >>> import torch
            >>> from avnnet.data.orientation import Orientation
            >>> from avnnet.grid import Grid
            >>> straight = Orientation((0, 1, 2), (False, False, False))
            >>> place = Placement(Grid((1, 1, 2)), straight, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
            >>> Marks.of(torch.tensor([[[[0.2, 0.9]]], [[[0.8, 0.1]]]]), place, "net").dice(np.array([[[True, True]]]))
            0.6666666666666666
        """
        marked = np.unpackbits(self.bits, count=int(np.prod(self.shape))).reshape(self.shape).astype(bool)
        return dice(self.placement.onto(whole, self.shape), marked)


def agreement_flags(marks: Sequence[Marks], ensemble: LabelMap) -> Flags:
    """The flag of an ensemble whose single networks see other heads than their mean does, or none.

    Args:
        marks: what each network marks.
        ensemble: the mask of their mean.

    Examples:
        >>> import torch
        >>> from avnnet.data.orientation import Orientation
        >>> from avnnet.grid import Grid
        >>> grid, mask = Grid((1, 1, 2)), np.array([[[1, 0]]])
        >>> place = Placement(grid, Orientation((0, 1, 2), (False,) * 3), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
        >>> one, other = (Marks.of(torch.eye(2)[:, ids].reshape(2, 1, 1, 2), place, "net") for ids in ([1, 0], [0, 1]))
        >>> [[str(flag) for flag in agreement_flags(both, LabelMap(mask, grid))] for both in ([one, one], [one, other])]
        [[], ['low_ensemble_agreement']]
    """
    whole = ensemble.array > 0
    if len(marks) < 2 or not whole.any():
        return Flags()
    agreed = [one.dice(whole) for one in marks]
    return Flags([Flag.LOW_ENSEMBLE_AGREEMENT] if sum(agreed) / len(agreed) < AGREEING_DICE else [])
