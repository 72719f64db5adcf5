"""YAML to a trained model and a cross-validated study; the only package that knows Lightning.

Its public names load when they are first used, because Lightning takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avnnet.training.ablation import run_ablation
    from avnnet.training.ablation_plan import Ablation
    from avnnet.training.config import load_experiment
    from avnnet.training.datamodule import CohortDataModule
    from avnnet.training.fit import train
    from avnnet.training.plan import Study
    from avnnet.training.study import run_study
    from avnnet.training.task import SegmentationTask

_HOME = {
    "Ablation": "ablation_plan",
    "CohortDataModule": "datamodule",
    "SegmentationTask": "task",
    "Study": "plan",
    "load_experiment": "config",
    "run_ablation": "ablation",
    "run_study": "study",
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
