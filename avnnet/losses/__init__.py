"""Losses: logits and target to a scalar."""

from avnnet.losses.deep_supervision import supervise_scales
from avnnet.losses.dice_ce import DiceCE
from avnnet.losses.regions import RegionDiceCE

__all__ = ["DiceCE", "RegionDiceCE", "supervise_scales"]
