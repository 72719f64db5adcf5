# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerLogCosh
import torch
from nnunetv2.training.loss.dice import SoftDiceLoss
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.helpers import softmax_helper_dim1


class LogCoshDice(SoftDiceLoss):
    def forward(self, logits, target, loss_mask=None):
        return torch.log(torch.cosh(1 + super().forward(logits, target, loss_mask)))


class nnUNetTrainerLogCosh(nnUNetTrainer):
    def _build_loss(self):
        supervised = super()._build_loss()
        supervised.loss = LogCoshDice(apply_nonlin=softmax_helper_dim1, do_bg=False)
        return supervised
