"""What the rest of avnnet needs of a network."""

from __future__ import annotations

from torch import Tensor, nn


class Network(nn.Module):
    """A network that can be trained, ensembled, saved and loaded: `Tensor (B, C, *S)` to logits `(B, K, *S)`.

    A subclass sets `ndim`, `in_channels` and `classes`, keeps its constructor arguments as attributes of the same
    name (so that `describe` can write them down), and gives `forward`.

    Examples:
        >>> import torch
        >>> class Brightness(Network):
        ...     ndim, in_channels, classes = 3, 1, 2
        ...     def forward(self, x):
        ...         return torch.cat([-x, x], dim=1)
        >>> net = Brightness()
        >>> net.divisors, [tuple(scale.shape) for scale in net.scales(torch.zeros(1, 1, 4, 6, 8))]
        ((1, 1, 1), [(1, 2, 4, 6, 8)])
    """

    ndim: int
    in_channels: int
    classes: int

    @property
    def divisors(self) -> tuple[int, ...]:
        """What each axis of an input must be a multiple of; 1 where any size will do."""
        return (1,) * self.ndim

    def scales(self, x: Tensor) -> list[Tensor]:
        """Logits for the loss, finest first: one more per level of deep supervision; here those of `forward` alone."""
        return [self(x)]
