"""avnnet in the race: `avnnet fit --minutes`, a whole command with its preparation, validation and checkpoints."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from task import Trained, each, read_task

from avnnet.cli import main as avnnet
from avnnet.data.files import read_image
from avnnet.inference.model_folder import load_model
from avnnet.record import RunRecord
from avnnet.training import load_experiment
from benchmarks.study_flops import training_cost


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
    experiment = load_experiment([run / "config.yaml"])  # with the steps that the minutes came to
    steps, gflop = training_cost(experiment)
    names = " + ".join(Path(config).stem for config in args.config)
    task.write_record(Trained(steps, gflop / steps), precision=record.precision, recipe=f"avnnet {names}")
    segmenter = load_model(run / "model", precision=record.precision)
    for case in each(task.held_out, "predicting"):
        hip = segmenter.predict(read_image(case.image), side=case.side, centre_mm=case.centre_mm)
        task.write(case, hip.labels.array)
    return 0


if __name__ == "__main__":
    sys.exit(main())
