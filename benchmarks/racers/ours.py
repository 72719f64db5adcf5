"""avnnet in the race: `avnnet fit --minutes`, a whole command with its preparation, validation and checkpoints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from task import Trained, counted_gflop, each, read_task

from avnnet.cli import main as avnnet
from avnnet.data.files import read_image
from avnnet.inference.model_folder import load_model
from avnnet.losses import supervise_scales
from avnnet.record import RunRecord
from avnnet.training import load_experiment


def main() -> int:
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--config", action="append", default=[])
    args, sys.argv[1:] = own.parse_known_args()
    task = read_task()
    run = task.out / "run"
    configs = [word for config in args.config for word in ("-c", config)]
    words = [f"--data.cohort={task.cohort_path}"]
    words += [f"--data.splits={task.splits}", f"--data.fold={task.fold}", f"--data.cache={task.out / 'cache'}"]
    words += [f"--seed_everything={task.seed}", f"--trainer.default_root_dir={run}"]
    code = avnnet(["fit", f"--minutes={task.minutes:g}", *configs, *words])
    if code:
        return code
    record = RunRecord.read(run)
    steps = record.budget.epochs * record.budget.steps_per_epoch if record.budget else 0
    experiment = load_experiment(args.config, words)
    model, data = experiment.model, experiment.datamodule
    image = torch.randn(data.batch_size, model.net.in_channels, *data.patch)
    label = torch.randint(0, model.net.classes, (data.batch_size, 1, *data.patch))

    def step() -> None:
        supervise_scales(model.loss, model.net.scales(image), label, model.scale_weights).backward()

    names = " + ".join(Path(config).stem for config in args.config)
    task.write_record(Trained(steps, counted_gflop(step)), precision=record.precision, recipe=f"avnnet {names}")
    segmenter = load_model(run / "model", precision=record.precision)
    for case in each(task.held_out, "predicting"):
        hip = segmenter.predict(read_image(case.image), side=case.side, centre_mm=case.centre_mm)
        task.write(case, hip.labels.array)
    return 0


if __name__ == "__main__":
    sys.exit(main())
