# with the model's folder and gated.py; the folder says how the network is built and what it is to be shown
avnnet predict unet3d-gated/model new.nii.gz --out masks --classes gated.Gated
