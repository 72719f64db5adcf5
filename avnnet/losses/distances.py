"""Losses of the distance to the drawn boundary. Their distance maps are made by SciPy on the CPU, in every step."""

from __future__ import annotations

import torch
from monai.losses import BoundaryLoss, HausdorffDTLoss
from torch import Tensor, nn

from avnnet.errors import InvalidConfig
from avnnet.losses.weighting import (
    check_class_weights,
    mean_of_classes,
    mean_of_samples,
    predicted_and_drawn,
    weights_of_classes,
)


class Boundary(nn.Module):
    """Wrong probability times its distance to the drawn boundary, in voxels; the mean over voxels and structures.

    It is a companion, not a loss of its own: where nothing is predicted it says little. Add it to Dice + CE with
    `avnnet.losses.Sum`, with a weight of 0.01 to 0.1. The drawn mask's own integral is taken off, so that a perfect
    prediction costs 0. A structure that fills nothing or all of a sample has no boundary, and costs nothing. On a CUDA
    device every step waits for the maps.

    Args:
        class_weights: one per class, the background first (its number is not used); the mean is weighted by them.

    Source: Kervadec et al., Boundary loss for highly unbalanced segmentation, MIDL 2019, equations 2 to 5; distances by
        MONAI's `BoundaryLoss`: 0 in the outermost drawn voxels, 1 in their neighbours outside.

    Examples:
        >>> target = torch.tensor([[[[0, 0, 1, 1, 1]]]])  # distances 2, 1, 0, -1, -2
        >>> evenly = torch.zeros(1, 2, 1, 5)  # 0.5 wrong everywhere: (1 + 0.5 + 0 + 0.5 + 1) / 5
        >>> round(float(Boundary()(evenly, target)), 4)
        0.6
    """

    def __init__(self, class_weights: list[float] | None = None) -> None:
        super().__init__()
        check_class_weights(class_weights, first=1)
        self.class_weights = class_weights
        self.loss = BoundaryLoss()

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> target = torch.tensor([[[[0, 0, 1, 1, 1]]]])
            >>> sure = 40.0 * torch.cat([1 - target, target], 1)
            >>> float(Boundary()(sure, target)) < 1e-6
            True
        """
        predicted, drawn = (one[:, 1:] for one in predicted_and_drawn(logits, target, None))
        distance = self.loss.compute_distance_map(drawn)
        values = (distance * (predicted - drawn)).flatten(2).mean(-1)
        weights = weights_of_classes(self.class_weights, logits.float())
        return mean_of_samples(mean_of_classes(values, None if weights is None else weights[1:]), sample_weights)


class Hausdorff(nn.Module):
    """An estimate of the Hausdorff distance: squared error times the distances to both boundaries, to a power.

    Like `Boundary` it goes with another loss, and like it, it makes its distance maps on the CPU: twice as many.

    Args:
        alpha: exponent of the distances, in voxels.
        is_log: log(1 + value) of each structure, so that far stray voxels do not drown the other losses.
        class_weights: one per class, the background first (its number is not used); the mean is weighted by them.

    Raises:
        InvalidConfig: if alpha is not above 0.

    Source: Karimi & Salcudean, Reducing the Hausdorff distance, IEEE TMI 2019;39:499, equation 8; MONAI
        `HausdorffDTLoss` and `LogHausdorffDTLoss`.

    Examples:
        >>> target = torch.tensor([[[[0, 0, 1, 1, 1]]]])  # distances 2, 1, 1, 2, 3 on both sides; 0.5 is no mask
        >>> value = Hausdorff(is_log=False)(torch.zeros(1, 2, 1, 5), target)
        >>> round(float(value), 4) == round(0.25 * (4 + 1 + 1 + 4 + 9) / 5, 4)
        True
    """

    def __init__(self, alpha: float = 2.0, is_log: bool = True, class_weights: list[float] | None = None) -> None:
        super().__init__()
        check_class_weights(class_weights, first=1)
        if not alpha > 0:
            raise InvalidConfig(f"alpha of the Hausdorff loss is above 0; found {alpha}. The article takes 2")
        self.alpha, self.is_log, self.class_weights = alpha, is_log, class_weights
        self.loss = HausdorffDTLoss(alpha=alpha, include_background=True, reduction="none")

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> target = torch.tensor([[[[0, 0, 1, 1, 1]]]])
            >>> sure = 40.0 * torch.cat([1 - target, target], 1)
            >>> float(Hausdorff()(sure, target)) < 1e-6
            True
        """
        predicted, drawn = (one[:, 1:] for one in predicted_and_drawn(logits, target, None))
        values = self.loss(predicted, drawn).flatten(1)
        values = torch.log1p(values) if self.is_log else values
        weights = weights_of_classes(self.class_weights, logits.float())
        return mean_of_samples(mean_of_classes(values, None if weights is None else weights[1:]), sample_weights)
