"""Several losses as one."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.losses.contract import is_of_regions, takes_sample_weights


class Sum(nn.Module):
    """The weighted sum of losses; it takes weights of samples if all of them do.

    Args:
        losses: each logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar.
        weights: one per loss; 1 by default.

    Raises:
        InvalidConfig: if there is no loss, the weights are not as many and finite, or the losses ignore other ids, or
            one is of nested regions and another of classes.

    Examples:
        >>> from avnnet.losses import CrossEntropy, Dice, DiceCE
        >>> logits, target = torch.randn(1, 3, 4, 4), torch.randint(0, 3, (1, 1, 4, 4))
        >>> total = Sum([Dice(), CrossEntropy()], [1.0, 0.5])(logits, target)
        >>> torch.allclose(total, DiceCE(ce_weight=0.5)(logits, target))
        True
    """

    def __init__(self, losses: list[nn.Module], weights: list[float] | None = None) -> None:
        super().__init__()
        chosen = [1.0] * len(losses) if weights is None else list(weights)
        if not losses or len(chosen) != len(losses) or not all(map(math.isfinite, chosen)):
            raise InvalidConfig(
                f"a sum takes one loss or more, and one finite weight for each; found {len(losses)} losses and the "
                f"weights {chosen}"
            )
        names = [type(loss).__name__ for loss in losses]
        ignored = [getattr(loss, "ignore_index", None) for loss in losses]
        if len(set(ignored)) > 1:
            found = ", ".join(f"{one} of {name}" for name, one in zip(names, ignored, strict=True))
            raise InvalidConfig(
                f"the losses of a sum ignore the same id; found ignore_index {found}. Set it in each, and leave out "
                "those that have none"
            )
        of_regions = [is_of_regions(loss) for loss in losses]
        if len(set(of_regions)) > 1:
            first, others = (
                [name for name, one in zip(names, of_regions, strict=True) if one == way] for way in (1, 0)
            )
            raise InvalidConfig(
                "the losses of a sum are all of nested regions or all of classes; found "
                f"{', '.join(first)} of regions and {', '.join(others)} of classes. Leave out one or the other"
            )
        self.losses, self.weights = nn.ModuleList(losses), weights
        self.takes_sample_weights = all(map(takes_sample_weights, losses))

    @property
    def ignore_index(self) -> int | None:
        """The label id of voxels that count nowhere, or None."""
        return getattr(self.losses[0], "ignore_index", None)

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> from avnnet.losses import CrossEntropy
            >>> logits, target = torch.zeros(1, 2, 4), torch.zeros(1, 1, 4)
            >>> round(float(Sum([CrossEntropy(), CrossEntropy()], [1, 2])(logits, target)), 4)  # 3 log 2
            2.0794
        """
        given = {} if sample_weights is None else {"sample_weights": sample_weights}
        result = target.new_zeros((), dtype=torch.float32)
        for loss, weight in zip(self.losses, self.weights or [1.0] * len(self.losses), strict=True):
            result = result + weight * loss(logits, target, **given)
        return result
