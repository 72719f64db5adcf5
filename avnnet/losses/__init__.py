"""Losses: logits and target to a scalar."""

from avnnet.losses.deep_supervision import supervise_scales
from avnnet.losses.dice_ce import DiceCE

__all__ = ["DiceCE", "supervise_scales"]
