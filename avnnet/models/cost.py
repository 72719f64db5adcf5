"""What a network costs: parameters, and floating-point operations of a prediction and of a training step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode, conv_flop_count

from avnnet.models.network import NetworkLike

GIGA = 1e9
AnyNetwork: TypeAlias = NetworkLike | nn.Module


@dataclass(frozen=True)
class Cost:
    """What a network costs. A multiplication and an addition are two operations: FLOP = 2 x MAC.

    Args:
        parameters: numbers that are trained.
        forward_gflop: thousand millions of operations of one prediction.
        step_gflop: of one training step, forward and backward.
    """

    parameters: int
    forward_gflop: float
    step_gflop: float


def network_cost(net: AnyNetwork, tile: Sequence[int], batch: Sequence[int]) -> Cost:
    """Parameters and operations of a network.

    Convolutions and products of matrices are counted. Norms, activations, the loss and the optimiser are not: they are
    some percent of the work, and no counter agrees with another on them.

    Args:
        net: the network; it is not changed.
        tile: `(B, C, *S)` of a prediction.
        batch: `(B, C, *S)` of a training step.

    Examples:
        >>> from avnnet.models import UNet3D
        >>> net = UNet3D(channels=[4, 8], strides=[[2, 2, 2]], deep_supervision=1)
        >>> cost = network_cost(net, (1, 1, 8, 8, 8), (2, 1, 8, 8, 8))
        >>> cost.parameters == sum(one.numel() for one in net.parameters())
        True
        >>> 2.5 < cost.step_gflop / (2 * cost.forward_gflop) < 3.1  # the backward pass is about two forward passes
        True
    """
    return Cost(parameter_count(net), forward_gflop(net, tile), step_gflop(net, batch))


def parameter_count(net: AnyNetwork) -> int:
    """The number of trained parameters.

    Examples:
        >>> parameter_count(nn.Linear(3, 2))  # 6 weights and 2 biases
        8
    """
    return sum(one.numel() for one in net.parameters() if one.requires_grad)


def forward_gflop(net: AnyNetwork, shape: Sequence[int]) -> float:
    """The operations of one forward pass, in thousand millions; FLOP = 2 x MAC.

    Args:
        net: the network.
        shape: `(B, C, *S)` of its input.

    Examples:
        >>> conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        >>> round(forward_gflop(conv, (1, 1, 10, 10)) * 1e9) == 2 * 100 * 8 * 9  # voxels x channels x kernel
        True
    """

    def work(copy: nn.Module, x: Tensor) -> None:
        with torch.no_grad():
            copy(x)

    return _counted(deepcopy(net).eval(), shape, work)


def step_gflop(net: AnyNetwork, shape: Sequence[int]) -> float:
    """The operations of a training step, forward and backward, in thousand millions; FLOP = 2 x MAC.

    What the loss sees is run backward: of a `Network` all its scales. Activations that are computed anew for the
    backward pass count twice, because they are.

    Args:
        net: the network.
        shape: `(B, C, *S)` of a batch.

    Examples:
        >>> conv = nn.Conv2d(1, 8, 3, padding=1, bias=False)
        >>> step_gflop(conv, (1, 1, 10, 10)) / forward_gflop(conv, (1, 1, 10, 10))  # an image needs no gradient
        2.0
    """

    def work(copy: nn.Module, x: Tensor) -> None:
        scales = getattr(copy, "scales", None)
        seen = [copy(x)] if scales is None else scales(x)
        torch.stack([one.float().sum() for one in seen]).sum().backward()  # type: ignore[no-untyped-call]

    return _counted(deepcopy(net).train(), shape, work)


def _backward_of_convolution(
    grad: list[int], x: list[int], weight: list[int], _bias: Any, _stride: Any, _padding: Any, _dilation: Any,
    transposed: bool, _output_padding: Any, _groups: int, wanted: Sequence[bool], out_shape: Any = None,
) -> int:  # fmt: skip
    """The gradients of image and weights take as many operations each as the convolution itself.

    torch 2.13 forgets the groups in that of the weights, and counts a depthwise convolution once per channel.
    """
    return sum(wanted[:2]) * conv_flop_count(x, weight, grad, transposed=transposed)


OPERATIONS = {torch.ops.aten.convolution_backward: _backward_of_convolution}


def _counted(net: Any, shape: Sequence[int], work: Callable[[nn.Module, Tensor], None]) -> float:
    counter = FlopCounterMode(display=False, custom_mapping=OPERATIONS)
    try:
        # shapes alone are enough, and take no time and no memory
        with counter:
            work(deepcopy(net).to("meta"), torch.empty(tuple(shape), device="meta"))
    except (NotImplementedError, RuntimeError):  # a network whose way depends on values
        counter = FlopCounterMode(display=False, custom_mapping=OPERATIONS)
        with counter:
            work(deepcopy(net).cpu(), torch.zeros(tuple(shape)))
    return counter.get_total_flops() / GIGA
