"""Milliseconds of every loss, forward and backward, on one batch: a ball with a cap and logits near it.

Run: python benchmarks/losses.py
"""

import statistics
import time

import torch

from avnnet import losses

RUNS = 7
SHAPE = (32, 48, 48)


def ball() -> torch.Tensor:
    """Label ids `(2, 1, 32, 48, 48)`: a ball of half the patch, and its upper third as the part."""
    axes = [torch.linspace(-1, 1, count) for count in SHAPE]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    inside = (z**2 + y**2 + x**2 < 0.5).to(torch.uint8)
    return (inside + inside * (z > 0.3)).expand(2, 1, *SHAPE).contiguous()


def milliseconds(loss: torch.nn.Module, logits: torch.Tensor, target: torch.Tensor) -> float:
    """The median of some runs, forward and backward, after one that warms up."""
    times = []
    for _ in range(RUNS + 1):
        values = logits.clone().requires_grad_()
        start = time.perf_counter()
        loss(values, target).backward()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times[1:])


def main() -> None:
    torch.set_num_threads(1)
    target = ball()
    right = torch.nn.functional.one_hot(target[:, 0].long(), 3).movedim(-1, 1)
    logits = 2 * right + torch.randn(right.shape, generator=torch.Generator().manual_seed(1))
    names = [name for name in losses.__all__ if isinstance(getattr(losses, name), type) and name != "Sum"]
    for name in sorted(names, key=lambda name: name != "DiceCE"):
        print(f"{name:16s} {milliseconds(getattr(losses, name)(), logits, target):8.0f} ms")


if __name__ == "__main__":
    main()
