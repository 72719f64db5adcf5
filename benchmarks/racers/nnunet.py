"""nnU-Net in the race: nnunetv2's own plan, trainer and predictor, with a schedule as long as the minutes are.

Planning and preprocessing are done once and are not counted. The trainer never finishes an epoch of 250 iterations in
minutes on a CPU, so that its schedule is made as long as the steps that fit, and the weights are taken from memory. On
a CPU nnU-Net computes in float32.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from task import Task, Topology, each, read_task

NAME = "Dataset501_Race"


def main() -> int:
    task = read_task()
    roots = {f"nnUNet_{name}": str(task.shared / name) for name in ("raw", "preprocessed", "results")}
    os.environ.update(roots, nnUNet_n_proc_DA="1", nnUNet_def_n_proc="1", nnUNet_compile="0")
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
    from nnunetv2.run.run_training import get_trainer_from_args

    if prepared(task) and task.steps is not None:
        os.execv(sys.executable, [sys.executable, *sys.argv])  # else its memory would be that of planning
    if task.topology is not None:
        take_over(task.topology, task.shared / "preprocessed" / NAME / "nnUNetPlans.json")
    os.environ.update(nnUNet_n_proc_DA="0")  # augmentation in this process: the cores are counted
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))  # the planner has changed it
    task = task.begun_now()
    with contextlib.redirect_stdout(io.StringIO()):
        trainer = get_trainer_from_args("501", "3d_fullres", task.fold, "nnUNetTrainer", device=torch.device("cpu"))
        trainer.initialize()
        trainer.on_train_start()

    def step() -> None:
        trainer.train_step(next(trainer.dataloader_train))

    def schedule(steps: int) -> Callable[[int], object]:
        trainer.num_epochs = steps
        trainer.optimizer, trainer.lr_scheduler = trainer.configure_optimizers()
        return trainer.lr_scheduler.step

    trained = task.train(trainer.network, step, schedule, timed=1)
    if trained is None:
        return 0
    task.write_record(trained, precision="32-true", recipe="nnunetv2 3d_fullres")
    trainer.set_deep_supervision_enabled(False)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        "nnUNetTrainer",
        trainer.inference_allowed_mirroring_axes,
    )
    for case in each(task.held_out, "predicting"):
        with contextlib.redirect_stdout(io.StringIO()):
            image = task.shared / "raw" / NAME / "imagesTr" / f"{case.case_id}_0000.nii.gz"
            found = predictor.predict_from_files_sequential([[str(image)]], None)[0]
        task.write(case, found)
    return 0


def prepared(task: Task) -> bool:
    """Makes nnU-Net's data set, planned and preprocessed, with the folds of the race; False where it is there."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api as planning

    from avnnet.data.splits import read_folds
    from avnnet.exchange import DatasetPlan, write_nnunet_dataset

    done = task.shared / "preprocessed" / "done"
    if done.exists():
        return False
    shutil.rmtree(task.shared, ignore_errors=True)  # half done
    raw = task.shared / "raw" / NAME
    write_nnunet_dataset(task.cohort, raw, read_folds(task.splits, task.cohort), DatasetPlan(task.scheme))
    planning.extract_fingerprints([501], num_processes=1, check_dataset_integrity=False)
    name = planning.plan_experiments([501])
    planning.preprocess([501], name if isinstance(name, str) else "nnUNetPlans", ["3d_fullres"], [2])
    folds = task.shared / "preprocessed" / NAME / "splits_final.json"
    folds.write_bytes((raw / "splits_final.json").read_bytes())
    done.touch()
    return True


def take_over(own: Topology, path: Path) -> None:
    """Writes another network, patch and batch into a plan."""
    plans = json.loads(path.read_text(encoding="utf-8"))
    plan = plans["configurations"]["3d_fullres"]
    plan |= {"patch_size": own.patch, "batch_size": own.batch}
    plan["architecture"]["arch_kwargs"] |= {
        "n_stages": len(own.channels),
        "features_per_stage": own.channels,
        "kernel_sizes": own.kernels,
        "strides": own.strides,
        "n_conv_per_stage": [2] * len(own.channels),
        "n_conv_per_stage_decoder": [2] * (len(own.channels) - 1),
    }
    path.write_text(json.dumps(plans, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
