"""Losses: logits and target to a scalar."""

from avnnet.losses.centreline import ClDice
from avnnet.losses.contract import check_loss, takes_sample_weights
from avnnet.losses.deep_supervision import supervise_scales
from avnnet.losses.dice_ce import DiceCE
from avnnet.losses.distances import Boundary, Hausdorff
from avnnet.losses.overlap import Dice, GeneralisedDice, Tversky
from avnnet.losses.regions import RegionDiceCE
from avnnet.losses.sum import Sum
from avnnet.losses.voxelwise import CrossEntropy, Focal, TopK

__all__ = [
    "Boundary",
    "ClDice",
    "CrossEntropy",
    "Dice",
    "DiceCE",
    "Focal",
    "GeneralisedDice",
    "Hausdorff",
    "RegionDiceCE",
    "Sum",
    "TopK",
    "Tversky",
    "check_loss",
    "supervise_scales",
    "takes_sample_weights",
]
