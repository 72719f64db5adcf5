"""The configs of a MONAI bundle: what MONAI's own transforms do with an image before and after a network."""

from __future__ import annotations

from typing import Any

from avnnet.data.normalise import FixedWindow, ForegroundZScore, HistogramScale, PercentileScale, ZScore
from avnnet.errors import InvalidConfig
from avnnet.inference.member import Member

PROGRAM = "models/model.pt2"
WINDOWS = "scripts.windows"
LEAST_PROBABILITY = 1e-30
# probabilities (K, z, y, x) of an image (1, C, z, y, x), of which a 2D network sees so many slices at a time
PREDICT = {
    2: "$lambda image: torch.cat([@inferer(some, @logits) for some in image[0].movedim(1, 0).split({})])"
       ".movedim(0, 1).softmax(0)",
    3: "$lambda image: @inferer(image, @logits)[0].softmax(0)",
}  # fmt: skip


def inference_config(member: Member, axes: list[str]) -> dict[str, Any]:
    """`configs/inference.json` of a bundle.

    As avnnet without a centre: tiles over the whole image, whose logits are averaged, mirror images too; the mask lies
    on the image's own grid. Where MONAI's windows lie otherwise, the bundle brings avnnet's (`inference/windows.py`).

    Args:
        member: the network with its preparation and tiling.
        axes: patient directions of the canonical axes, as in the card.

    Raises:
        InvalidConfig: if MONAI has no transform for the normalisation.

    Examples:
        >>> from avnnet.data.preprocess import Preprocess
        >>> from avnnet.inference.tiling import Tiling
        >>> from avnnet.models import UNet2D
        >>> member = Member(UNet2D([2, 4], [[2, 2]]), Preprocess([1, 1, 1]), Tiling([1, 8, 8]), "unet2d")
        >>> config = inference_config(member, ["superior", "posterior", "left"])
        >>> config["patch"], config["flips"], config["overlap"]
        ([8, 8], [[]], 0.5)
    """
    tiling, ndim = member.tiling, member.net.ndim
    first = "sorted(glob.glob(os.path.join(@dataset_dir, '*.nii.gz')))"
    if member.net.in_channels > 1:
        # CASE_0000.nii.gz, CASE_0001.nii.gz, ... are the channels of one image
        first = first.replace("*.nii", "*_0000.nii")
        first = f"[sorted(glob.glob(one[:-12] + '_[0-9][0-9][0-9][0-9].nii.gz')) for one in {first}]"
    return {
        "imports": ["$import glob", "$import os", f"$from {WINDOWS} import windowed_logits"],
        "bundle_root": ".",
        "dataset_dir": "$os.path.join(@bundle_root, 'images')",
        "output_dir": "$os.path.join(@bundle_root, 'eval')",
        "device": "$torch.device('cpu')",
        "datalist": f"${first}",
        "network_def": f"$torch.export.unflatten(torch.export.load(os.path.join(@bundle_root, '{PROGRAM}')))",
        "network": "$@network_def.to(@device)",
        "preprocessing": {"_target_": "Compose", "transforms": _preparation(member, axes)},
        "dataset": {"_target_": "Dataset", "data": "$[{'image': one} for one in @datalist]",
                    "transform": "@preprocessing"},
        # the mean of logits, as avnnet takes it: logarithms of probabilities differ from them by a number per voxel
        "logits": f"$lambda image: @network(image).clamp_min({LEAST_PROBABILITY}).log()",
        "patch": tiling.patch[-ndim:],
        "overlap": tiling.overlap,
        "flips": [list(flip) for flip in tiling.flips(ndim)],
        "inferer": "$lambda images, network: windowed_logits(network, images, @patch, @flips, @overlap)",
        "predict": PREDICT[ndim].format(tiling.batch),
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "EnsureTyped", "keys": "pred"},  # Invertd leaves what has no place for a grid
                {"_target_": "Invertd", "keys": "pred", "transform": "@preprocessing", "orig_keys": "image",
                 "nearest_interp": False, "to_tensor": True},
                {"_target_": "AsDiscreted", "keys": "pred", "argmax": True},
                {"_target_": "SaveImaged", "keys": "pred", "output_dir": "@output_dir", "output_postfix": "mask",
                 "output_dtype": "$np.uint8", "resample": False, "separate_folder": False, "print_log": False},
            ],
        },
        "run": ["$[@postprocessing({**case, 'pred': @predict(case['image'].as_tensor()[None].to(@device))}) "
                "for case in @dataset]"],
    }  # fmt: skip


def _preparation(member: Member, axes: list[str]) -> list[Any]:
    preprocess, codes = member.preprocess, "".join(axis[0].upper() for axis in axes)
    return [
        {"_target_": "LoadImaged", "keys": "image", "image_only": True},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": codes, "labels": None},
        # not Spacingd, whose grid begins elsewhere where the axes of an image are turned
        f"$lambda case: {{**case, 'grid': {GRID.format('case', preprocess.spacing_mm)}}}",
        {"_target_": "SpatialResampled", "keys": "image", "dst_keys": "grid", "mode": "bilinear",
         "padding_mode": "border", "dtype": "$np.float32"},
        *_normalisation(member),
        {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32"},
    ]  # fmt: skip


def _normalisation(member: Member) -> list[dict[str, Any]]:
    step = member.preprocess.normalisation
    if isinstance(step, FixedWindow):
        low, high = ((value - step.mean) / step.sd for value in (step.low, step.high))
        return [{"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": step.low, "a_max": step.high,
                 "b_min": low, "b_max": high, "clip": True}]  # fmt: skip
    ours = (ZScore, ForegroundZScore, PercentileScale, HistogramScale)
    if type(step) not in ours or not isinstance(step, ours):  # a child of one of them may compute another thing
        raise InvalidConfig(
            f"a bundle prepares images by MONAI's transforms, and {type(step).__name__} is a normalisation of your "
            "own; take --format torch-export or onnx, and prepare images with your class"
        )
    low, high = step.percentiles if isinstance(step, PercentileScale) else step.clip_percentiles
    scaled = {"_target_": "ScaleIntensityRangePercentilesd", "keys": "image", "lower": low, "upper": high, "b_min": 0,
              "b_max": 1, "clip": True, "channel_wise": True}  # fmt: skip
    if isinstance(step, ZScore):
        return [scaled, {"_target_": "NormalizeIntensityd", "keys": "image", "channel_wise": True}]
    if isinstance(step, ForegroundZScore):
        return [
            scaled,
            {"_target_": "Lambdad", "keys": "image", "func": f"$lambda image: {BRIGHT}", "track_meta": True},
        ]
    if isinstance(step, HistogramScale):
        return [
            scaled,
            {"_target_": "HistogramNormalized", "keys": "image", "num_bins": step.num_bins, "min": 0, "max": 1},
        ]
    return [scaled]


# the affine of the grid that the network sees: the image's first voxel and directions, another spacing
GRID = (
    "{0}['image'].affine.numpy().dot(np.diag([*({1} / np.linalg.norm({0}['image'].affine.numpy()[:3, :3], axis=0)), "
    "1.0]))"
)
# of voxels above the mean, channel by channel
BRIGHT = "torch.stack([(one - one[one > one.mean()].mean()) / one[one > one.mean()].std() for one in image])"
