# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerStripes
from random import uniform

from batchgeneratorsv2.transforms.base.basic_transform import ImageOnlyTransform
from batchgeneratorsv2.transforms.utils.random import RandomTransform
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class Stripes(ImageOnlyTransform):
    def _apply_to_image(self, img, **params):
        img[:, ::2] *= uniform(0.7, 1.3)
        return img


class nnUNetTrainerStripes(nnUNetTrainer):
    @staticmethod
    def get_training_transforms(*args, **kwargs):
        composed = nnUNetTrainer.get_training_transforms(*args, **kwargs)
        composed.transforms.insert(1, RandomTransform(Stripes(), apply_probability=0.2))
        return composed
