"""The gradients of a training in bf16 on a CPU are right where oneDNN's are not: fewer slices than the kernel has."""

import os
import subprocess
import sys

import pytest
import torch
from torch.nn import functional

from avnnet.models import UNet3D
from avnnet.models.pieces.shallow import exact_gradients

CPU = torch.device("cpu")
# memory that is given out holds 0xFE bytes, -1.7e38 as a float: what is read before it is written shows
POISONED = {**os.environ, "MALLOC_PERTURB_": "1"}
BOTTOM_OF_TWO_SLICES = """
import torch
from avnnet.models import Checkpointed, ConvBlock, UNet3D
from avnnet.models.pieces.shallow import exact_gradients

def gradients(block, is_bf16):
    torch.manual_seed(1)
    net = UNet3D([16, 32], [[2, 2, 2]], block=block)
    image = torch.randn(2, 1, 4, 16, 16)
    with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16), exact_gradients(image.device):
        loss = net(image).float().square().mean()
    loss.backward()
    return torch.cat([one.grad.flatten() for one in net.parameters()])

exact = gradients(ConvBlock, False)
for block in (ConvBlock, Checkpointed):
    print(float((gradients(block, True) - exact).norm() / exact.norm()))
"""


def gradient(kernel: torch.Tensor, image: torch.Tensor, padding: int, *, is_bf16: bool) -> torch.Tensor:
    weight = kernel.clone().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=is_bf16), exact_gradients(CPU):
        found = functional.conv3d(image, weight, padding=padding)
    found.float().square().sum().backward()
    return weight.grad


@pytest.mark.parametrize(("slices", "size", "is_exact"), [(2, 3, True), (3, 3, False), (3, 5, True), (4, 5, True)])
def test_convolutions_of_fewer_slices_than_their_kernel_has_are_computed_in_float32(slices, size, is_exact):
    # whole numbers, of which bf16 holds those up to 256: the products of the gradient are beyond it
    numbers = torch.Generator().manual_seed(1)
    image = torch.randint(-9, 9, (1, 4, slices, 6, 6), generator=numbers).float()
    kernel = torch.randint(-1, 2, (4, 4, size, 1, 1), generator=numbers).float()
    padding = [size // 2, 0, 0]
    exact, mixed = (gradient(kernel, image, padding, is_bf16=is_bf16) for is_bf16 in (False, True))
    assert torch.allclose(mixed, exact, rtol=0.02)
    calls = []

    class Watched(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            if func is torch.conv3d:
                calls.append((args[0].dtype, torch.is_autocast_enabled("cpu")))
            return func(*args, **(kwargs or {}))

    with Watched():  # what the inner of two modes leaves to the outer one is what torch is asked for
        gradient(kernel, image, padding, is_bf16=True)
    assert calls == [(torch.float32, not is_exact)]


def test_without_autocast_nothing_is_changed():
    image, net = torch.randn(1, 1, 4, 16, 16), UNet3D([8, 16], [[2, 2, 2]])
    with exact_gradients(CPU):
        inside = net(image)
    assert torch.equal(inside, net(image))


def test_gradients_of_a_bottom_of_two_slices_do_not_depend_on_what_memory_held_before():
    words = [sys.executable, "-c", BOTTOM_OF_TWO_SLICES]
    done = subprocess.run(words, env=POISONED, capture_output=True, text=True, check=True)
    off = [float(line) for line in done.stdout.split()]
    assert len(off) == 2
    assert max(off) < 0.1  # bf16 in the other layers; of poisoned memory it is beyond 1e30
