"""The floating-point operations of a study's trainings: forward, loss, backward and optimiser, as torch counts them.

One real step of every network is counted, at its patch and batch, and taken times its steps. A multiplication and an
addition are two operations; norms and activations are not counted.

Run: python benchmarks/study_flops.py runs/hippocampus
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from avnnet.data.drawn import size_at
from avnnet.losses import supervise_scales
from avnnet.models.cost import OPERATIONS
from avnnet.training.ablation.peak_memory import batch_shapes
from avnnet.training.config.experiment import Experiment, load_experiment
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
    steps, gflop = training_cost(experiment)
    return {"network": os.sep.join(path.parts[-3:-1]), "steps": steps, "step_gflop": gflop / steps}


def training_cost(experiment: Experiment) -> tuple[int, float]:
    """The steps of a training, and the operations of all of them in GFLOP; of every size of a patch one is counted."""
    data, epochs = experiment.datamodule, experiment.trainer.max_epochs
    counts = Counter(size_at(data.sizes, epoch / epochs) for epoch in range(epochs))
    one = {size: step_gflop(experiment.model, batch_shapes(experiment, size)[1]) for size in counts}
    return epochs * data.steps_per_epoch, data.steps_per_epoch * sum(counts[size] * one[size] for size in counts)


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
