"""Losses that every voxel has its share of: cross-entropy, focal loss, the hardest voxels."""

from __future__ import annotations

import math

import torch
from monai.losses import FocalLoss
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from avnnet.errors import InvalidConfig
from avnnet.losses.weighting import check_class_weights, ids_and_known, weights_of_classes


class CrossEntropy(nn.Module):
    """Cross-entropy of all classes: the mean over the voxels that count.

    Args:
        class_weights: one per class, the background first; the mean is weighted by that of a voxel's class.
        ignore_index: label id of voxels that count nowhere.

    Source: as `torch.nn.CrossEntropyLoss`, which does not know weights of samples.

    Examples:
        >>> evenly, target = torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4)
        >>> math.isclose(CrossEntropy()(evenly, target), math.log(2), rel_tol=1e-6)
        True
    """

    def __init__(self, class_weights: list[float] | None = None, ignore_index: int | None = None) -> None:
        super().__init__()
        check_class_weights(class_weights)
        self.class_weights, self.ignore_index = class_weights, ignore_index

    def forward(self, logits: Tensor, target: Tensor, sample_weights: Tensor | None = None) -> Tensor:
        """The scalar loss of logits `(B, K, *S)` against label ids `(B, 1, *S)`, of samples weighted by `(B,)`.

        Examples:
            >>> logits, target = torch.tensor([[[0.0, 9.0], [0.0, 0.0]]]), torch.tensor([[[1, 255]]])
            >>> math.isclose(CrossEntropy(ignore_index=255)(logits, target), math.log(2), rel_tol=1e-6)
            True
        """
        logits = logits.float()
        ids, known = ids_and_known(target, self.ignore_index)
        weights = weights_of_classes(self.class_weights, logits)
        share = torch.ones_like(ids, dtype=logits.dtype) if weights is None else weights[ids]
        share = share if known is None else share * known
        values = self.of_voxels(logits, ids)
        if sample_weights is not None:
            values = values * sample_weights.to(values).view(-1, *[1] * (values.ndim - 1))
        return self.mean(values, share)

    def of_voxels(self, logits: Tensor, ids: Tensor) -> Tensor:
        """The loss of every voxel `(B, *S)`; logits are `(B, K, *S)`, ids `(B, *S)`.

        Examples:
            >>> CrossEntropy().of_voxels(torch.zeros(1, 2, 3), torch.zeros(1, 3, dtype=torch.long)).shape
            torch.Size([1, 3])
        """
        return cross_entropy(logits, ids, reduction="none")

    def mean(self, values: Tensor, share: Tensor) -> Tensor:
        """The mean of the values, each with its share; 0 where no voxel has one.

        Examples:
            >>> float(CrossEntropy().mean(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0])))
            2.0
        """
        return (values * share).sum() / share.sum().clamp_min(torch.finfo(share.dtype).tiny)


class Focal(CrossEntropy):
    """Cross-entropy that counts a voxel the less the surer the network is of the drawn class: `-(1 - p)^gamma log p`.

    Args:
        gamma: 0 is the cross-entropy; else 1 or more.
        class_weights: one per class, the background first; the mean is weighted by that of a voxel's class.
        ignore_index: label id of voxels that count nowhere.

    Raises:
        InvalidConfig: if gamma is none of these: between 0 and 1 the gradient of a sure voxel is infinite.

    Source: Lin et al., Focal loss for dense object detection, ICCV 2017, equation 4; MONAI `FocalLoss` with softmax.

    Examples:
        >>> evenly, target = torch.zeros(1, 2, 4, 4), torch.ones(1, 1, 4, 4)
        >>> math.isclose(Focal(gamma=2)(evenly, target), 0.25 * math.log(2), rel_tol=1e-6)
        True
    """

    def __init__(
        self, gamma: float = 2.0, class_weights: list[float] | None = None, ignore_index: int | None = None
    ) -> None:
        super().__init__(class_weights, ignore_index)
        if not (gamma == 0 or 1 <= gamma < math.inf):
            raise InvalidConfig(f"gamma of the focal loss is 0, or 1 or more; found {gamma}. The article takes 2")
        self.gamma = gamma
        self.loss = FocalLoss(use_softmax=True, gamma=gamma, reduction="none")

    def of_voxels(self, logits: Tensor, ids: Tensor) -> Tensor:
        """The loss of every voxel `(B, *S)`; logits are `(B, K, *S)`, ids `(B, *S)`.

        Examples:
            >>> Focal().of_voxels(torch.zeros(1, 2, 3), torch.zeros(1, 3, dtype=torch.long)).shape
            torch.Size([1, 3])
        """
        drawn = one_hot(ids, logits.shape[1]).movedim(-1, 1).to(logits.dtype)
        return self.loss(logits, drawn).sum(1)


class TopK(CrossEntropy):
    """Cross-entropy of the hardest voxels of a batch alone.

    Args:
        hardest_percent: of all voxels of the batch.
        class_weights: one per class, the background first; they weigh before the hardest are chosen.
        ignore_index: label id of voxels that count nowhere.

    Raises:
        InvalidConfig: if the percentage is not above 0 and at most 100.

    Source: Wu, Shen, van den Hengel, Bridging category-level and instance-level semantic image segmentation,
        arXiv:1605.06885; 10 % as in nnU-Net's `TopKLoss`.

    Examples:
        >>> logits = torch.tensor([[[0.0, 9.0, 9.0, 9.0], [0.0, 0.0, 0.0, 0.0]]])  # sure of all voxels but one
        >>> loss = TopK(hardest_percent=25)(logits, torch.zeros(1, 1, 4))
        >>> math.isclose(loss, math.log(2), rel_tol=1e-6)
        True
    """

    def __init__(
        self,
        hardest_percent: float = 10.0,
        class_weights: list[float] | None = None,
        ignore_index: int | None = None,
    ) -> None:
        super().__init__(class_weights, ignore_index)
        if not 0 < hardest_percent <= 100:
            raise InvalidConfig(f"hardest_percent is above 0 and at most 100; found {hardest_percent}")
        self.hardest_percent = hardest_percent

    def mean(self, values: Tensor, share: Tensor) -> Tensor:
        """The mean of the largest values, each with its share; fewer than asked for, where fewer voxels count.

        Examples:
            >>> float(TopK(50).mean(torch.tensor([1.0, 4.0, 2.0, 6.0]), torch.ones(4)))
            5.0
        """
        count = max(1, int(values.numel() * self.hardest_percent / 100))
        # how many voxels count is not asked for: on a GPU the answer would stop the step. They rank last instead
        weighted = torch.where(share > 0, values * share, -1.0).flatten()
        hardest, where = weighted.topk(count)
        return hardest.clamp_min(0).sum() / share.flatten()[where].sum().clamp_min(torch.finfo(share.dtype).tiny)
