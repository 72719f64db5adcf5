"""A training that is killed at every single write, each time in a process of its own; prints what was found as JSON.

python -m tests.training.crashes CONFIG COHORT FOLDER
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch

from avnnet.data.integrity import content_hash
from avnnet.progress import Reporter
from avnnet.training.checkpoint import latest_checkpoint
from avnnet.training.config.experiment import load_experiment
from avnnet.training.fit import train

MOMENTS = ("half written", "renamed")


def in_child(task: Callable[[], None]) -> int:
    """The exit code of a task in a forked process; minus the signal that killed it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            task()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(write: int, moment: str) -> None:
    """From now on this process is killed at its n-th write, from 0: in the middle of it, or right after its rename."""
    rename, count = os.replace, [0]

    def replace(source: Path, target: Path) -> None:
        count[0] += 1
        if count[0] - 1 != write:
            return rename(source, target)
        if moment == "renamed":
            rename(source, target)
        else:
            os.truncate(source, os.path.getsize(source) // 2)
        return os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace


def main() -> None:
    config, cohort, folder = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    torch.set_num_threads(1)  # no threads before a fork
    # parsed once: every child starts with this network and these random numbers
    words = [f"--data.cohort={cohort}", f"--data.cache={folder / 'cache'}"]
    words += ["--data.steps_per_epoch=1", "--trainer.limit_val_batches=0"]  # neither is a write
    experiment = load_experiment([config], words)
    experiment.datamodule.reporter = Reporter(is_quiet=True)

    def run(name: str, write: int | None = None, moment: str = "") -> Callable[[], None]:
        def task() -> None:
            if write is not None:
                die_at(write, moment)
            train(experiment, folder / name, name="unet3d", on_epoch=lambda *_: None)

        return task

    def weights(name: str) -> str:
        return content_hash(*sorted((folder / name / "model").iterdir()))  # with any litter of a kill

    whole = in_child(run("whole")), weights("whole"), epochs_of(folder / "whole")
    kills, write = [], 0
    while True:
        for moment in MOMENTS:
            name = f"{write}-{moment}"
            killed = in_child(run(name, write, moment))
            if killed == 0:
                print(json.dumps({"whole": whole, "kills": kills}))
                return
            left = {
                "where": name,
                "exit code": killed,
                "epochs": epochs_of(folder / name),
                "checkpoint": getattr(latest_checkpoint(folder / name / "checkpoints"), "name", None),
            }
            left["again"] = in_child(run(name)), weights(name), epochs_of(folder / name)
            kills.append(left)
        write += 1


def epochs_of(run: Path) -> list[int]:
    path = run / "metrics.csv"
    return pd.read_csv(path)["epoch"].tolist() if path.exists() else []


if __name__ == "__main__":
    main()
