from torch import nn

from avnnet.models import Network


class Dilated(Network):
    def __init__(self, width=16, classes=3):
        super().__init__()
        self.ndim, self.in_channels, self.classes, self.width = 3, 1, classes, width
        layers, channels = [], 1
        for step in (1, 2, 4, 8):
            layers += [nn.Conv3d(channels, width, 3, padding=step, dilation=step), nn.InstanceNorm3d(width), nn.ReLU()]
            channels = width
        self.layers = nn.Sequential(*layers, nn.Conv3d(width, classes, 1))

    def forward(self, x):
        return self.layers(x)
