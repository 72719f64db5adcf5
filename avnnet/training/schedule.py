"""Learning rate over a training."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from avnnet.errors import InvalidConfig


class Schedule:
    """A learning rate that rises linearly in the warm-up and then follows `shape`; subclass it for another one.

    Args:
        warmup: share of all steps in which the rate rises from near 0.

    Raises:
        InvalidConfig: if the share is not in [0, 1).

    Examples:
        >>> Schedule().shape(0.5)  # the same rate to the end
        1.0
    """

    def __init__(self, warmup: float = 0.03) -> None:
        if not 0 <= warmup < 1:
            raise InvalidConfig(f"warmup is a share of all steps, 0 to 1; found {warmup}")
        self.warmup = warmup

    def shape(self, progress: float) -> float:
        """The factor on the learning rate at a progress of 0 to 1 after the warm-up."""
        return 1.0

    def scheduler(self, optimizer: Optimizer, total_steps: int) -> LambdaLR:
        """The scheduler of an optimiser, to be stepped after every batch.

        Args:
            optimizer: whose rates are scaled.
            total_steps: batches in the whole training.
        """
        warm = self.warmup * total_steps

        def factor(step: int) -> float:
            if step < warm:
                return (step + 1) / (warm + 1)
            return self.shape(min(1.0, (step - warm) / max(total_steps - warm, 1)))

        return LambdaLR(optimizer, factor)


class PolynomialDecay(Schedule):
    """Falls as `(1 - progress) ** power`.

    Source: Isensee et al., Nat Methods 2021;18:203 (power 0.9).

    Examples:
        >>> PolynomialDecay(power=1.0).shape(0.25)
        0.75
    """

    def __init__(self, power: float = 0.9, warmup: float = 0.03) -> None:
        super().__init__(warmup)
        self.power = power

    def shape(self, progress: float) -> float:
        """The factor at a progress of 0 to 1."""
        return (1.0 - progress) ** self.power


class CosineDecay(Schedule):
    """Falls as half a cosine.

    Source: Loshchilov & Hutter, ICLR 2017, equation 5, without restarts.

    Examples:
        >>> [round(CosineDecay().shape(progress), 6) for progress in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """

    def shape(self, progress: float) -> float:
        """The factor at a progress of 0 to 1."""
        return 0.5 * (1.0 + math.cos(math.pi * progress))
