# DynUNet has no slot for a block: each that it was built with is put into another
import torch
from monai.networks.blocks import UnetBasicBlock
from monai.networks.nets import DynUNet
from torch import nn
from training import CLASSES


class Gated(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block, self.gate = block, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.block(x) * (1 + self.gate)


def make_net():
    net = DynUNet(3, 1, CLASSES, [3] * 4, [1, 2, 2, 2], [2, 2, 2], filters=[16, 32, 64, 128])
    gated = {block: Gated(block) for block in net.modules() if isinstance(block, UnetBasicBlock)}
    for parent in list(net.modules()):
        for name, child in list(parent.named_children()):
            if child in gated and not isinstance(parent, Gated):
                setattr(parent, name, gated[child])
    return net
