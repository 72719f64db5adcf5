"""Networks whose output is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from avnnet.data.preprocess import Preprocess
from avnnet.inference.member import Member
from avnnet.inference.tiling import Tiling


class FixedNet(nn.Module):
    """A network that gives the same logits whatever it sees, one row of classes per slice of the first axis."""

    ndim = 3
    in_channels = 1

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.rows = nn.Parameter(torch.tensor(rows))
        self.classes = len(rows[0])

    def forward(self, x: Tensor) -> Tensor:
        return self.rows.T[None, :, :, None, None].expand(len(x), -1, -1, *x.shape[3:]).clone()


class Threshold(nn.Module):
    """The oracle: label 1 where the normalised intensity is high, 2 where it is very high."""

    classes = 3
    in_channels = 1

    def __init__(self, ndim: int = 3) -> None:
        super().__init__()
        self.ndim = ndim
        self.sharpness = nn.Parameter(torch.tensor(50.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.sharpness * torch.cat([torch.zeros_like(x), x - 1, 2 * x - 4], dim=1)


@pytest.fixture
def fixed_member():
    def make(rows: list[list[float]], name: str = "fixed") -> Member:
        return Member(FixedNet(rows), Preprocess([1.0, 1.0, 1.0]), Tiling([len(rows), 4, 4]), name)

    return make
