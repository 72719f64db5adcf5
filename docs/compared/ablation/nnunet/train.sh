# nnUNetTrainerGated.py and nnUNetTrainerLogCosh.py as above. Draws have no seed: a folder of results for each repetition
export nnUNet_extTrainer=$PWD
for seed in 1 2 3; do
  for trainer in nnUNetTrainer nnUNetTrainerGated nnUNetTrainerLogCosh; do
    for fold in 0 1 2 3 4; do
      nnUNet_results=$PWD/seed$seed nnUNetv2_train 4 3d_fullres $fold -tr $trainer
    done
  done
done
python table.py
