# nnUNet_extTrainer=$PWD nnUNetv2_train 4 3d_fullres 0 -tr nnUNetTrainerRare
# its loader draws names with equal probability: a name that stands three times is drawn three times as often
import pandas as pd
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer


class nnUNetTrainerRare(nnUNetTrainer):
    def get_tr_and_val_datasets(self):
        training, validation = super().get_tr_and_val_datasets()
        stages = pd.read_csv("cohort.csv", index_col="case_id")["arco_stage"]
        training.identifiers = [key for key in training.identifiers for _ in range(3 if stages[key] == "I" else 1)]
        return training, validation
