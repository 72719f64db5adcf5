"""avnnet in the race: `avnnet fit --minutes`, a whole command with its preparation, validation and checkpoints."""

from __future__ import annotations

import argparse
import sys
import time
from itertools import pairwise
from pathlib import Path

from task import Task, Trained, each, read_task

from avnnet.cli import main as avnnet
from avnnet.data.files import read_image
from avnnet.inference.engines import Engine
from avnnet.inference.model_folder import load_model
from avnnet.record import RunRecord
from avnnet.training import load_experiment
from avnnet.training.minutes.timing import Stopwatch, first_steps
from benchmarks.study_flops import training_cost


def main() -> int:
    own = argparse.ArgumentParser(add_help=False)
    own.add_argument("--config", action="append", default=[])
    args, sys.argv[1:] = own.parse_known_args()
    task = read_task()
    if task.steps is not None:
        return time_steps(task)
    run = task.out / "run"
    configs = [word for config in args.config for word in ("-c", config)]
    words = [f"--data.cohort={task.cohort_path}"]
    words += [f"--data.splits={task.splits}", f"--data.fold={task.fold}", f"--data.cache={task.out / 'cache'}"]
    words += [f"--seed_everything={task.seed}", f"--trainer.default_root_dir={run}"]
    code = avnnet(["fit", f"--minutes={task.minutes:g}", *configs, *words])
    if code:
        return code
    record = RunRecord.read(run)
    experiment = load_experiment([run / "config.yaml"])  # with the steps that the minutes came to
    steps, gflop = training_cost(experiment)
    names = " + ".join(Path(config).stem for config in args.config)
    task.write_record(Trained(steps, gflop / steps), precision=record.precision, recipe=f"avnnet {names}")
    segmenter = load_model(run / "model", engine=Engine(record.precision))
    for case in each(task.held_out, "predicting"):
        hip = segmenter.predict(read_image(case.image), side=case.side, centre_mm=case.centre_mm)
        task.write(case, hip.labels.array)
    return 0


def time_steps(task: Task) -> int:
    """Steps of the topology's own config in Lightning's loop."""
    words = [f"--data.cohort={task.cohort_path}", f"--data.splits={task.splits}", f"--data.fold={task.fold}"]
    words += [f"--data.cache={task.out / 'cache'}", f"--seed_everything={task.seed}", "--data.workers=0"]
    words += ["--trainer.precision=32-true", "--trainer.accelerator=cpu", "--trainer.limit_val_batches=0"]
    experiment = load_experiment([task.config], words)
    experiment.datamodule.setup("fit")
    watch = Stopwatch(float("inf"), task.steps + 1, time.perf_counter)
    first_steps(experiment, watch)
    task.write_pace([end - begin for begin, end in pairwise(watch.ends_s)])
    return 0


if __name__ == "__main__":
    sys.exit(main())
