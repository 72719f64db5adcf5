"""What nnU-Net's own planner answers for random cohorts, as JSON: the oracle of `avnnet.models.planning.plan`.

`python benchmarks/oracle/nnunet_plans.py --count 36 --seed 7 --out tests/models/nnunet_plans.json`, where nnunetv2
2.8.1 is installed (README.md beside this file). The planner runs as it is, without its files: the fingerprint is handed
over, and networks are built without memory.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import signal
import warnings
from pathlib import Path
from typing import Any
from unittest import mock

import torch

# named, but nothing is there: no file is read or written
os.environ.update(nnUNet_raw="nowhere", nnUNet_preprocessed="nowhere", nnUNet_results="nowhere")
warnings.filterwarnings("ignore")  # of a memory that is not the planner's own
from nnunetv2.experiment_planning.experiment_planners import default_experiment_planner as planning  # noqa: E402
from nnunetv2.experiment_planning.experiment_planners.residual_unets import (  # noqa: E402
    residual_encoder_unet_planners as residual,
)

PLANNERS = {
    "default": planning.ExperimentPlanner,
    "resenc-m": residual.nnUNetPlannerResEncM,
    "resenc-l": residual.nnUNetPlannerResEncL,
    "resenc-xl": residual.nnUNetPlannerResEncXL,
}
OWN_GB = {"default": 8, "resenc-m": 8, "resenc-l": 24, "resenc-xl": 40}
LIMIT_S = 120


def drawn(generator: random.Random) -> dict[str, Any]:
    """A random cohort: one to five different images, of which a planner sees the median, and how many cases it has."""
    plane = generator.choice([1.0, 0.44, round(generator.uniform(0.2, 3), 3)])
    slice_mm = plane * generator.choice([1, 1, generator.uniform(1, 10)])
    spacing = [slice_mm, plane, plane * generator.choice([1, 1, generator.uniform(0.5, 2)])]
    shape = [generator.choice([generator.randint(8, 60), generator.randint(30, 300), 512]) for _ in range(3)]
    order = generator.sample(range(3), 3)
    spacings, shapes = [], []
    for _ in range(generator.randint(1, 5)):
        spread = generator.choice([0.0, 0.0, 0.3])
        spacings.append([round(spacing[i] * (1 + generator.uniform(-spread, spread)), 4) for i in order])
        shapes.append([max(4, round(shape[i] * (1 + generator.uniform(-spread, spread)))) for i in order])
    planner = generator.choice(["default", "default", "default", *PLANNERS])
    memory_gb = generator.choice([OWN_GB[planner]] * 3 + [4, 12, 80])
    return {
        "spacings_mm": spacings,
        "shapes": shapes,
        "cases": generator.choice([2, 10, 34, 208, 260, 1000]),
        "channels": generator.choice([1, 1, 4]),
        "classes": generator.choice([2, 3, 3, 15]),
        "planner": planner,
        "memory_gb": memory_gb,
    }


def answer(cohort: dict[str, Any]) -> dict[str, Any]:
    """The configurations that nnU-Net plans for a cohort."""
    with mock.patch.object(planning.ExperimentPlanner, "__init__", _without_files(cohort)):
        planner = PLANNERS[cohort["planner"]]("any", cohort["memory_gb"])
    with (
        mock.patch.object(planning.shutil, "copy"),
        mock.patch.object(planner, "save_plans"),
        mock.patch.object(planner, "determine_reader_writer", return_value=str),
        contextlib.redirect_stdout(io.StringIO()),
        torch.device("meta"),
    ):
        plans = planner.plan_experiment()
        configurations = plans["configurations"]
        return {
            name: _row(planner, configurations[name], cohort)
            for name in ("2d", "3d_fullres", "3d_lowres")
            if name in configurations
        }


def _without_files(cohort: dict[str, Any]) -> Any:
    original = planning.ExperimentPlanner.__init__
    channels = {str(number): "MRI" for number in range(cohort["channels"])}
    labels = {str(number): number for number in range(cohort["classes"])}
    files = {
        "dataset.json": {"channel_names": channels, "labels": labels, "numTraining": cohort["cases"]},
        "dataset_fingerprint.json": {
            "spacings": cohort["spacings_mm"],
            "shapes_after_crop": cohort["shapes"],
            "median_relative_size_after_cropping": 1.0,
            "foreground_intensity_properties_per_channel": {},
        },
    }

    def init(self: Any, *args: Any, **options: Any) -> None:
        with (
            mock.patch.object(planning, "load_json", lambda path: files[Path(path).name]),
            mock.patch.object(planning, "maybe_convert_to_dataset_name", return_value="any"),
            mock.patch.object(planning, "get_filenames_of_train_images_and_targets", return_value={}),
            mock.patch.object(planning, "isfile", lambda path: Path(path).name in files),
        ):
            original(self, *args, **options)

    return init


def _row(planner: Any, plan: dict[str, Any], cohort: dict[str, Any]) -> dict[str, Any]:
    network = plan["architecture"]
    kwargs = network["arch_kwargs"]
    size = planner.static_estimate_VRAM_usage(
        tuple(map(int, plan["patch_size"])),
        cohort["channels"],
        cohort["classes"],
        network["network_class_name"],
        kwargs,
        network["_kw_requires_import"],
    )
    return {
        "spacing_mm": [float(value) for value in plan["spacing"]],
        "patch": [int(value) for value in plan["patch_size"]],
        "batch": int(plan["batch_size"]),
        "batch_dice": plan["batch_dice"],
        "channels": [int(value) for value in kwargs["features_per_stage"]],
        "strides": [list(map(int, stride)) for stride in kwargs["strides"]],
        "kernels": [list(map(int, kernel)) for kernel in kwargs["kernel_sizes"]],
        "encoder": list(kwargs.get("n_conv_per_stage") or kwargs["n_blocks_per_stage"]),
        "decoder": list(kwargs["n_conv_per_stage_decoder"]),
        "size_e": int(size),
    }


def _late(*_: Any) -> None:
    raise TimeoutError


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=40)
    words.add_argument("--seed", type=int, default=7)
    words.add_argument("--out", type=Path, required=True)
    args = words.parse_args()
    generator = random.Random(args.seed)
    signal.signal(signal.SIGALRM, _late)
    rows = []
    while len(rows) < args.count:
        cohort = drawn(generator)
        signal.alarm(LIMIT_S)
        try:
            rows.append({**cohort, "answers": answer(cohort)})
        except (TimeoutError, ZeroDivisionError, ValueError, AssertionError) as error:
            print(f"no answer ({error!r:.60}): {cohort}", flush=True)
        finally:
            signal.alarm(0)
    args.out.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(f"{len(rows)} cohorts: {args.out}")


if __name__ == "__main__":
    main()
