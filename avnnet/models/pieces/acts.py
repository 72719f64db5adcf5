"""The activation of nnU-Net; for the slot `act` of a block any activation of torch will do."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class LeakyReLU(nn.Module):
    """What is positive, and a hundredth of what is negative; overwrites what it is given.

    As torch's `LeakyReLU(inplace=True)` to the bit, values and gradients. But an instance norm gives a view of what it
    computed, and where torch overwrites a view its backward pass makes three copies for every block: 5 % of a training
    step. Here it makes none.

    Args:
        slope: of what is negative.

    Source: Maas et al., ICML 2013; slope as in nnU-Net (Isensee et al., Nat Methods 2021;18:203).

    Examples:
        >>> LeakyReLU()(torch.tensor([-200.0, 3.0]))
        tensor([-2.,  3.])
    """

    def __init__(self, slope: float = 0.01) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape, in the memory of those given.

        Examples:
            >>> x = torch.tensor([-1.0, 1.0])
            >>> LeakyReLU(0.5)(x) is x, x.tolist()
            (True, [-0.5, 1.0])
        """
        if torch.compiler.is_compiling():  # a compiler finds out itself what can be overwritten
            return functional.leaky_relu(x, self.slope)
        if torch.is_grad_enabled() and x.requires_grad:
            return _Overwriting.apply(x, self.slope)
        return functional.leaky_relu_(x, self.slope)


class _Overwriting(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        # not marked as dirty, which is what costs the copies; the version of x counts up, so that autograd refuses
        # a backward pass of a layer that had kept x
        y = functional.leaky_relu_(x.detach(), slope)
        ctx.slope = slope
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.leaky_relu_backward(grads[0], y, ctx.slope, True), None
