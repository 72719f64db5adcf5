"""Volumetry of femoral head necrosis on 3D hip MRI: segment, measure, compare.

The public names load when they are first used, so that `import avnnet` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from avnnet import cases, data, inference, losses, measure, metrics, models, phantom, plots, stats, training
    from avnnet.data.cohort import read_cohort
    from avnnet.data.files import read_image, read_labels, write_image
    from avnnet.errors import AvnnetError
    from avnnet.grid import Grid
    from avnnet.image import Image, LabelMap
    from avnnet.inference.model_folder import load_model, save_model
    from avnnet.inference.segmentation import Segmentation
    from avnnet.inference.segmenter import Segmenter
    from avnnet.labels import HIP, LabelScheme, Side

_HOME = {
    "AvnnetError": "errors",
    "Grid": "grid",
    "HIP": "labels",
    "Image": "image",
    "LabelMap": "image",
    "LabelScheme": "labels",
    "Segmentation": "inference.segmentation",
    "Segmenter": "inference.segmenter",
    "Side": "labels",
    "load_model": "inference.model_folder",
    "read_cohort": "data.cohort",
    "read_image": "data.files",
    "read_labels": "data.files",
    "save_model": "inference.model_folder",
    "write_image": "data.files",
}
_PACKAGES = [
    "cases", "data", "exchange", "inference", "losses", "measure", "metrics", "models", "phantom", "plots", "stats",
    "training",
]  # fmt: skip

__all__ = [
    "HIP",
    "AvnnetError",
    "Grid",
    "Image",
    "LabelMap",
    "LabelScheme",
    "Segmentation",
    "Segmenter",
    "Side",
    "cases",
    "data",
    "exchange",
    "inference",
    "load_model",
    "losses",
    "measure",
    "metrics",
    "models",
    "phantom",
    "plots",
    "read_cohort",
    "read_image",
    "read_labels",
    "save_model",
    "stats",
    "training",
    "write_image",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"avnnet.{_HOME[name]}"), name)
    if name in _PACKAGES:
        return import_module(f"avnnet.{name}")
    raise AttributeError(f"module 'avnnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
