"""Intensities of a prepared channel to those that a network sees; a class of your own goes in the same place."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from monai.transforms import HistogramNormalize
from torch import Tensor

from avnnet.data.own_step import class_path, named_errors
from avnnet.errors import ConstantImage, InvalidConfig, InvalidDataStep

OURS = "avnnet."


class Normalisation:
    """The base of all intensity normalisations: one channel `(*S)` to one of the same shape.

    It is a part of the model: a model folder says which it was, with its arguments, so a subclass keeps its constructor
    arguments under their names. Outside an image a network sees 0, in training and in prediction: give 0 to what is
    ordinary (the mean) or to what is dark.

    Examples:
        >>> class Halved(Normalisation):
        ...     def __call__(self, channel):
        ...         return channel / 2
        >>> Halved()(torch.tensor([2.0, 4.0])).tolist()
        [1.0, 2.0]
    """

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel `(*S)` float32 that the network sees.

        Args:
            channel: `(*S)` float32, finite, on the network's spacing; the crop around the head where there is one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__(self, channel)")


class ZScore(Normalisation):
    """Clipped to percentiles, then mean 0 and standard deviation 1: what avnnet does where nothing else is said.

    Args:
        clip_percentiles: of the channel; one voxel of 1e30 must not matter.

    Raises:
        InvalidConfig: if the percentiles do not rise.

    Examples:
        >>> seen = ZScore()(torch.arange(1000.0))
        >>> abs(round(float(seen.mean()), 4)), round(float(seen.std()), 4)
        (0.0, 1.0)
    """

    def __init__(self, clip_percentiles: Sequence[float] = (0.5, 99.5)) -> None:
        self.clip_percentiles = rising(clip_percentiles, "clip_percentiles")

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel, clipped and z-scored."""
        clipped = channel.clamp(*window(channel, self.clip_percentiles))
        # in double precision, so that the order of summation (a mirrored hip, another file order) cannot matter
        mean, sd = float(clipped.double().mean()), float(clipped.double().std())
        return (clipped - mean) / sd


class ForegroundZScore(Normalisation):
    """Clipped to percentiles, then mean 0 and standard deviation 1 of the bright voxels: those above the mean.

    Air and cortical bone, of which one image holds more than another, then do not move the tissues.

    Args:
        clip_percentiles: of the channel.

    Raises:
        InvalidConfig: if the percentiles do not rise.

    Source: TorchIO's `ZNormalization(masking_method=ZNormalization.mean)`; Pérez-García et al., Comput Methods Programs
        Biomed 2021;208:106236.

    Examples:
        >>> air, tissue = torch.zeros(900), torch.linspace(1, 3, 100)
        >>> seen = ForegroundZScore((0, 100))(torch.cat([air, tissue]))
        >>> round(float(seen[900:].mean()), 4), round(float(seen[900:].std()), 4)
        (0.0, 1.0)
    """

    def __init__(self, clip_percentiles: Sequence[float] = (0.5, 99.5)) -> None:
        self.clip_percentiles = rising(clip_percentiles, "clip_percentiles")

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel, clipped and z-scored by its bright voxels."""
        clipped = channel.clamp(*window(channel, self.clip_percentiles))
        exact = clipped.double()
        bright = exact[exact > exact.mean()]
        sd = float(bright.std()) if len(bright) > 1 else 0.0
        if not sd > 0:
            raise ConstantImage(
                f"the {len(bright)} voxels above the mean have one value, so they have no spread; take "
                "avnnet.data.normalise.ZScore"
            )
        return (clipped - float(bright.mean())) / sd


class PercentileScale(Normalisation):
    """Clipped to percentiles, then scaled to 0 to 1.

    Args:
        percentiles: of the channel; the lower becomes 0, the upper 1.

    Raises:
        InvalidConfig: if the percentiles do not rise.

    Examples:
        >>> PercentileScale((0, 100))(torch.tensor([10.0, 15.0, 20.0])).tolist()
        [0.0, 0.5, 1.0]
    """

    def __init__(self, percentiles: Sequence[float] = (0.5, 99.5)) -> None:
        self.percentiles = rising(percentiles, "percentiles")

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel, 0 to 1."""
        low, high = window(channel, self.percentiles)
        return (channel.clamp(low, high) - low) / (high - low)


class HistogramScale(Normalisation):
    """Every brightness from 0 to 1 equally frequent: MONAI's `HistogramNormalize` after clipping.

    Args:
        clip_percentiles: of the channel.
        num_bins: of the histogram.

    Raises:
        InvalidConfig: if the percentiles do not rise, or there are fewer than two bins.

    Examples:
        >>> seen = HistogramScale((0, 100))(torch.linspace(0, 1, 1000).exp())
        >>> [round(float(seen.quantile(q)), 2) for q in (0.25, 0.5, 0.75)]
        [0.25, 0.5, 0.75]
    """

    def __init__(self, clip_percentiles: Sequence[float] = (0.5, 99.5), num_bins: int = 256) -> None:
        self.clip_percentiles, self.num_bins = rising(clip_percentiles, "clip_percentiles"), num_bins
        if num_bins < 2:
            raise InvalidConfig(f"num_bins is at least 2; found {num_bins}")

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel, 0 to 1."""
        clipped = channel.clamp(*window(channel, self.clip_percentiles))
        return torch.as_tensor(HistogramNormalize(self.num_bins, min=0, max=1)(clipped), dtype=torch.float32)


def known() -> tuple[type, ...]:
    """The normalisations that a model folder may name without being handed over."""
    return (ZScore, ForegroundZScore, PercentileScale, HistogramScale)


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


def window(channel: Tensor, percentiles: Sequence[float]) -> tuple[float, float]:
    """The values of two percentiles of a channel.

    Args:
        channel: `(*S)`, finite.
        percentiles: the lower and the upper.

    Raises:
        ConstantImage: if both have one value, so that nothing can be seen.

    Examples:
        >>> window(torch.arange(101.0), (10, 90))
        (10.0, 90.0)
    """
    low, high = np.percentile(channel.numpy(), percentiles)
    if not high > low:
        raise ConstantImage(
            f"all but 1 % of the voxels have the value {low:.6g}; is this the right image, and the centre right?"
        )
    return float(low), float(high)


def rising(percentiles: Sequence[float], name: str) -> list[float]:
    """Two percentiles that rise from 0 to 100.

    Args:
        percentiles: the lower and the upper.
        name: of the argument.

    Raises:
        InvalidConfig: if they do not.
    """
    found = [float(one) for one in percentiles]
    if len(found) != 2 or not 0 <= found[0] < found[1] <= 100:
        raise InvalidConfig(f"{name} must rise from 0 to 100; found {found}")
    return found
