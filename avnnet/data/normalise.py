"""Intensities of a prepared channel to those that a network sees; a class of your own goes in the same place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.transforms import HistogramNormalize
from torch import Tensor

from avnnet.errors import ConstantImage, InvalidConfig


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


class FixedWindow(Normalisation):
    """Clipped to two values, then less a mean and divided by a standard deviation: the same numbers for every image.

    For intensities that mean the same everywhere, as those of CT do; those of MRI do not.

    Args:
        low: what is lower becomes this.
        high: what is higher becomes this.
        mean: is taken away.
        sd: divides the rest.

    Raises:
        InvalidConfig: if `high` is not above `low`, or the deviation not above 0.

    Source: Isensee et al., Nat Methods 2021;18:203 (CT: percentiles, mean and deviation of the training's foreground).

    Examples:
        >>> FixedWindow(-100, 300, mean=100, sd=50)(torch.tensor([-1000.0, 150.0])).tolist()
        [-4.0, 1.0]
    """

    def __init__(self, low: float, high: float, mean: float, sd: float) -> None:
        self.low, self.high, self.mean, self.sd = float(low), float(high), float(mean), float(sd)
        if not np.isfinite([self.low, self.high, self.mean, self.sd]).all() or not self.high > self.low or self.sd <= 0:
            raise InvalidConfig(
                f"a fixed window needs low below high and sd above 0; found {self.low}, {self.high} and {self.sd}"
            )

    def __call__(self, channel: Tensor) -> Tensor:
        """The channel, clipped and scaled."""
        return (channel.clamp(self.low, self.high) - self.mean) / self.sd


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
        seen = HistogramNormalize(self.num_bins, min=0, max=1)(clipped)
        return torch.from_numpy(np.asarray(seen, dtype=np.float32))  # MONAI's tensor would carry a grid of its own


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

    Examples:
        >>> rising((1, 99), "percentiles")
        [1.0, 99.0]
    """
    found = [float(one) for one in percentiles]
    if len(found) != 2 or not 0 <= found[0] < found[1] <= 100:
        raise InvalidConfig(f"{name} must rise from 0 to 100; found {found}")
    return found
