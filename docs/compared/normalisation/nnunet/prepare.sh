cp by_median.py "$(python -c 'import nnunetv2; print(nnunetv2.__path__[0])')/preprocessing/normalization/"
plans="$nnUNet_preprocessed/Dataset004_Hippocampus/nnUNetPlans.json"
sed -i 's/"ZScoreNormalization"/"ByMedian"/' "$plans"
nnUNetv2_preprocess -d 4 -c 3d_fullres
