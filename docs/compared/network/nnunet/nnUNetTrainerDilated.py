# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerDilated
from nnunetv2.training.nnUNetTrainer.variants.network_architecture.nnUNetTrainerNoDeepSupervision import (
    nnUNetTrainerNoDeepSupervision,
)
from torch import nn


class Dilated(nn.Sequential):
    def __init__(self, in_channels, classes, width=16):
        layers, channels = [], in_channels
        for step in (1, 2, 4, 8):
            layers += [nn.Conv3d(channels, width, 3, padding=step, dilation=step), nn.InstanceNorm3d(width), nn.ReLU()]
            channels = width
        super().__init__(*layers, nn.Conv3d(width, classes, 1))


class nnUNetTrainerDilated(nnUNetTrainerNoDeepSupervision):
    @staticmethod
    def build_network_architecture(
        plans_manager, configuration_manager, num_input_channels, num_output_channels, enable_deep_supervision=False
    ):
        return Dilated(num_input_channels, num_output_channels)

    def set_deep_supervision_enabled(self, enabled):
        pass
