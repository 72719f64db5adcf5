"""Dice and cross-entropy of nested regions."""

from __future__ import annotations

from itertools import accumulate

import torch
from monai.losses import DiceLoss
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from avnnet.models.regions import checked_order


class RegionDiceCE(nn.Module):
    """Soft Dice plus binary cross-entropy of every region, in float32 whatever autocast does.

    For `avnnet.models.NestedRegions`, whose scales are the regions' logits.

    Args:
        order: label ids from the outermost region to the innermost, as of the network.
        dice_weight: weight of the Dice term.
        ce_weight: weight of the cross-entropy term.
        over_batch: sum overlaps over the batch before the ratio.

    Source: MONAI `DiceLoss`; Isensee et al., Nat Methods 2021;18:203, supplement (region-based training).

    Examples:
        >>> target = torch.tensor([[[[0, 1], [2, 2]]]])
        >>> regions = torch.cat([target > 0, target > 1], dim=1)
        >>> float(RegionDiceCE()(40.0 * regions - 20.0, target)) < 1e-3
        True
    """

    is_of_regions = True

    def __init__(
        self,
        order: list[int] | None = None,
        dice_weight: float = 1.0,
        ce_weight: float = 1.0,
        over_batch: bool = False,
    ) -> None:
        super().__init__()
        self.order, self.dice_weight, self.ce_weight, self.over_batch = order, dice_weight, ce_weight, over_batch
        # MONAI's DiceCELoss takes the cross-entropy of a softmax over channels, whatever its Dice takes
        self.dice = DiceLoss(sigmoid=True, batch=over_batch)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of region logits `(B, R, *S)` against label ids `(B, 1, *S)`.

        Raises:
            InvalidConfig: if `order` does not name the ids 1 to R, each once.

        Examples:
            >>> import math
            >>> evenly, target = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
            >>> loss = RegionDiceCE(dice_weight=0.0)(evenly, target)  # a coin for every region
            >>> math.isclose(loss, math.log(2), rel_tol=1e-6)
            True
        """
        regions = regions_of(target, logits.shape[1], self.order)
        entropy = binary_cross_entropy_with_logits(logits.float(), regions)
        return self.dice_weight * self.dice(logits.float(), regions) + self.ce_weight * entropy


def regions_of(target: Tensor, regions: int, order: list[int] | None = None) -> Tensor:
    """The masks of nested regions `(B, regions, *S)`, 0 or 1, of label ids `(B, 1, *S)`.

    Args:
        target: label ids.
        regions: how many there are.
        order: label ids from the outermost to the innermost; 1, 2, ... by default.

    Raises:
        InvalidConfig: if `order` does not name the ids 1 to `regions`, each once.

    Examples:
        >>> regions_of(torch.tensor([[[0, 1, 2]]]), 2).tolist()
        [[[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]]
    """
    ids = checked_order(order, regions)
    # compared with plain numbers: a tensor of ids would be copied to a GPU, which stops the step
    masks = [target == name for name in reversed(ids)]
    return torch.cat([*accumulate(masks, torch.logical_or)][::-1], dim=1).float()
