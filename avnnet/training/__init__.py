"""YAML to a trained model and a cross-validated study; the only package that knows Lightning.

Its public names load when they are first used, because Lightning takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avnnet.training.ablation.plan import Ablation
    from avnnet.training.ablation.run import run_ablation
    from avnnet.training.config.experiment import load_experiment
    from avnnet.training.datamodule import CohortDataModule
    from avnnet.training.fit import train
    from avnnet.training.study.plan import Study
    from avnnet.training.study.run import run_study
    from avnnet.training.task import SegmentationTask

_HOME = {
    "Ablation": "ablation.plan",
    "CohortDataModule": "datamodule",
    "SegmentationTask": "task",
    "Study": "study.plan",
    "load_experiment": "config.experiment",
    "run_ablation": "ablation.run",
    "run_study": "study.run",
    "train": "fit",
}

__all__ = [
    "Ablation",
    "CohortDataModule",
    "SegmentationTask",
    "Study",
    "load_experiment",
    "run_ablation",
    "run_study",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"avnnet.training.{_HOME[name]}"), name)
    raise AttributeError(f"module 'avnnet.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
