"""Dice and cross-entropy, the field's default loss."""

from __future__ import annotations

from monai.losses import DiceCELoss
from torch import Tensor, nn

from avnnet.losses.overlap import Dice
from avnnet.losses.voxelwise import CrossEntropy


class DiceCE(nn.Module):
    """Soft Dice of the foreground classes plus cross-entropy of all classes, in float32 whatever autocast does.

    Args:
        dice_weight: weight of the Dice term.
        ce_weight: weight of the cross-entropy term.
        over_batch: sum overlaps over the batch before the ratio; steadier where a structure is small or
            absent in many samples (2D slices).
        class_weights: one per class, the background first; both terms take the mean weighted by them.
        ignore_index: label id of voxels that count nowhere.

    Source: MONAI `DiceCELoss`; Isensee et al., Nat Methods 2021;18:203 (Dice + CE, 1:1, no background in Dice).

    Examples:
        >>> import torch
        >>> target = torch.tensor([[[[0, 1], [2, 2]]]])
        >>> logits = 20.0 * torch.nn.functional.one_hot(target[:, 0], 3).permute(0, 3, 1, 2)
        >>> float(DiceCE()(logits, target)) < 1e-3
        True
    """

    def __init__(
        self,
        dice_weight: float = 1.0,
        ce_weight: float = 1.0,
        over_batch: bool = False,
        class_weights: list[float] | None = None,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__()
        self.dice_weight, self.ce_weight, self.over_batch = dice_weight, ce_weight, over_batch
        self.class_weights, self.ignore_index = class_weights, ignore_index
        # MONAI's has no weights of samples and weighs classes by other rules in its two terms
        self.dice, self.ce = Dice(over_batch, class_weights, ignore_index), CrossEntropy(class_weights, ignore_index)
        self.loss = DiceCELoss(
            # background fills most of a crop and would dominate the mean Dice
            include_background=False,
            to_onehot_y=True,
            softmax=True,
            batch=over_batch,
            lambda_dice=dice_weight,
            lambda_ce=ce_weight,
        )

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> import math, torch
            >>> evenly, target = torch.zeros(1, 2, 4, 4), torch.zeros(1, 1, 4, 4)
            >>> loss = DiceCE(dice_weight=0.0)(evenly, target)  # a coin for two classes
            >>> math.isclose(loss, math.log(2), rel_tol=1e-6)
            True
        """
        if sample_weights is None and self.class_weights is None and self.ignore_index is None:
            return self.loss(logits.float(), target)
        dice, ce = (loss(logits, target, sample_weights) for loss in (self.dice, self.ce))
        return self.dice_weight * dice + self.ce_weight * ce
