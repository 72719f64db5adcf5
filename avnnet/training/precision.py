"""Which number format trains fastest on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache

import torch

from avnnet.inference.engines import autocast
from avnnet.models import UNet3D

# bf16 must be clearly faster, so that two timings of one machine choose alike
CLEARLY = 1.2
# a CPU without bf16 instructions takes fifty times as long for it: a hundredth of the work shows that in a second
SMALL, FULL = (1, 1, 8, 16, 16), (2, 1, 32, 48, 48)
HOPELESS = 4.0


@dataclass(frozen=True)
class PrecisionChoice:
    """A Lightning precision and why it was chosen.

    Args:
        precision: "32-true", "bf16-mixed" or "16-mixed".
        reason: the timing or the rule.
    """

    precision: str
    reason: str


@cache
def fastest_precision(accelerator: str = "auto") -> PrecisionChoice:
    """The precision to train with: by rule on CUDA, by a timing of about a second on a CPU.

    Args:
        accelerator: Lightning's name; "auto" takes CUDA where there is a device.
    """
    if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available():
        if torch.cuda.is_bf16_supported():
            return PrecisionChoice("bf16-mixed", "CUDA device with bf16")
        return PrecisionChoice("16-mixed", "CUDA device without bf16")
    if accelerator not in ("auto", "cpu"):
        return PrecisionChoice("32-true", f"accelerator {accelerator}: no rule for it")
    names = ("32-true", "bf16-mixed")
    seconds = {name: _step_seconds(name, SMALL) for name in names}
    if seconds["bf16-mixed"] < HOPELESS * seconds["32-true"]:
        seconds = {name: _step_seconds(name, FULL) for name in names}
    is_faster = seconds["32-true"] > CLEARLY * seconds["bf16-mixed"]
    timing = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in seconds.items())
    return PrecisionChoice("bf16-mixed" if is_faster else "32-true", f"timed step of a small 3D U-Net: {timing}")


def _step_seconds(precision: str, shape: tuple[int, ...]) -> float:
    # a forked generator: the timing must not move the random numbers that initialise the real network
    with torch.random.fork_rng(devices=[]):
        net = UNet3D([16, 32, 64], [[2, 2, 2], [2, 2, 2]])
        image = torch.randn(shape)
    fastest = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        with autocast(torch.device("cpu"), precision):
            loss = net(image).float().square().mean()
        loss.backward()
        fastest = min(fastest, time.perf_counter() - start)
    return fastest
