"""Labels and logits that the tests of losses share."""

import torch
from torch.nn.functional import one_hot

IGNORED = 255


def drawn(*shape: int, classes: int = 3) -> torch.Tensor:
    """Random label ids `(2, 1, *shape)`."""
    return torch.randint(0, classes, (2, 1, *shape), generator=torch.Generator().manual_seed(0))


def guessed(*shape: int, classes: int = 3, seed: int = 1) -> torch.Tensor:
    """Random logits `(2, classes, *shape)`."""
    return torch.randn(2, classes, *shape, generator=torch.Generator().manual_seed(seed))


def sure_of(target: torch.Tensor, classes: int = 3) -> torch.Tensor:
    """Logits of a network that is sure, and right."""
    return 40.0 * one_hot(target[:, 0].long(), classes).movedim(-1, 1).float()
