"""A loss of the centre lines of thin structures."""

from __future__ import annotations

import torch
from monai.losses import SoftclDiceLoss
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.losses.weighting import (
    check_class_weights,
    mean_of_classes,
    mean_of_samples,
    predicted_and_drawn,
    weights_of_classes,
)


class ClDice(nn.Module):
    """1 - centre-line Dice of each structure: how much of each mask's skeleton lies in the other mask.

    It is for tubes and plates that must not break, such as vessels or cartilage; of a femoral head the skeleton says
    nothing. It goes with another loss.

    Args:
        erosions: half the thickness in voxels of what is taken to be thin.
        class_weights: one per class, the background first (its number is not used); the mean is weighted by them.

    Raises:
        InvalidConfig: if the number of erosions is negative.

    Source: Shit et al., clDice, CVPR 2021, algorithms 1 and 2; MONAI `SoftclDiceLoss`.

    Examples:
        >>> line = torch.tensor([[[[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]]])
        >>> sure = 40.0 * torch.cat([1 - line, line], 1)
        >>> float(ClDice()(sure, line)) < 1e-3
        True
    """

    def __init__(self, erosions: int = 3, class_weights: list[float] | None = None) -> None:
        super().__init__()
        check_class_weights(class_weights, first=1)
        if erosions < 0:
            raise InvalidConfig(f"the number of erosions is 0 or more; found {erosions}")
        self.erosions, self.class_weights = erosions, class_weights
        self.loss = SoftclDiceLoss(iter_=erosions, reduction="none")

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> logits, empty = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
            >>> ClDice()(logits, empty).shape
            torch.Size([])
        """
        predicted, drawn = predicted_and_drawn(logits, target, None)
        classes = range(1, logits.shape[1])
        # MONAI sums over the classes before the ratio, where a large structure drowns a thin one
        values = torch.stack([self.loss(predicted[:, [n]], drawn[:, [n]]) for n in classes], -1)
        weights = weights_of_classes(self.class_weights, logits.float())
        return mean_of_samples(mean_of_classes(values, None if weights is None else weights[1:]), sample_weights)
