"""What all losses share: voxels that count nowhere, weights of classes, weights of samples."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from avnnet.errors import InvalidConfig


def check_class_weights(weights: Sequence[float] | None, first: int = 0) -> None:
    """Refuse weights of classes that are negative, not finite, or all zero.

    Args:
        weights: one per class, the background first; None is well.
        first: the first class whose weight is used; 1 where the background's is not.

    Raises:
        InvalidConfig: if they are such.
    """
    if weights is None:
        return
    if not weights or not all(math.isfinite(one) and one >= 0 for one in weights) or not any(weights[first:]):
        behind = " behind the background" if first else ""
        raise InvalidConfig(
            f"class_weights are numbers from 0 on, not all 0{behind}, one per class with the background first; found "
            f"{list(weights)}"
        )


def weights_of_classes(weights: Sequence[float] | None, logits: Tensor) -> Tensor | None:
    """The weights `(K,)` as a tensor where the logits are, or None where there are none.

    Args:
        weights: one per class, the background first.
        logits: `(B, K, *S)`.

    Raises:
        InvalidConfig: if there are not as many weights as classes.

    Examples:
        >>> weights_of_classes([1, 3], torch.zeros(1, 2, 4, 4)).tolist()
        [1.0, 3.0]
    """
    if weights is None:
        return None
    if len(weights) != logits.shape[1]:
        raise InvalidConfig(
            f"class_weights has one number per class, the background first: {logits.shape[1]} here; found "
            f"{list(weights)}"
        )
    return torch.tensor(weights, dtype=logits.dtype).to(logits.device, non_blocking=True)


def ids_and_known(target: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor | None]:
    """Label ids `(B, *S)` and which of them count `(B, *S)`: None where all do. Ignored ones are given id 0.

    Args:
        target: label ids `(B, 1, *S)`.
        ignore_index: the id of voxels that count nowhere, or None.

    Examples:
        >>> ids, known = ids_and_known(torch.tensor([[[2, 255]]]), 255)
        >>> ids.tolist(), known.tolist()
        ([[2, 0]], [[True, False]])
    """
    ids = target[:, 0].long()
    if ignore_index is None:
        return ids, None
    known = ids != ignore_index
    return ids * known, known


def predicted_and_drawn(logits: Tensor, target: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor]:
    """Softmax and one-hot target, both `(B, K, *S)` float32 and 0 where a voxel counts nowhere.

    Args:
        logits: `(B, K, *S)`.
        target: label ids `(B, 1, *S)`.
        ignore_index: the id of voxels that count nowhere, or None.

    Examples:
        >>> predicted, drawn = predicted_and_drawn(torch.zeros(1, 2, 3), torch.tensor([[[0, 1, 9]]]), 9)
        >>> predicted.tolist(), drawn.tolist()
        ([[[0.5, 0.5, 0.0], [0.5, 0.5, 0.0]]], [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    """
    ids, known = ids_and_known(target, ignore_index)
    predicted = logits.float().softmax(1)
    drawn = one_hot(ids, logits.shape[1]).movedim(-1, 1).to(predicted.dtype)
    if known is None:
        return predicted, drawn
    return predicted * known[:, None], drawn * known[:, None]


def mean_of_classes(values: Tensor, weights: Tensor | None) -> Tensor:
    """The mean over the last axis, weighted where there are weights.

    Args:
        values: `(..., K)`.
        weights: `(K,)` or None.

    Examples:
        >>> float(mean_of_classes(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 1.0])))
        2.0
    """
    if weights is None:
        return values.mean(-1)
    return (values * weights).sum(-1) / weights.sum().clamp_min(torch.finfo(values.dtype).tiny)


def mean_of_samples(values: Tensor, sample_weights: Tensor | None) -> Tensor:
    """The mean of the samples' values, each times its weight.

    It is not divided by the sum of the weights: a sample counts the same in whatever batch it comes, and a batch of
    weight 0 costs nothing.

    Args:
        values: `(B,)`.
        sample_weights: `(B,)` or None.

    Examples:
        >>> float(mean_of_samples(torch.tensor([1.0, 4.0]), torch.tensor([2.0, 0.0])))
        1.0
    """
    return values.mean() if sample_weights is None else (values * sample_weights.to(values)).mean()
