"""A channel through a normalisation, and what a model and a cache must know of one."""

from __future__ import annotations

import hashlib
import inspect
from typing import Any

import torch
from torch import Tensor

from avnnet.data.normalise import (
    FixedWindow,
    ForegroundZScore,
    HistogramScale,
    Normalisation,
    PercentileScale,
    ZScore,
)
from avnnet.data.own_step import class_path, named_errors
from avnnet.errors import InvalidDataStep

OURS = "avnnet."


def known() -> tuple[type, ...]:
    """The normalisations that a model folder may name without being handed over.

    Examples:
        >>> [cls.__name__ for cls in known()]
        ['ZScore', 'ForegroundZScore', 'PercentileScale', 'HistogramScale', 'FixedWindow']
    """
    return (ZScore, ForegroundZScore, PercentileScale, HistogramScale, FixedWindow)


def parts_of(normalise: Normalisation | None) -> list[Normalisation]:
    """A normalisation and those that it is made of, among its attributes.

    Args:
        normalise: ours, one's own, or None.

    Examples:
        >>> len(parts_of(ZScore())), parts_of(None)
        (1, [])
    """
    if normalise is None:
        return []
    held = [one for value in vars(normalise).values() for one in (value if isinstance(value, list) else [value])]
    return [normalise, *(part for one in held if isinstance(one, Normalisation) for part in parts_of(one))]


def normalised(normalise: Normalisation, channel: Tensor) -> Tensor:
    """A channel `(*S)`, normalised; what a class of a user's own gives is looked at.

    Args:
        normalise: ours or one's own.
        channel: `(*S)` float32, finite.

    Raises:
        InvalidDataStep: if a class of a user's own raises an error, draws global random numbers, or gives something
            else than finite float32 of the same shape.
        ConstantImage: if nothing can be seen in the channel.

    Examples:
        >>> normalised(PercentileScale((0, 100)), torch.tensor([0.0, 1.0, 4.0])).tolist()
        [0.0, 0.25, 1.0]
    """
    if type(normalise) in known():
        return normalise(channel)
    name = f"the normalisation {class_path(normalise)}"
    with named_errors(name):
        given = normalise(channel.clone())
    if not isinstance(given, Tensor) or given.shape != channel.shape or given.dtype != torch.float32:
        found = f"{given.dtype} {tuple(given.shape)}" if isinstance(given, Tensor) else type(given).__name__
        raise InvalidDataStep(
            f"{name} must give a tensor of torch.float32 {tuple(channel.shape)}, as it was handed one; found {found}"
        )
    if not torch.isfinite(given).all():
        count = int((~torch.isfinite(given)).sum())
        raise InvalidDataStep(
            f"{name} gives {count} voxels that are NaN or infinite, of a channel of {float(channel.min()):.6g} to "
            f"{float(channel.max()):.6g}; does it divide by 0, or take a logarithm or root of what is not positive?"
        )
    return given


def source_sha256(normalise: Normalisation | None) -> str | None:
    """A hash of the source of the modules of a user's own normalisation, None for ours.

    It is a part of the name of a cache entry, so that a case is prepared anew when the file that the class stands in
    changes. What that file imports is not looked at.

    Args:
        normalise: ours, one's own, or None.

    Examples:
        >>> source_sha256(None), source_sha256(ZScore())
        (None, None)
    """
    classes = [cls for part in parts_of(normalise) for cls in type(part).__mro__]
    own = [cls for cls in classes if not cls.__module__.startswith((OURS, "builtins"))]
    return hashlib.sha256("".join(map(_source, own)).encode()).hexdigest() if own else None


def _source(cls: type) -> str:
    found: list[Any] = [inspect.getmodule(cls), cls]
    for one in found:
        try:
            return inspect.getsource(one)
        except (OSError, TypeError):  # of a cell of a notebook there is no module's source
            continue
    return class_path(cls)
