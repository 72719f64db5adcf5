"""Cohorts and models to other programs and back."""

from avnnet.exchange.dataset import DatasetPlan, write_nnunet_dataset
from avnnet.exchange.to_nnunet import export_nnunet
from avnnet.exchange.words import check_dataset_name

__all__ = ["DatasetPlan", "check_dataset_name", "export_nnunet", "write_nnunet_dataset"]
