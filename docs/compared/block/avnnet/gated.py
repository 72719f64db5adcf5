import torch
from torch import nn

from avnnet.models import ConvBlock


class Gated(ConvBlock):
    def __init__(self, ndim, in_channels, out_channels, kernel, stride, convs=2):
        super().__init__(ndim, in_channels, out_channels, kernel, stride, convs)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return super().forward(x) * (1 + self.gate)
