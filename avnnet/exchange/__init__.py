"""Cohorts and models to other programs and back."""

from avnnet.exchange.dataset import DatasetPlan, write_nnunet_dataset
from avnnet.exchange.from_nnunet import ImportPlan, import_nnunet
from avnnet.exchange.to_nnunet import export_nnunet
from avnnet.exchange.words import check_dataset_name

__all__ = ["DatasetPlan", "ImportPlan", "check_dataset_name", "export_nnunet", "import_nnunet", "write_nnunet_dataset"]
