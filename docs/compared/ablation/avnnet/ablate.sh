# gated.yaml and log_cosh.yaml as above; folds by patient, the same for all, and three seeds of each
avnnet ablate unet3d.yaml gated.yaml log_cosh.yaml --cohort COHORT.csv --folds 5 --seeds 3 --out runs/ablation
