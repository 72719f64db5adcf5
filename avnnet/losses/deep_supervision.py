"""A loss at several resolutions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import Module
from torch.nn.functional import interpolate

from avnnet.errors import InvalidConfig


def supervise_scales(
    loss: Module,
    scales: Sequence[Tensor],
    target: Tensor,
    weights: Sequence[float] | None = None,
    sample_weights: Tensor | None = None,
) -> Tensor:
    """The weighted mean of a loss over the scales of a network.

    Args:
        loss: logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar.
        scales: logits of several resolutions, finest first.
        target: label ids `(B, 1, *S)` of the finest resolution; a coarser voxel takes the first of those in it.
        weights: one per scale; 1, 1/2, 1/4, ... by default. They are normalised to sum 1.
        sample_weights: `(B,)`, handed to the loss where there are any.

    Raises:
        InvalidConfig: if the number of weights is not the number of scales, or the loss does not give a scalar.

    Source: Isensee et al., Nat Methods 2021;18:203 (weights halve per scale, normalised).

    Examples:
        >>> import torch
        >>> scales = [torch.full((1, 2, 4, 4), 3.0), torch.full((1, 2, 2, 2), 6.0)]
        >>> mean = supervise_scales(lambda logits, target: logits.mean(), scales, torch.zeros(1, 1, 4, 4))
        >>> round(float(mean), 4)  # (3 + 6 / 2) / (1 + 1 / 2)
        4.0
    """
    chosen = [0.5**level for level in range(len(scales))] if weights is None else list(weights)
    if len(chosen) != len(scales):
        raise InvalidConfig(f"{len(scales)} scales need as many weights; found {chosen}")
    total = sum(chosen)
    given = {} if sample_weights is None else {"sample_weights": sample_weights}
    result = target.new_zeros((), dtype=torch.float32)
    for weight, logits in zip(chosen, scales, strict=True):
        size = logits.shape[2:]
        resized = target if size == target.shape[2:] else interpolate(target.float(), size=size).to(target.dtype)
        result = result + weight / total * _scalar(loss, loss(logits, resized, **given))
    return result


def _scalar(loss: Module, value: object) -> Tensor:
    if isinstance(value, Tensor) and value.ndim == 0:
        return value
    found = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else f"a {type(value).__name__}"
    name = getattr(loss, "__name__", type(loss).__name__)
    raise InvalidConfig(f"a loss gives one number as a tensor without axes; {name} gave {found}. Return value.mean()")
