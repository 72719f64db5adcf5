"""What is asked of every data step of a user's own: named errors, and random numbers from the generator handed over."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from avnnet.errors import AvnnetError, InvalidDataStep


def class_path(step: object) -> str:
    """Module and name of an object's class, as a config names it.

    Examples:
        >>> class_path(1.5)
        'builtins.float'
    """
    return f"{type(step).__module__}.{type(step).__qualname__}"


@contextmanager
def named_errors(what: str) -> Iterator[None]:
    """Turns whatever a step raises into an `InvalidDataStep` with its class path, and refuses global random numbers.

    A number from `torch.rand`, `np.random` or `random` depends on what was drawn before and by which process, so that a
    resumed training, or one with workers, would be another one.

    Args:
        what: the step is, "the augmentation my_steps.Stripes".

    Raises:
        InvalidDataStep: as said.

    Examples:
        >>> with named_errors("the sampler my_steps.Old"):
        ...     raise KeyError("age")
        Traceback (most recent call last):
        ...
        avnnet.errors.InvalidDataStep: the sampler my_steps.Old raises KeyError: 'age'
    """
    before = _global_state()
    try:
        yield
    except AvnnetError:
        raise
    except Exception as error:  # whatever a user's class does
        raise InvalidDataStep(f"{what} raises {type(error).__name__}: {str(error)[:300]}") from error
    drawn = [name for name, was, now in zip(_NAMES, before, _global_state(), strict=True) if was != now]
    if drawn:
        raise InvalidDataStep(
            f"{what} draws from the global random numbers of {' and '.join(drawn)}, which differ "
            "after a resume and between workers; draw from the generator that it is called with: generator.random(), "
            "generator.uniform(low, high)"
        )


_NAMES = ("torch", "numpy", "random")


def _global_state() -> tuple[Any, ...]:
    state: Any = np.random.get_state()  # noqa: NPY002  # to see whether anybody else draws from it
    numbers, position = state[1:3]
    return torch.get_rng_state().numpy().tobytes(), (numbers.tobytes(), position), random.getstate()
