"""Whether an image looks like those of the training: coarsely, so that anatomy does not matter and contrast does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool3d

CELLS = 8
MIN_IMAGES = 4
MAX_BELOW_SD = 4.0
MIN_CORRELATION = 0.1  # a correlation with the mean training image that noise hardly reaches
MIN_BELOW_SD = 2.5  # such a one is unusual already at this distance, which 1 of 160 of a normal distribution exceed


class Contrast:
    """The mean training image on 8 x 8 x 8 cells, and how little a usual image correlates with it.

    An image of another sequence (fat-suppressed, inverted) is bright where those of the training were dark, and its
    correlation with their mean falls below what any of them had.

    Args:
        means: `(C, 512)` cell means of the mean training image, a list per channel.
        lowest: `(C,)` lowest usual correlation.
        is_cropped: whether the training images were head-centred crops; others cannot be compared with these.
    """

    def __init__(self, means: Sequence[Sequence[float]], lowest: Sequence[float], is_cropped: bool) -> None:
        self.means = [[float(value) for value in channel] for channel in means]
        self.lowest, self.is_cropped = [float(value) for value in lowest], is_cropped

    def is_unusual(self, image: Tensor) -> bool:
        """Whether a prepared image `(C, *S)` has another contrast than those of the training.

        Args:
            image: as `Preprocess.prepare` gives it, cropped if the training's were.

        Examples:
            >>> import torch
            >>> rising = torch.linspace(0, 1, 512).reshape(1, 8, 8, 8)
            >>> usual = Contrast(rising.flatten(1).tolist(), [0.5], is_cropped=True)
            >>> usual.is_unusual(3 * rising + 1), usual.is_unusual(1 - rising)
            (False, True)
        """
        cells, means = _cells(image), np.asarray(self.means)
        found = [_correlation(a, b) for a, b in zip(cells, means, strict=True)]
        return any(r < lowest for r, lowest in zip(found, self.lowest, strict=True))


def contrast_of(images: Iterable[Tensor], *, is_cropped: bool) -> Contrast | None:
    """What training images usually look like; None of fewer than four, which say little about what is usual.

    The lowest usual correlation is four standard deviations below the mean one, in Fisher's z; each image is
    correlated with the mean of the others. Where images vary much, that would let pass what has nothing of them: below
    0.1 is unusual too, if that is 2.5 standard deviations or more below the mean.

    Args:
        images: prepared images `(C, *S)`.
        is_cropped: whether they are head-centred crops.

    Source: Fisher RA. Metron 1921;1:3-32 (z = artanh r).

    Examples:
        >>> import torch
        >>> ramp = torch.linspace(0, 1, 512).reshape(1, 8, 8, 8)
        >>> usual = contrast_of([ramp, ramp + 1, 2 * ramp, 3 * ramp], is_cropped=True)
        >>> usual.is_unusual(5 * ramp), usual.is_unusual(-ramp)
        (False, True)
    """
    cells = np.stack([_cells(image) for image in images])
    count = len(cells)
    if count < MIN_IMAGES:
        return None
    total = cells.sum(axis=0)
    lowest = []
    for channel in range(cells.shape[1]):
        r = [_correlation(one[channel], (total - one)[channel] / (count - 1)) for one in cells]
        z = np.arctanh(np.clip(r, -0.999, 0.999))
        mean, sd = float(z.mean()), float(z.std(ddof=1))
        lowest_z = max(mean - MAX_BELOW_SD * sd, min(MIN_CORRELATION, mean - MIN_BELOW_SD * sd))
        lowest.append(round(float(np.tanh(lowest_z)), 3))
    return Contrast(np.round(total / count, 3).tolist(), lowest, is_cropped)


def _cells(image: Tensor) -> np.ndarray:
    pooled: Tensor = adaptive_avg_pool3d(image[None].float(), CELLS)[0]
    return pooled.flatten(1).double().numpy()


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    a, b = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread else 0.0
