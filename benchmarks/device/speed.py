"""Steps per second and memory of a network alone: one batch on the device, again and again."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from benchmarks.device.bench import Bench

if TYPE_CHECKING:
    from torch import Tensor, nn

    from avnnet.models import UNet

CLIP = 12.0
BLOCKS = 5
MAX_MEASURED_S = 2.5


def time_network(
    bench: Bench,
    config: str,
    network: str,
    *,
    bf16: bool = False,
    compiled: bool = False,
    channels_last: bool = False,
    benchmark: bool = False,
) -> Iterator[dict[str, object]]:
    """Whole training steps: forward, Dice + cross-entropy at every scale, backward, clipping, optimiser.

    Steps are timed in blocks, and the median block counts. Both networks get the same batch, loss and optimiser. What
    they differ in beside their code: DynUNet brings the logits of its coarse heads to full size before the loss.
    """
    import torch

    from avnnet.losses import supervise_scales

    torch.manual_seed(1)
    experiment = bench.experiment(config, "--trainer.accelerator=cpu", "--trainer.precision=32-true")
    task, data, device = experiment.model, experiment.datamodule, bench.device
    net = task.net if network == "avnnet" else dynunet_like(task.net)
    flat = task.net.ndim == 2
    shape = [data.batch_size * data.slices, 1, *data.patch[1:]] if flat else [data.batch_size, 1, *data.patch]
    image = torch.randn(shape).to(device)
    label = torch.randint(task.net.classes, shape, dtype=torch.uint8).to(device)
    net = net.to(device).train()
    if channels_last:
        order = torch.channels_last if flat else torch.channels_last_3d
        net, image = net.to(memory_format=order), image.to(memory_format=order)
    scales = net.scales if network == "avnnet" else _as_list(net)
    if compiled:
        # the whole compiler is not for toys
        scales = torch.compile(scales, backend="eager" if bench.is_dry else "inductor")
    optimizer = task.optimizer(net.parameters())

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=bf16):
            loss = supervise_scales(task.loss, scales(image), label, task.scale_weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()

    torch.backends.cudnn.benchmark = benchmark
    try:
        with bench.memory() as memory:
            first_s, rates = steps_per_s(bench, step)
    finally:
        torch.backends.cudnn.benchmark = False
        torch.compiler.reset()
    millions = sum(weights.numel() for weights in net.parameters()) / 1e6
    yield {
        "what": f"batch {' x '.join(map(str, shape))}",
        "steps_per_s": statistics.median(rates),
        "lowest_steps_per_s": min(rates),
        "highest_steps_per_s": max(rates),
        "first_step_s": first_s,
        "million_parameters": millions,
        "note": f"{min(rates):.3g} to {max(rates):.3g}; {millions:.1f} M weights; first step {first_s:.1f} s",
        **memory,
    }


def steps_per_s(bench: Bench, step: Callable[[], None]) -> tuple[float, list[float]]:
    """Seconds of the first step, which compiles and chooses kernels, and the steps per second of each block."""
    begun = time.perf_counter()
    step()
    bench.wait()
    first_s = time.perf_counter() - begun
    begun = time.perf_counter()
    warm = 1 if bench.is_dry else 3
    for _ in range(warm):
        step()
    bench.wait()
    one_s = (time.perf_counter() - begun) / warm
    measured_s = 0.0 if bench.is_dry else min(MAX_MEASURED_S, max(0.5, bench.left_s / 3))
    size = max(1, round(measured_s / BLOCKS / one_s))
    rates = []
    for _ in range(2 if bench.is_dry else BLOCKS):
        begun = time.perf_counter()
        for _ in range(size):
            step()
        bench.wait()
        rates.append(size / (time.perf_counter() - begun))
    return first_s, rates


def dynunet_like(net: UNet) -> nn.Module:
    """MONAI's DynUNet with the stages, kernels, strides and deep supervision of a U-Net of ours."""
    from monai.networks.nets.dynunet import DynUNet

    class SameKernels(DynUNet):
        """A decoder stage has the kernel of the encoder stage beside it; MONAI takes that of the next coarser one."""

        def get_upsamples(self) -> nn.ModuleList:
            """The decoder, the coarsest stage first."""
            given = self.kernel_size
            self.kernel_size = [given[0], *given[:-1]]
            try:
                return super().get_upsamples()
            finally:
                self.kernel_size = given

    return SameKernels(
        spatial_dims=net.ndim,
        in_channels=net.in_channels,
        out_channels=net.classes,
        kernel_size=net.kernels or [[3] * net.ndim] * len(net.channels),
        strides=[[1] * net.ndim, *net.strides],
        upsample_kernel_size=net.strides,
        filters=net.channels,
        norm_name=("INSTANCE", {"affine": True}),
        deep_supervision=net.deep_supervision > 1,
        deep_supr_num=max(1, net.deep_supervision - 1),
    )


def _as_list(net: nn.Module) -> Callable[[Tensor], list[Tensor]]:
    def scales(image: Tensor) -> list[Tensor]:
        # with deep supervision (B, levels, K, *S), every level at full size
        logits = net(image)
        return list(logits.unbind(1)) if logits.ndim == image.ndim + 1 else [logits]

    return scales
