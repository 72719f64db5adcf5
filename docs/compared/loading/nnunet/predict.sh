# with the model's folder (or a zip and nnUNetv2_install_pretrained_model_from_zip) and the trainer's file
export nnUNet_extTrainer=$PWD
nnUNetv2_predict -i images -o masks -d 4 -c 3d_fullres -f 0 -tr nnUNetTrainerGated
