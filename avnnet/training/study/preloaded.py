"""What workers have in common: the server that they are forked from imports this, once, and computes nothing."""

import gc

import avnnet.training.study.run  # noqa: F401  # with torch, Lightning and MONAI

gc.collect()
gc.freeze()  # or the first collection of a worker would write to every page that it shares
