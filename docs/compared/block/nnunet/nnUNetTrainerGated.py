# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerGated
# its residual U-Nets have an argument "block" that refuses all but two: each block is put into another
import torch
from dynamic_network_architectures.building_blocks.simple_conv_blocks import StackedConvBlocks
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from torch import nn


class Gated(nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block, self.gate = block, nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return self.block(x) * (1 + self.gate)


class nnUNetTrainerGated(nnUNetTrainer):
    @staticmethod
    def build_network_architecture(plans_manager, *args, **kwargs):
        net = nnUNetTrainer.build_network_architecture(plans_manager, *args, **kwargs)
        for parent in list(net.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, StackedConvBlocks):
                    setattr(parent, name, Gated(child))
        return net
