"""The networks of a model that its study found to be enough, with the figures that it found it by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class FastSet:
    """One network of each of some configurations, in place of all networks.

    Args:
        networks: the configurations, each of which gives the network of its first fold.
        gflop: of these for one hip.
        gflop_of_all: of all networks of the model.
        n_cases: held-out cases that were asked.
        dice: mean over these by label, of one network of each of the configurations.
        dice_of_all: the same of one network of every configuration, which is all that held-out cases can be asked for.

    Examples:
        >>> fast = FastSet(("unet3d",), 120.0, 1600.0, 34, {"necrosis": 0.84}, {"necrosis": 0.845})
        >>> fast.summary()
        '1 network (unet3d), 120 of 1600 GFLOP a hip; held-out Dice necrosis 0.840, of all configurations 0.845'
    """

    networks: tuple[str, ...]
    gflop: float
    gflop_of_all: float
    n_cases: int
    dice: Mapping[str, float] = field(default_factory=dict)
    dice_of_all: Mapping[str, float] = field(default_factory=dict)

    def summary(self) -> str:
        """What it is and what it costs, in one line."""
        word = "network" if len(self.networks) == 1 else "networks"
        of_all = {label: f", of all configurations {value:.3f}" for label, value in self.dice_of_all.items()}
        found = ", ".join(f"{label} {value:.3f}{of_all.get(label, '')}" for label, value in self.dice.items())
        return (
            f"{len(self.networks)} {word} ({', '.join(self.networks)}), {self.gflop:.3g} of {self.gflop_of_all:.4g} "
            f"GFLOP a hip; held-out Dice {found}"
        )
