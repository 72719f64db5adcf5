"""A model of avnnet as a results folder of nnU-Net, which `nnUNetv2_predict` runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from avnnet.atomic import whole_file, whole_folder, write_text_atomically
from avnnet.errors import NotCarried
from avnnet.exchange.architecture import twin
from avnnet.exchange.checkpoint import checkpoint_of
from avnnet.exchange.names import to_nnunet
from avnnet.exchange.plans import CONFIGURATION, PLANS, TRAINER, differences, plans_of
from avnnet.exchange.words import CHANNEL, SUFFIX, check_dataset_name, labels_of
from avnnet.inference.member import Member
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import LabelScheme
from avnnet.recipe import describe

Networks = dict[int, list[Member]]


def export_nnunet(
    model: Segmenter, folder: str | Path, *, only: str | None = None, is_uncropped: bool = False
) -> list[str]:
    """What nnU-Net does otherwise with this model, in sentences; the folder is whole or not there.

    The networks of three axes become `nnUNetTrainer__nnUNetPlans__3d_fullres`, those of two `..._2d`, each network a
    fold.

    Args:
        model: as `load_model` gives it.
        folder: Dataset501_NAME below nnUNet_results; must not exist, or be empty.
        only: the name of the networks that are written; all without it.
        is_uncropped: write networks of head-centred crops too; nnU-Net slides them over whole images.

    Raises:
        NotCarried: if nnU-Net has no such network, normalisation or crop, or networks differ that are to be folds.
        InvalidConfig: if nnU-Net would not find the folder by its name.
        OutputNotWritable: if the folder holds something.
    """
    name = check_dataset_name(folder)
    networks = _networks(model, only)
    if not is_uncropped:
        _check_uncropped(networks)
    remarks = dict.fromkeys(text for members in networks.values() for text in differences(members[0]))
    with whole_folder(folder) as partial:
        for ndim, members in networks.items():
            _write(members, model.scheme, partial / f"{TRAINER}__{PLANS}__{CONFIGURATION[ndim]}", name)
    if model.locator is not None:
        remarks["the locator is left out: nnU-Net finds no heads"] = None
    if model.decided_steps:
        remarks[
            f"masks are not cleaned by {', '.join(model.decided_steps)}, as avnnet does: nnU-Net decides its own "
            "post-processing, nnUNetv2_determine_postprocessing"
        ] = None
    if any(len(members) > 1 for members in networks.values()):
        remarks["avnnet averages the probabilities of folds, nnU-Net their logits"] = None
    if len(networks) == 2:
        remarks["avnnet takes the mean of 2d and 3d_fullres: nnUNetv2_ensemble does, of --save_probabilities"] = None
    return list(remarks)


def _networks(model: Segmenter, only: str | None) -> Networks:
    """The networks by their axes; those of one count are the folds of one configuration."""
    members = [member for member in model.members if only in (None, member.name)]
    if not members:
        raise NotCarried(f"no network {only!r} in this model; it has {', '.join(model.ensemble.names)}")
    networks: Networks = {}
    for member in members:
        twin(member.net, member.name)
        networks.setdefault(member.net.ndim, []).append(member)
    for folds in networks.values():
        names = list(dict.fromkeys(member.name for member in folds))
        if len(names) > 1:
            raise NotCarried(
                f"{' and '.join(names)} are two configurations of {folds[0].net.ndim} axes, and a results folder has "
                f"one; write them apart: --only {names[0]}"
            )
        for part in ("net", "preprocess", "tiling"):
            if any(describe(getattr(fold, part)) != describe(getattr(folds[0], part)) for fold in folds):
                raise NotCarried(
                    f"the folds of {names[0]} differ in their {part}, and plans.json has one for all; train them by "
                    "one config with fixed data.spacing_mm"
                )
    return networks


def _check_uncropped(networks: Networks) -> None:
    for members in networks.values():
        crop = members[0].preprocess.crop
        if crop is not None:
            raise NotCarried(
                f"{members[0].name} was trained on crops of {crop} voxels around a head centre, and nnU-Net has no "
                "centres: it slides the network over the whole image, normalises all of it, and marks what looks like "
                "a head anywhere. If that is wanted, say --uncropped; else train without data.crop"
            )


def _write(members: list[Member], scheme: LabelScheme, folder: Path, name: str) -> None:
    plans = plans_of(members[0], name)
    channels = members[0].net.in_channels
    described: dict[str, Any] = {
        "channel_names": {
            str(number): CHANNEL if channels == 1 else f"{CHANNEL}_{number}" for number in range(channels)
        },
        **labels_of(scheme),
        "numTraining": len({one for member in members for one in member.trained_on}),
        "file_ending": SUFFIX,
    }
    write_text_atomically(folder / "plans.json", json.dumps(plans, indent=1))
    write_text_atomically(folder / "dataset.json", json.dumps(described, indent=1))
    mirror_axes = [axis - (3 - members[0].net.ndim) for axis in members[0].tiling.mirror_axes]
    for number, member in enumerate(members):
        begun = {
            "plans": plans,
            "configuration": CONFIGURATION[member.net.ndim],
            "fold": number,
            "dataset_json": described,
        }
        content = checkpoint_of(to_nnunet(twin(member.net, member.name)), begun, [a for a in mirror_axes if a >= 0])
        with whole_file(folder / f"fold_{number}" / "checkpoint_final.pth") as partial:
            torch.save(content, partial)
