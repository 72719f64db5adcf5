"""Cohorts and models to other programs and back."""

from avnnet.exchange.bundle import write_monai_bundle
from avnnet.exchange.dataset import DatasetPlan, write_nnunet_dataset
from avnnet.exchange.from_nnunet import ImportPlan, import_nnunet
from avnnet.exchange.onnx_file import write_onnx
from avnnet.exchange.program import Sizes, write_torch_export
from avnnet.exchange.to_nnunet import export_nnunet
from avnnet.exchange.words import check_dataset_name

__all__ = [
    "DatasetPlan",
    "ImportPlan",
    "Sizes",
    "check_dataset_name",
    "export_nnunet",
    "import_nnunet",
    "write_monai_bundle",
    "write_nnunet_dataset",
    "write_onnx",
    "write_torch_export",
]
