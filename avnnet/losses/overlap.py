"""Losses of the overlap of what is predicted and what is drawn: Dice, Tversky, generalised Dice."""

from __future__ import annotations

from monai.losses import GeneralizedDiceLoss
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.losses.weighting import (
    check_class_weights,
    mean_of_classes,
    mean_of_samples,
    predicted_and_drawn,
    weights_of_classes,
)

# MONAI's: a structure that is neither drawn nor predicted costs nothing
SMOOTH = 1e-5
# of sums of 1 / voxels, which MONAI's 1e-5 would drown: of a large patch without structures nothing would be left
SMOOTH_OF_SHARES = 1e-15


class Dice(nn.Module):
    """1 - soft Dice, the mean over the structures; the background, which fills most of a crop, is left out.

    Args:
        over_batch: sum overlaps over the batch before the ratio; steadier where a structure is small or
            absent in many samples (2D slices).
        class_weights: one per class, the background first (its number is not used); the mean is weighted by them.
        ignore_index: label id of voxels that count nowhere.

    Source: Milletari et al., V-Net, 3DV 2016, with plain sums in the denominator, as MONAI's `DiceLoss`.

    Examples:
        >>> import torch
        >>> target = torch.tensor([[[[0, 1], [2, 2]]]])
        >>> evenly = torch.zeros(1, 3, 2, 2)  # 1/3 everywhere: Dice 2 * 1/3 / (4/3 + 1) and 2 * 2/3 / (4/3 + 2)
        >>> round(float(Dice()(evenly, target)), 4) == round(1 - (2 / 7 + 4 / 10) / 2, 4)
        True
    """

    def __init__(
        self,
        over_batch: bool = False,
        class_weights: list[float] | None = None,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__()
        check_class_weights(class_weights, first=1)
        self.over_batch, self.class_weights, self.ignore_index = over_batch, class_weights, ignore_index

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        With `over_batch` every voxel of a sample counts as often as its weight says.

        Examples:
            >>> import torch
            >>> logits, target = torch.tensor([[[0.0, 9.0], [0.0, 0.0]]]), torch.tensor([[[1, 255]]])
            >>> loss = Dice(ignore_index=255)(logits, target)  # 1 - 2 * 0.5 / (0.5 + 1)
            >>> round(float(loss), 4)
            0.3333
        """
        predicted, drawn = predicted_and_drawn(logits, target, self.ignore_index)
        both, predicted, drawn = (one[:, 1:].flatten(2).sum(-1) for one in (predicted * drawn, predicted, drawn))
        weights = weights_of_classes(self.class_weights, logits.float())
        weights = None if weights is None else weights[1:]
        if not self.over_batch:
            return mean_of_samples(mean_of_classes(self.of_sums(both, predicted, drawn), weights), sample_weights)
        if sample_weights is not None:
            both, predicted, drawn = (one * sample_weights.to(one)[:, None] for one in (both, predicted, drawn))
        return mean_of_classes(self.of_sums(both.sum(0), predicted.sum(0), drawn.sum(0)), weights)

    def of_sums(self, both: Tensor, predicted: Tensor, drawn: Tensor) -> Tensor:
        """The loss of each structure from the voxels in both, predicted and drawn, all `(..., K - 1)`.

        Examples:
            >>> import torch
            >>> round(float(Dice().of_sums(torch.tensor(2.0), torch.tensor(4.0), torch.tensor(4.0))), 4)
            0.5
        """
        return 1 - (2 * both + SMOOTH) / (predicted + drawn + SMOOTH)


class Tversky(Dice):
    """1 - Tversky index: Dice that counts missed and wrongly found voxels with weights of their own.

    Args:
        false_positives: weight of voxels that are found and not drawn; 0.5 twice is the Dice loss.
        false_negatives: weight of voxels that are drawn and not found; above the other it finds more of small lesions.
        over_batch: sum overlaps over the batch before the ratio.
        class_weights: one per class, the background first (its number is not used); the mean is weighted by them.
        ignore_index: label id of voxels that count nowhere.

    Raises:
        InvalidConfig: if a weight is negative, or both are 0.

    Source: Salehi et al., Tversky loss function for image segmentation, MLMI 2017 (alpha 0.3, beta 0.7); as MONAI's
        `TverskyLoss`.

    Examples:
        >>> import torch
        >>> sums = torch.tensor(2.0), torch.tensor(4.0), torch.tensor(3.0)
        >>> round(float(Tversky(0.3, 0.7).of_sums(*sums)), 4) == round(1 - 2 / (2 + 0.3 * 2 + 0.7 * 1), 4)
        True
    """

    def __init__(
        self,
        false_positives: float = 0.3,
        false_negatives: float = 0.7,
        over_batch: bool = False,
        class_weights: list[float] | None = None,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__(over_batch, class_weights, ignore_index)
        if not (false_positives >= 0 and false_negatives >= 0 and false_positives + false_negatives > 0):
            raise InvalidConfig(
                "the weights of false positives and false negatives are 0 or more, and not both 0; found "
                f"{false_positives} and {false_negatives}"
            )
        self.false_positives, self.false_negatives = false_positives, false_negatives

    def of_sums(self, both: Tensor, predicted: Tensor, drawn: Tensor) -> Tensor:
        """The loss of each structure from the voxels in both, predicted and drawn, all `(..., K - 1)`.

        Examples:
            >>> import torch
            >>> round(float(Tversky(0.5, 0.5).of_sums(torch.tensor(2.0), torch.tensor(4.0), torch.tensor(4.0))), 4)
            0.5
        """
        wrong = self.false_positives * (predicted - both) + self.false_negatives * (drawn - both)
        return 1 - (both + SMOOTH) / (both + wrong + SMOOTH)


class GeneralisedDice(nn.Module):
    """1 - generalised Dice: one ratio over all classes, each weighted by 1 / (its drawn voxels)² of the sample.

    The weights of the classes come from their volumes, so that it takes no `class_weights`. A class that is not drawn
    in a sample has the largest weight of the others. Without the background a sample of no structure costs nothing.

    Args:
        background: also the background as a class.
        ignore_index: label id of voxels that count nowhere.

    Source: Sudre et al., Generalised Dice overlap, DLMIA 2017; MONAI `GeneralizedDiceLoss`.

    Examples:
        >>> import torch
        >>> target, evenly = torch.tensor([[[0, 0, 0, 1]]]), torch.zeros(1, 2, 4)
        >>> value = 2 * (1.5 / 9 + 0.5) / ((2 + 3) / 9 + (2 + 1))
        >>> round(float(GeneralisedDice()(evenly, target)), 4) == round(1 - value, 4)
        True
    """

    def __init__(self, background: bool = True, ignore_index: int | None = None) -> None:
        super().__init__()
        self.background, self.ignore_index = background, ignore_index
        self.loss = GeneralizedDiceLoss(smooth_nr=SMOOTH_OF_SHARES, smooth_dr=SMOOTH_OF_SHARES, reduction="none")

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> import torch
            >>> float(GeneralisedDice()(torch.tensor([[[30.0], [0.0]]]), torch.zeros(1, 1, 1))) < 1e-6
            True
        """
        predicted, drawn = predicted_and_drawn(logits, target, self.ignore_index)
        first = 0 if self.background else 1
        values = self.loss(predicted[:, first:], drawn[:, first:])
        return mean_of_samples(values.flatten(1).mean(1), sample_weights)
