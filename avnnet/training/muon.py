"""Muon: steps of kernels made orthogonal, in one optimiser with AdamW for everything else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from avnnet.errors import InvalidConfig

# Jordan's: steepest at 0, so that five iterations bring every singular value near 1
QUINTIC = (3.4445, -4.7750, 2.0315)
SCALE = 0.2  # the root mean square of a step of AdamW
FEWEST = 8  # channels of a kernel that counts as a matrix: the first one, of an image, and the heads are none


class Muon(torch.optim.Optimizer):
    """Muon for the kernels of convolutions, AdamW for the first kernel, heads, norms and biases.

    A kernel counts as a matrix `(out, in · k³)`; torch's own Muon takes matrices alone. Steps have the size of AdamW's,
    so that one learning rate holds for both.

    Args:
        params: the parameters of a network.
        lr: learning rate.
        momentum: of the kernels, Nesterov's.
        weight_decay: decoupled, of all.
        betas: of AdamW.
        eps: of AdamW.
        iterations: of Newton and Schulz.

    Raises:
        InvalidConfig: if a number is out of its limits, or parameters come in groups.

    Source:
        Jordan K et al. Muon: an optimizer for hidden layers in neural networks. 2024; step size: Liu J et al. Muon is
        scalable for LLM training. 2025, arXiv:2502.16982.

    Examples:
        >>> net = nn.Sequential(nn.Conv3d(1, 8, 3), nn.Conv3d(8, 8, 3), nn.Conv3d(8, 3, 1))
        >>> optimizer = Muon(net.parameters(), lr=0.003)
        >>> [[tuple(p.shape) for p in group["params"]] for group in optimizer.param_groups]
        [[(8, 8, 3, 3, 3)], [(8, 1, 3, 3, 3), (8,), (8,), (3, 8, 1, 1, 1), (3,)]]
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float = 2e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.01,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        iterations: int = 5,
    ) -> None:
        numbers = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "betas": list(betas), "eps": eps}
        if not (lr >= 0 and 0 <= momentum < 1 and weight_decay >= 0 and all(0 <= b < 1 for b in betas) and eps > 0):
            raise InvalidConfig(
                f"lr, weight_decay from 0, momentum and betas from 0 to below 1, eps > 0; found {numbers}"
            )
        if not 1 <= iterations < 100:
            raise InvalidConfig(f"iterations must be from 1 to 99; found {iterations}")
        all_of_them = list(params)
        if not all(isinstance(one, Tensor) for one in all_of_them):
            raise InvalidConfig("Muon sorts parameters into groups itself; give it net.parameters()")
        kernels = [one for one in all_of_them if _is_kernel(one)]
        rest = [one for one in all_of_them if not _is_kernel(one)]
        groups = [{"params": kernels, "is_kernel": True}, {"params": rest, "is_kernel": False}]
        defaults = {"momentum": momentum, "betas": betas, "eps": eps, "iterations": iterations}
        super().__init__(
            [group for group in groups if group["params"]], {"lr": lr, "weight_decay": weight_decay, **defaults}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]  # torch's is overloaded
        """The loss of the closure, if there is one; every parameter with a gradient is moved."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [(one, one.grad) for one in group["params"] if one.grad is not None]
            if group["is_kernel"]:
                for kernel, gradient in moved:
                    self._turn(kernel, gradient, group)
            elif moved:
                self._adamw(moved, group)
        return loss

    def _turn(self, kernel: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[kernel]
        mean = state.setdefault("momentum_buffer", torch.zeros_like(kernel))
        mean.lerp_(gradient, 1 - group["momentum"])
        step = orthogonal(gradient.lerp(mean, group["momentum"]).flatten(1), group["iterations"])
        kernel.mul_(1 - group["lr"] * group["weight_decay"])
        kernel.sub_(step.view_as(kernel), alpha=group["lr"] * SCALE * math.sqrt(max(step.shape)))

    def _adamw(self, moved: list[tuple[Tensor, Tensor]], group: dict[str, Any]) -> None:
        for one, _ in moved:
            if not self.state[one]:
                zeros = {"exp_avg": torch.zeros_like(one), "exp_avg_sq": torch.zeros_like(one)}
                self.state[one].update(zeros, step=torch.tensor(0.0))
        states = [self.state[one] for one, _ in moved]
        adamw(
            [one for one, _ in moved],
            [gradient for _, gradient in moved],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )


def orthogonal(matrix: Tensor, iterations: int = 5) -> Tensor:
    """`(rows, columns)` with the same singular vectors, and singular values near 1.

    Args:
        matrix: `(rows, columns)`, float32.
        iterations: of Newton and Schulz.

    Source:
        Jordan K et al. Muon: an optimizer for hidden layers in neural networks. 2024.

    Examples:
        >>> matrix = torch.diag(torch.tensor([1.0, 0.1]))
        >>> orthogonal(matrix).diagonal().double().round(decimals=1).tolist()
        [0.7, 0.7]
    """
    a, b, c = QUINTIC
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = x / x.norm().clamp(min=1e-7)  # no singular value is above 1 then
    for _ in range(iterations):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if is_tall else x


def _is_kernel(parameter: Tensor) -> bool:
    """Whether it is the kernel of a convolution between features."""
    return parameter.ndim >= 4 and min(parameter.shape[:2]) >= FEWEST
