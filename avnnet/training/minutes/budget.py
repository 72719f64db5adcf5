"""From timings to a number of steps: what fits into a time, and how much time is enough. No clock is read here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

# below it, unless the config itself asks for fewer, a training is not sensible: 117 steps of the laptop's 3D network
# reach a validation Dice of 0.93 and 0.78
MIN_STEPS = 100
# a budget of a year does not train for a year: nnU-Net's 1000 epochs of 250 steps, or the config's own if it is more
# Source: Isensee et al., Nat Methods 2021;18:203
MAX_STEPS = 250_000
# a short training still stops here and there for validation and a checkpoint, but not for most of its time
MIN_EPOCHS = 4
MAX_VALIDATION_SHARE = 0.2
# a budget is rather kept than used up: steps vary by some percent
AIM = 0.97


@dataclass(frozen=True)
class Steps:
    """How many steps a training makes.

    Args:
        epochs: of the training; a checkpoint is written after each.
        steps_per_epoch: batches per epoch.
        validate_every: epochs from one validation to the next.

    Examples:
        >>> steps = Steps(epochs=9, steps_per_epoch=30, validate_every=3)
        >>> steps.total, steps.validations
        (270, 3)
    """

    epochs: int
    steps_per_epoch: int
    validate_every: int

    @property
    def total(self) -> int:
        """The number of all steps."""
        return self.epochs * self.steps_per_epoch

    @property
    def validations(self) -> int:
        """How often the held-out cases are predicted during the training."""
        return self.epochs // self.validate_every

    @property
    def least(self) -> int:
        """The number of steps below which a training is not sensible."""
        return min(MIN_STEPS, self.total)


@dataclass(frozen=True)
class Pace:
    """How long the parts of a training take.

    Args:
        step_s: seconds of a step, its data included.
        epoch_s: of what comes at the end of each epoch: the checkpoint.
        validation_s: of one validation on all held-out cases.
        start_s: before the first step.
        end_s: after the last.

    Examples:
        >>> Pace(step_s=0.5, epoch_s=0.1, validation_s=4.0, start_s=2.0, end_s=1.0).seconds(Steps(9, 30, 3))
        150.9
    """

    step_s: float
    epoch_s: float = 0.0
    validation_s: float = 0.0
    start_s: float = 0.0
    end_s: float = 0.0

    def seconds(self, steps: Steps) -> float:
        """The time of a whole training, in seconds."""
        working_s = steps.total * self.step_s + steps.epochs * self.epoch_s + steps.validations * self.validation_s
        return self.start_s + working_s + self.end_s


def fitting_steps(asked: Steps, pace: Pace, seconds: float) -> Steps:
    """The training that ends in a given time; epochs of about the config's length, and its last epoch is validated.

    It is validated as often as the config asks for, or less often where that would take more than a fifth of the time
    or leave epochs of a few steps. At most 250,000 steps, or as many as the config
    itself asks for where those are more.

    Args:
        asked: what the config asks for.
        pace: how long its parts take.
        seconds: the time.

    Examples:
        >>> fitting_steps(Steps(9, 30, 3), Pace(step_s=0.5, validation_s=4.0), 600)
        Steps(epochs=39, steps_per_epoch=30, validate_every=13)
        >>> fitting_steps(Steps(9, 30, 3), Pace(step_s=0.5, validation_s=4.0), 60)
        Steps(epochs=4, steps_per_epoch=26, validate_every=2)
    """
    free_s = seconds - pace.start_s - pace.end_s
    bound = max(MAX_STEPS, asked.total)
    each_s = max(pace.step_s + pace.epoch_s / asked.steps_per_epoch, 1e-9)
    count, validations = 1, 1
    for validations in range(max(1, asked.validations), 0, -1):
        validating_s = validations * pace.validation_s
        count = max(1, min(bound, math.floor((free_s - validating_s) / each_s)))
        is_often = validations > max(MIN_EPOCHS, count // asked.steps_per_epoch)
        is_long = validating_s > MAX_VALIDATION_SHARE * free_s
        if not (is_often or is_long or count < asked.least):
            break
    steps = _divided(count, asked.steps_per_epoch, validations)
    while pace.seconds(steps) > seconds and count > validations:  # shorter epochs have more ends
        count -= max(1, math.ceil((pace.seconds(steps) - seconds) / each_s))
        steps = _divided(max(count, validations), asked.steps_per_epoch, validations)
    return steps


def _divided(count: int, per_epoch: int, validations: int) -> Steps:
    """Epochs that make the most of a number of steps, of those the ones nearest to the config's in length."""
    usual = max(1, min(per_epoch, count // validations))
    often = range(max(1, math.ceil(0.8 * validations)), validations + 1)
    lengths = range(max(1, math.ceil(0.7 * usual)), min(math.floor(1.4 * usual), count) + 1)
    found = [
        Steps(times * every, length, every)
        for times in often
        for length in lengths
        if (every := count // (times * length)) > 0
    ]
    most = max(steps.total for steps in found)
    good = [steps for steps in found if steps.total >= 0.99 * most]
    return min(good, key=lambda steps: (abs(steps.steps_per_epoch - usual), -steps.validations, -steps.epochs))


def least_seconds(asked: Steps, pace: Pace) -> float:
    """The time of the shortest sensible training, validated once.

    Examples:
        >>> least_seconds(Steps(9, 30, 3), Pace(step_s=0.5, validation_s=4.0, start_s=2.0))
        56.0
    """
    epochs = math.ceil(asked.least / asked.steps_per_epoch)
    return pace.seconds(Steps(1, asked.least, 1)) + (epochs - 1) * pace.epoch_s


def shares(asked: Mapping[str, Steps], paces: Mapping[str, Pace]) -> dict[str, float]:
    """The share of the time that each network gets: as much longer or shorter than its config for one as for all.

    Examples:
        >>> shares({"2d": Steps(1, 10, 1), "3d": Steps(1, 10, 1)}, {"2d": Pace(1.0), "3d": Pace(3.0)})
        {'2d': 0.25, '3d': 0.75}
    """
    own_s = {name: paces[name].seconds(steps) for name, steps in asked.items()}
    return {name: one_s / sum(own_s.values()) for name, one_s in own_s.items()}


def enough_minutes(
    asked: Mapping[str, Steps], paces: Mapping[str, Pace], *, folds: int = 1, other_s: float = 0.0
) -> int:
    """The whole minutes in which every network can be trained sensibly.

    Args:
        asked: what the configs ask for, by network.
        paces: how long the parts take, by network.
        folds: in which each is trained.
        other_s: seconds of everything else.

    Examples:
        >>> enough_minutes({"3d": Steps(9, 30, 3)}, {"3d": Pace(step_s=0.5, validation_s=4.0)}, folds=5, other_s=60)
        6
    """
    share = shares(asked, paces)
    longest_s = max(least_seconds(steps, paces[name]) / share[name] for name, steps in asked.items())
    # the next timing may be some percent slower
    return math.ceil((1.05 * folds * longest_s + other_s) / AIM / 60)
