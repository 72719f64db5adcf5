from torch import nn
from training import CLASSES


class Dilated(nn.Sequential):
    def __init__(self, width=16):
        layers, channels = [], 1
        for step in (1, 2, 4, 8):
            layers += [nn.Conv3d(channels, width, 3, padding=step, dilation=step), nn.InstanceNorm3d(width), nn.ReLU()]
            channels = width
        super().__init__(*layers, nn.Conv3d(width, CLASSES, 1))


make_net = Dilated
