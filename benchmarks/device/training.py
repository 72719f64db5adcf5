"""Digital hips, how long a training waits for them, a short training, and the prediction of one hip."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytorch_lightning import Callback

from benchmarks.device.bench import Bench
from benchmarks.device.errors import StepFailed

if TYPE_CHECKING:
    import numpy as np

MIN_DICE_TO_CPU = 0.999
WARM_STEPS = 5
EPOCH_STEPS = 50


class Waits(Callback):
    """Seconds from one step's end on the device to the next one's begin: the device waits for data.

    It counts from a few steps on, when loaders have started and kernels are chosen.

    Args:
        bench: of the step.
        stop_s: seconds after which the training stops.
    """

    def __init__(self, bench: Bench, stop_s: float) -> None:
        self.bench, self.stop_s = bench, stop_s
        self.steps, self.waited_s, self.total_s = 0, 0.0, 0.0
        self.ended_s: float | None = None
        self.warm = 1 if bench.is_dry else WARM_STEPS

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx) -> None:
        """Counts the wait for this batch, its way to the device included."""
        self.bench.wait()
        if batch_idx == self.warm:
            self.ended_s = self.first_s = time.perf_counter()
        elif batch_idx > self.warm and self.ended_s is not None:
            self.waited_s += time.perf_counter() - self.ended_s

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        """Counts the step; the device has done it when this comes back."""
        self.bench.wait()
        self.ended_s = time.perf_counter()
        if batch_idx > self.warm:
            self.steps += 1
        if batch_idx >= self.warm:
            self.total_s = self.ended_s - self.first_s
            # the step in which counting began has no wait before it
            trainer.should_stop = self.total_s > self.stop_s and self.steps > 0


def make_hips(bench: Bench) -> Iterator[dict[str, object]]:
    """A cohort of digital hips, prepared for both configs."""
    from avnnet.phantom import Acquisition, CohortPlan, Plane, write_cohort

    coarse = Acquisition((32, 60, 56), (3.2, 2.8, 3.0), Plane.AXIAL)
    patients = 2 if bench.is_dry else 6
    plan = CohortPlan(patients, seed=3, acquisition=coarse if bench.is_dry else Acquisition(), other_hip_every=0)
    begun = time.perf_counter()
    write_cohort(plan, bench.folder / "hips")
    yield {"what": f"{patients} made", "seconds": time.perf_counter() - begun}
    begun = time.perf_counter()
    bench.experiment("unet3d").datamodule.setup("fit")
    yield {"what": f"{patients} prepared", "seconds": time.perf_counter() - begun}


def time_loading(bench: Bench, config: str) -> Iterator[dict[str, object]]:
    """Steps per second of a training with its loaders, and the share of its time that the device waits for them."""
    steps = 4 if bench.is_dry else 5000
    words = [f"--data.cohort={bench.cohort}", f"--data.steps_per_epoch={steps}", "--trainer.max_epochs=1"]
    experiment = bench.experiment(config, *words, "--trainer.limit_val_batches=0")
    waits = Waits(bench, stop_s=min(8.0, bench.left_s / 3))
    experiment.trainer.callbacks.append(waits)
    with bench.memory() as memory:
        experiment.trainer.fit(experiment.model, datamodule=experiment.datamodule)
    if not waits.steps:
        raise StepFailed("the training ended before a step could be counted")
    per_s = (waits.steps + 1) / waits.total_s
    bench.remember(**{config: per_s})
    yield {
        "what": f"{experiment.datamodule.workers} loaders, {experiment.trainer.precision}",
        "steps_per_s": per_s,
        "waiting_percent": 100 * waits.waited_s / waits.total_s,
        "note": f"{waits.steps + 1} steps",
        **memory,
    }


def train_shortly(bench: Bench) -> Iterator[dict[str, object]]:
    """The Dice of held-out hips after as many steps as fit, with the schedule at its end."""
    from avnnet.tables import read_table
    from avnnet.training.fit import train

    # what was not measured is guessed low; starting the loaders, checkpoints and the validation take the rest
    steps = 2 if bench.is_dry else int(0.35 * bench.limit_s * bench.known().get("unet3d", 1.0))
    per_epoch = min(EPOCH_STEPS, max(1, steps))
    epochs = max(1, steps // per_epoch)
    words = [f"--data.cohort={bench.cohort}", f"--data.steps_per_epoch={per_epoch}", f"--trainer.max_epochs={epochs}"]
    experiment = bench.experiment("unet3d", *words, f"--trainer.check_val_every_n_epoch={epochs}")
    begun = time.perf_counter()
    with bench.memory() as memory:
        train(experiment, bench.folder / "run", name="unet3d", on_epoch=lambda *_: None)
    told = {"seconds": time.perf_counter() - begun, **memory}
    last = read_table(bench.folder / "run" / "metrics.csv").iloc[-1]
    note = f"{epochs * per_epoch} steps, {experiment.trainer.precision}, loss {last['train_loss']:.3f}"
    for name in experiment.datamodule.labels.names.values():
        yield {"what": f"held-out hips, {name}", "dice": float(last[f"val_dice_{name}"]), "note": note, **told}


def predict_one(bench: Bench) -> Iterator[dict[str, object]]:
    """Seconds and memory of one held-out hip, and the Dice of its mask to the CPU's in fp32."""
    from avnnet.data.files import read_image, read_labels
    from avnnet.inference.engines import Engine
    from avnnet.inference.model_folder import load_model

    folder = bench.folder / "run" / "model"
    if not folder.exists():
        raise StepFailed("there is no trained model: the short training failed")
    data = bench.experiment("unet3d", f"--data.cohort={bench.cohort}").datamodule
    data.setup("fit")
    case = data.held_out_cases[0]
    image, manual = read_image(case.image), read_labels(case.label, data.labels)
    names = [*data.labels.names.values(), *([data.labels.whole] if data.labels.whole else [])]
    masks = {}
    for precision, device in {"32-true": bench.device, "bf16-mixed": bench.device, "on the CPU": "cpu"}.items():
        kind = "32-true" if precision == "on the CPU" else precision
        model = load_model(folder, device=device, engine=Engine(kind))
        seconds = []
        with bench.memory() as memory:
            for _ in range(1 if device == "cpu" else 3):
                begun = time.perf_counter()
                masks[precision] = model.predict(image, side=case.side, centre_mm=case.centre_mm).labels
                seconds.append(time.perf_counter() - begun)
        told = {} if device == "cpu" else memory
        note = f"first {seconds[0]:.2f} s; {2 ** len(data.tiling.mirror_axes)} mirror images"
        yield {"what": f"one hip, {device}, {kind}", "seconds": min(seconds), "note": note, **told}
    reference = masks.pop("on the CPU")
    for name in names:
        dice = dice_of(reference.mask(name), manual.mask(name))
        yield {"what": f"{name}: the CPU's to the drawn one", "dice": dice}
        for precision, mask in masks.items():
            dice = dice_of(mask.mask(name), reference.mask(name))
            figures: dict[str, object] = {"what": f"{name}: {precision} to the CPU's", "dice": dice}
            # bf16 is another arithmetic: told, not judged
            if precision == "32-true" and not dice >= MIN_DICE_TO_CPU:
                figures["error"] = f"the mask may differ from the CPU's by Dice {MIN_DICE_TO_CPU}; found {dice:.5f}"
            yield figures


def dice_of(first: np.ndarray, second: np.ndarray) -> float:
    """Dice of two masks; 1 where both are empty, which is equal too."""
    total = int(first.sum() + second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0
