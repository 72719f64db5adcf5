"""nnU-Net's `plans.json` of a model: what is carried, and what nnU-Net does otherwise."""

from __future__ import annotations

from typing import Any

from avnnet.data.normalise import FixedWindow, PercentileScale, ZScore
from avnnet.data.preprocess import Preprocess
from avnnet.errors import NotCarried
from avnnet.exchange.architecture import architecture_of, twin
from avnnet.exchange.axes import LPS, TRANSPOSE, stored_as
from avnnet.inference.member import Member

CONFIGURATION = {2: "2d", 3: "3d_fullres"}
PLANS, TRAINER = "nnUNetPlans", "nnUNetTrainer"
WHOLE = [0.0, 100.0]
STEP = 0.5


def plans_of(member: Member, dataset_name: str) -> dict[str, Any]:
    """The content of `plans.json` with one configuration, `2d` or `3d_fullres`.

    Args:
        member: a network with its preprocessing and tiling.
        dataset_name: Dataset501_NAME.

    Raises:
        NotCarried: if nnU-Net has no such network or normalisation.
    """
    net, preprocess = twin(member.net, member.name), member.preprocess
    scheme, properties = _normalisation(preprocess, member.name)
    order = TRANSPOSE[preprocess.first_axis]
    channels = net.in_channels
    patch, spacing_mm = member.tiling.patch[-net.ndim :], preprocess.spacing_mm[-net.ndim :]
    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": False}
    configuration = {
        "data_identifier": f"{PLANS}_{CONFIGURATION[net.ndim]}",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": patch,
        "median_image_size_in_voxels": [float(size) for size in patch],
        "spacing": spacing_mm,
        "normalization_schemes": [scheme] * channels,
        "use_mask_for_norm": [False] * channels,
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,  # linear, as avnnet's: nnU-Net's own are of order 3
        "resampling_fn_seg_kwargs": {**resampling, "is_seg": True},
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": architecture_of(net),
        "batch_dice": False,
    }
    return {
        "dataset_name": dataset_name,
        "plans_name": PLANS,
        "original_median_spacing_after_transp": preprocess.spacing_mm,
        "original_median_shape_after_transp": member.tiling.patch,
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": order,
        "transpose_backward": [order.index(axis) for axis in range(3)],
        "configurations": {CONFIGURATION[net.ndim]: configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {str(number): properties for number in range(channels)},
    }


def _normalisation(preprocess: Preprocess, name: str) -> tuple[str, dict[str, float]]:
    """The name of nnU-Net's scheme, and the numbers that it asks for."""
    own = preprocess.normalise
    nothing = {
        "mean": 0.0,
        "std": 1.0,
        "percentile_00_5": 0.0,
        "percentile_99_5": 0.0,
        "median": 0.0,
        "min": 0.0,
        "max": 0.0,
    }
    if own is None or isinstance(own, ZScore):
        return "ZScoreNormalization", nothing
    if isinstance(own, PercentileScale) and own.percentiles == WHOLE:
        return "RescaleTo01Normalization", nothing
    if isinstance(own, FixedWindow):
        found = {"mean": own.mean, "std": own.sd, "percentile_00_5": own.low, "percentile_99_5": own.high}
        return "CTNormalization", {**nothing, **found}
    raise NotCarried(
        f"nnU-Net has no normalisation {type(own).__name__}, as {name} has; avnnet's ZScore, PercentileScale(0, 100) "
        "and FixedWindow have one there"
    )


def differences(member: Member) -> list[str]:
    """What nnU-Net does otherwise with the same weights, in sentences; none where both see the same voxels.

    Args:
        member: a network with its preprocessing and tiling.
    """
    preprocess, tiling = member.preprocess, member.tiling
    own = preprocess.normalise
    clip = preprocess.clip_percentiles if own is None else getattr(own, "clip_percentiles", WHOLE)
    code = stored_as(preprocess.first_axis, preprocess.reversed_axes)
    seen = {0, 1, 2} if member.net.ndim == 3 else {1, 2}
    files = f"nnU-Net reads files as they are stored: give it {code} ones (x, y, z; ITK writes {LPS})"
    turns = "" if seen <= set(tiling.mirror_axes) else ", others would be seen mirrored"
    said = {
        files + turns: True,
        f"avnnet clips intensities to the percentiles {clip[0]:g} and {clip[1]:g}, nnU-Net does not": clip != WHOLE,
        f"nnU-Net leaves the spacing across slices as it is; avnnet's is {preprocess.spacing_mm[0]:g} mm": (
            member.net.ndim == 2
        ),
        f"tiles overlap by {tiling.overlap:g}: nnUNetv2_predict -step_size {1 - tiling.overlap:g}": (
            tiling.overlap != STEP
        ),
    }
    return [text for text, is_so in said.items() if is_so]
