# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerSegResNet
from monai.networks.nets import SegResNet
from nnunetv2.training.nnUNetTrainer.variants.network_architecture.nnUNetTrainerNoDeepSupervision import (
    nnUNetTrainerNoDeepSupervision,
)


class nnUNetTrainerSegResNet(nnUNetTrainerNoDeepSupervision):
    @staticmethod
    def build_network_architecture(
        plans_manager, configuration_manager, num_input_channels, num_output_channels, enable_deep_supervision=False
    ):
        return SegResNet(init_filters=16, in_channels=num_input_channels, out_channels=num_output_channels)

    def set_deep_supervision_enabled(self, enabled):
        pass
