"""A results folder of nnU-Net as a model of avnnet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avnnet.data.normalise import FixedWindow, Normalisation, PercentileScale
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidResults, NotCarried
from avnnet.exchange.architecture import network_of
from avnnet.exchange.axes import LPS, axes_of, checked_code
from avnnet.exchange.checkpoint import Checkpoint, read_checkpoint
from avnnet.exchange.names import load_nnunet
from avnnet.exchange.results import Results, read_results, scheme_of
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.inference.tiling import Tiling

# trainers of nnU-Net's own that change the training and neither the network nor the prediction
TRAINERS = re.compile(
    r"nnUNetTrainer(|DA5|DAOrd0|NoDA|NoMirroring|_onlyMirror01|_noDummy2DDA|_warmup|CosAnneal|Adam\w*|CELoss|Dice\w*Loss|"
    r"TopkLoss\w*|_probabilisticOversampling\w*|_\d+epochs?|_\d+epochs?_NoMirroring)(_\w*|\d+epochs?)?"
)
WHOLE = (0.0, 100.0)
STATISTICS = {"low": "percentile_00_5", "high": "percentile_99_5", "mean": "mean", "sd": "std"}


@dataclass(frozen=True)
class ImportPlan:
    """What a results folder does not say.

    Args:
        stored: how the training's files were stored, such as LPS or RAS; needed where the training did not mirror
            every axis.
        part: the label whose share is given; the last one without it.
        whole: the name of all labels together.
        trainer: a trainer of one's own, whose network and prediction are nnU-Net's.
        checkpoint: the name of the folds' files.

    Raises:
        InvalidConfig: if the code names no three directions.
    """

    stored: str | None = None
    part: str | None = None
    whole: str = "whole"
    trainer: str | None = None
    checkpoint: str = "checkpoint_final.pth"

    def __post_init__(self) -> None:
        if self.stored is not None:
            checked_code(self.stored)


def import_nnunet(folders: Sequence[str | Path], plan: ImportPlan | None = None) -> Segmenter:
    """The model in results folders of nnU-Net: the folds of one configuration, or of several of one data set.

    Nothing in a folder is run: checkpoints are read with `weights_only=True`.

    Args:
        folders: nnUNet_results/DatasetXXX_NAME/nnUNetTrainer__nnUNetPlans__3d_fullres, and perhaps ..._2d.
        plan: what they do not say.

    Raises:
        UnsafeCheckpoint, CheckpointCorrupt: if a checkpoint would run code, or is cut.
        MissingFile, InvalidResults: if a folder is incomplete, damaged or of another version.
        NotCarried: if it holds what avnnet does not have: another network or trainer, a cascade, regions.
    """
    plan = ImportPlan() if plan is None else plan
    found = [read_results(folder, plan.checkpoint) for folder in folders]
    schemes = [scheme_of(results.dataset, part=plan.part, whole=plan.whole) for results in found]
    if any(scheme != schemes[0] for scheme in schemes):
        raise NotCarried(f"the labels of {found[0].folder.name} and of the other folders differ; import them apart")
    return Segmenter([member for results in found for member in _members(results, plan)], schemes[0])


def _members(results: Results, plan: ImportPlan) -> list[Member]:
    classes = scheme_of(results.dataset, part=plan.part, whole=plan.whole).classes
    members = []
    for path in results.checkpoints:
        checkpoint = read_checkpoint(path)
        if not TRAINERS.fullmatch(checkpoint.trainer) and checkpoint.trainer != plan.trainer:
            raise NotCarried(
                f"the trainer {checkpoint.trainer[:80]} is none of those of nnU-Net that keep its network and "
                f"prediction; if it keeps both, say --trainer {checkpoint.trainer[:80]}"
            )
        how = results.configuration(checkpoint.configuration)
        net = network_of(how["architecture"], channels=results.channels, classes=classes)
        load_nnunet(net, checkpoint.weights)
        tiling = _tiling(how, checkpoint, net.ndim)
        preprocess = _preprocess(results, how, tiling, plan)
        name = checkpoint.configuration
        members.append(Member(net, preprocess, tiling, name, dataset=str(results.plans["dataset_name"])[:80]))
    return members


def _numbers(value: Any, name: str, counts: tuple[int, ...]) -> list[float]:
    if not isinstance(value, list) or len(value) not in counts or not all(isinstance(n, int | float) for n in value):
        raise InvalidResults(
            f"{name} of plans.json is {' or '.join(map(str, counts))} numbers; found {str(value)[:80]}"
        )
    return [float(number) for number in value]


def _tiling(how: Mapping[str, Any], checkpoint: Checkpoint, ndim: int) -> Tiling:
    patch = [int(size) for size in _numbers(how["patch_size"], "patch_size", (ndim,))]
    if any(axis >= ndim for axis in checkpoint.mirror_axes):
        raise InvalidResults(f"a network of {ndim} axes is mirrored along {checkpoint.mirror_axes}; copy it again")
    return Tiling([1] * (3 - ndim) + patch, [axis + 3 - ndim for axis in checkpoint.mirror_axes])


def _preprocess(results: Results, how: Mapping[str, Any], tiling: Tiling, plan: ImportPlan) -> Preprocess:
    spacing_mm = _numbers(how["spacing"], "spacing", (2, 3))
    ndim = len(spacing_mm)
    if ndim == 2:  # nnU-Net leaves the spacing across slices as it is
        key = "original_median_spacing_after_transp"
        spacing_mm = [_numbers(results.plans.get(key), key, (3,))[0], *spacing_mm]
    if plan.stored is None and not set(range(3 - ndim, 3)) <= set(tiling.mirror_axes):
        raise NotCarried(
            f"{results.folder.name} was trained without mirroring every axis, and nnU-Net takes axes as files store "
            "them: say how the training's files were stored, --stored-as RAS or --stored-as LPS; nibabel.aff2axcodes "
            "tells"
        )
    order = [int(axis) for axis in _numbers(results.plans["transpose_forward"], "transpose_forward", (3,))]
    first_axis, reversed_axes = axes_of(order, plan.stored or LPS)
    normalise = _normalisation(results, how)
    if normalise is None:
        return Preprocess(spacing_mm, None, first_axis, WHOLE, reversed_axes=reversed_axes)
    return Preprocess(spacing_mm, None, first_axis, normalise=normalise, reversed_axes=reversed_axes)


def _normalisation(results: Results, how: Mapping[str, Any]) -> Normalisation | None:
    """The normalisation of every channel; None for the z-score."""
    schemes, masked = how["normalization_schemes"], how["use_mask_for_norm"]
    if not isinstance(schemes, list) or len(schemes) != results.channels or not isinstance(masked, list):
        raise InvalidResults(f"plans.json has {str(schemes)[:80]} for {results.channels} channel(s); copy it again")
    if any(masked):
        raise NotCarried(
            "nnU-Net normalised inside the voxels that are not zero (use_mask_for_norm), which avnnet does not; cut "
            "images to them before, and train without"
        )
    if len(set(map(str, schemes))) != 1:
        raise NotCarried(f"avnnet normalises all channels alike; plans.json has {str(schemes)[:80]}")
    match schemes[0]:
        case "ZScoreNormalization":
            return None
        case "RescaleTo01Normalization":
            return PercentileScale(WHOLE)
        case "CTNormalization":
            return _window(results)
    raise NotCarried(
        "avnnet has nnU-Net's ZScoreNormalization, CTNormalization and RescaleTo01Normalization; plans.json has "
        f"{str(schemes[0])[:80]}"
    )


def _window(results: Results) -> FixedWindow:
    properties = results.plans["foreground_intensity_properties_per_channel"]
    windows = []
    for number in range(results.channels):
        given = properties.get(str(number)) if isinstance(properties, Mapping) else None
        if not isinstance(given, Mapping) or not all(
            isinstance(given.get(k), int | float) for k in STATISTICS.values()
        ):
            raise InvalidResults(f"plans.json lacks the intensities of channel {number}, which CT is normalised by")
        windows.append({name: float(given[key]) for name, key in STATISTICS.items()})
    if any(window != windows[0] for window in windows):
        raise NotCarried(
            "avnnet normalises all channels alike; the CT channels of plans.json have other intensities each"
        )
    return FixedWindow(**windows[0])
