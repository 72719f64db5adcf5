"""The memory of training steps, measured in a process of its own: another one may have held more before."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avnnet.errors import WorkerFailed
from avnnet.training.config.experiment import Experiment
from avnnet.training.precision import PrecisionChoice

# the optimiser's moments are there from the second step on
STEPS = 2
MARK = "avnnet peak memory: "
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class PeakMemory:
    """The most memory that was held at once.

    Args:
        device: "cpu", or "cuda:0".
        peak_bytes: of the device: the process with all its libraries on a CPU, PyTorch's share on a GPU.
        before_bytes: what was held before the first step: the libraries on a CPU, the network on a GPU.
    """

    device: str
    peak_bytes: int
    before_bytes: int


def peak_memory(experiment: Experiment, name: str) -> PeakMemory:
    """The most memory that a new process holds which makes two training steps on a batch of random numbers.

    Args:
        experiment: the parsed config.
        name: of the variant, for the error.

    Raises:
        WorkerFailed: if the steps cannot be made; the reason is given.

    Source:
        proc_pid_status(5): VmHWM is the largest resident set that a process had, in KiB.
    """
    words = [sys.executable, "-m", "avnnet.training.ablation.peak_memory"]
    # classes of the user's own may be in a folder that only this process knows
    known = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    config = json.dumps(experiment.as_plain())
    done = subprocess.run(words, input=config, capture_output=True, text=True, env=known, check=False)
    found = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode or not found:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        why = f"by signal {-done.returncode}, for want of memory perhaps" if done.returncode < 0 else last[:300]
        raise WorkerFailed(f"{name}: a training step on random numbers could not be made ({why}); mend its config")
    return PeakMemory(**json.loads(found[-1].removeprefix(MARK)))


def batch_shapes(experiment: Experiment, patch: Sequence[int] = ()) -> tuple[list[int], list[int]]:
    """What a network is given: `(B, C, *S)` of a patch in prediction, and of a training batch.

    A 2D network sees the slices of a patch as a batch.

    Args:
        experiment: the parsed config.
        patch: another than its `data.patch`.

    Examples:
        >>> from types import SimpleNamespace as Of
        >>> data = Of(patch=[16, 32, 32], batch_size=2, slices=4)
        >>> batch_shapes(Of(model=Of(net=Of(ndim=2, in_channels=1)), datamodule=data))
        ([16, 1, 32, 32], [8, 1, 32, 32])
    """
    net, data = experiment.model.net, experiment.datamodule
    patch = patch or data.patch
    if net.ndim == 2:
        in_plane = [net.in_channels, *patch[1:]]
        return [patch[0], *in_plane], [data.batch_size * (data.slices or 1), *in_plane]
    return [1, net.in_channels, *patch], [data.batch_size, net.in_channels, *patch]


def _make_steps(config: dict[str, Any]) -> PeakMemory:
    import torch

    experiment = Experiment.of_plain(config, PrecisionChoice(config["trainer"]["precision"], "asked for"))
    model, strategy = experiment.model, experiment.trainer.strategy
    device = strategy.root_device
    model.to(device).train()
    model.log = lambda *_, **__: None  # type: ignore[method-assign]  # there is no trainer that would take it
    _, shape = batch_shapes(experiment)
    generator = torch.Generator().manual_seed(1)
    image = torch.randn(shape, generator=generator).to(device)
    label = torch.randint(0, model.net.classes, [shape[0], 1, *shape[2:]], generator=generator).to(device)
    optimizer = model.optimizer(model.net.parameters())
    before_bytes = _held_bytes(device)
    for _ in range(STEPS):
        with strategy.precision_plugin.forward_context():
            loss = model.training_step((image, label), 0)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return PeakMemory(str(device), _held_bytes(device), before_bytes)


def _held_bytes(device: Any) -> int:
    """The most that was held so far."""
    import torch

    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # ru_maxrss would begin with what the process had that started this one: all variants would cost as much as it
    if STATUS.exists():
        lines = [line.split() for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines()]
        for kib in (int(words[1]) for words in lines if words[:1] == ["VmHWM:"]):
            return kib * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    print(MARK + json.dumps(asdict(_make_steps(json.load(sys.stdin)))))
