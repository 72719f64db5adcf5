"""The floating-point operations of a study's trainings: forward, loss, backward and optimiser, as torch counts them.

One real step of every network is counted, at its patch and batch, and taken times its steps. A multiplication and an
addition are two operations; norms and activations are not counted.

Run: python benchmarks/study_flops.py runs/hippocampus
"""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from avnnet.losses import supervise_scales
from avnnet.models.cost import OPERATIONS
from avnnet.training import load_experiment
from avnnet.training.task import SegmentationTask


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="folder of avnnet study")
    args = parser.parse_args()
    rows = [row_of(path) for path in sorted(args.study.glob("fold*/*/config.yaml"))]
    if not rows:
        parser.error(f"{args.study} holds no fold*/NETWORK/config.yaml; give the --out of avnnet study")
    table = pd.DataFrame(rows)
    table["tflop"] = table["steps"] * table["step_gflop"] / 1e3
    print(table.round(2).to_string(index=False))
    print(f"together {table['tflop'].sum():.1f} TFLOP")
    return 0


def row_of(path: Path) -> dict[str, object]:
    """Network, steps, and operations of one step in GFLOP."""
    experiment = load_experiment([str(path)], [])
    data, epochs = experiment.datamodule, experiment.trainer.max_epochs
    shape = [data.batch_size, experiment.model.net.in_channels, *data.patch]
    if data.slices is not None:
        shape = [data.batch_size * data.slices, experiment.model.net.in_channels, *data.patch[1:]]
    steps = epochs * data.steps_per_epoch
    return {
        "network": os.sep.join(path.parts[-3:-1]),
        "steps": steps,
        "step_gflop": step_gflop(experiment.model, shape),
    }


def step_gflop(task: SegmentationTask, shape: list[int]) -> float:
    """The operations of one step of a task on `(B, C, *S)` voxels, in GFLOP."""
    label = torch.randint(0, task.net.classes, (shape[0], 1, *shape[2:]))
    optimizer = task.optimizer(task.net.parameters())
    with FlopCounterMode(display=False, custom_mapping=OPERATIONS) as counter:
        supervise_scales(task.loss, task.net.scales(torch.randn(shape)), label, task.scale_weights).backward()
        optimizer.step()
    return counter.get_total_flops() / 1e9


if __name__ == "__main__":
    sys.exit(main())
