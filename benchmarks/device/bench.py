"""What a step gets: its folder, its seconds, its device, and the configs at their own or at toy size."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.device.errors import StepFailed

if TYPE_CHECKING:
    from avnnet.training.config.experiment import Experiment

ROOT = Path(__file__).resolve().parents[2]
ABSTRACT = ROOT / "experiments" / "abstract"
GIB = 2**30


@dataclass(frozen=True)
class Bench:
    """The surroundings of one step.

    Args:
        folder: where steps leave to others what they made.
        limit_s: seconds of this step.
        is_dry: the CPU and toy sizes instead of CUDA and those of the abstract.
    """

    folder: Path
    limit_s: float
    is_dry: bool
    begun_s: float = field(default_factory=time.monotonic)

    @property
    def device(self) -> str:
        """Where networks run."""
        return "cpu" if self.is_dry else "cuda"

    @property
    def left_s(self) -> float:
        """Seconds that this step still has."""
        return self.begun_s + self.limit_s - time.monotonic()

    @property
    def cohort(self) -> Path:
        """The cohort of digital hips.

        Raises:
            StepFailed: if the step that makes it failed.
        """
        path = self.folder / "hips" / "cohort.csv"
        if not path.exists():
            raise StepFailed("there are no digital hips: the step that makes them failed")
        return path

    def experiment(self, config: str, *overrides: str) -> Experiment:
        """A config of the abstract, "unet3d" or "unet2d", on the digital hips."""
        from avnnet.progress import Reporter
        from avnnet.training.config.experiment import load_experiment

        words = [f"--data.cohort={self.folder / 'hips' / 'cohort.csv'}", f"--data.cache={self.folder / 'cache'}"]
        words += [f"--data.folds={2 if self.is_dry else 3}", *(self._toy(config) if self.is_dry else [])]
        experiment = load_experiment([ABSTRACT / f"{config}.yaml"], [*words, *overrides])
        experiment.datamodule.reporter = Reporter(is_quiet=True)
        # the step that makes the cohort checks it, once for all
        experiment.datamodule.is_checked = (self.folder / "cache").exists()
        return experiment

    @staticmethod
    def _toy(config: str) -> list[str]:
        ndim = 2 if config == "unet2d" else 3
        net = {"channels": [4, 8, 8, 8], "strides": [[2] * ndim] * 3, "deep_supervision": 2, "kernels": None}
        data = {"spacing_mm": [4.0] * 3, "crop": [16] * 3, "patch": [16] * 3, "batch_size": 2, "workers": 0}
        data |= {"slices": 2} if ndim == 2 else {}
        words = [f"--model.net.init_args.{key}={json.dumps(value)}" for key, value in net.items()]
        words += [f"--data.{key}={json.dumps(value)}" for key, value in data.items()]
        return [*words, "--trainer.accelerator=cpu", "--trainer.precision=32-true"]

    def wait(self) -> None:
        """Comes back when the device has done all that it was given."""
        import torch

        if not self.is_dry:
            torch.cuda.synchronize()

    @contextmanager
    def memory(self) -> Iterator[dict[str, float]]:
        """A dict that holds `peak_gib` in the end, the most that tensors took on the device; empty on a CPU."""
        import torch

        found: dict[str, float] = {}
        if self.is_dry:
            yield found
            return
        torch.cuda.reset_peak_memory_stats()
        yield found
        found["peak_gib"] = torch.cuda.max_memory_allocated() / GIB

    def remember(self, **numbers: float) -> None:
        """Keeps numbers for later steps, which may be taken by another process."""
        self._known_path.write_text(json.dumps({**self.known(), **numbers}))

    def known(self) -> dict[str, float]:
        """The numbers that earlier steps kept."""
        return dict(json.loads(self._known_path.read_text())) if self._known_path.exists() else {}

    @property
    def _known_path(self) -> Path:
        return self.folder / "known.json"
