"""The model of a study: the networks of all folds, what they cost, which of them are enough, and its card."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import pandas as pd
import torch

from avnnet.inference.effort import cost_table, hip_seconds
from avnnet.inference.ensemble import Ensemble
from avnnet.inference.fast import FastSet
from avnnet.inference.locate import Locator
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, model_hash, save_model
from avnnet.inference.segmenter import Segmenter
from avnnet.labels import LabelScheme
from avnnet.report import COSTS, ModelFacts, is_card_of, write_model_card
from avnnet.stats.decided import AND, fast_table
from avnnet.tables import read_table, write_table
from avnnet.training.fit import is_trained
from avnnet.training.study.folds import AGREEMENT, cleaning_of, folds_made
from avnnet.training.study.plan import Study


def write_model(study: Study, scheme: LabelScheme, classes: Sequence[type]) -> None:
    """Writes the model folder of all networks that are trained, and what they cost.

    Args:
        study: what is to be done.
        scheme: names of the label ids.
        classes: of the user's own networks and blocks.
    """

    def trained(names: Sequence[str]) -> list[Member]:
        folders = [study.fold_folder(fold) / name for fold in range(study.folds) for name in names]
        done = [folder for folder in folders if is_trained(folder)]
        return [member for folder in done for member in load_model(folder / "model", classes=classes).members]

    members = trained(study.names)
    finders = trained([name for name in study.trained_names if name not in study.names])
    locator = Locator(Ensemble(finders, scheme)) if finders else None
    costs = cost_table(members)
    write_table(costs, study.out / COSTS)
    fast = fast_set(study, costs)
    planned = study.folds * len(study.names)
    model = Segmenter(members, scheme, planned=planned, locator=locator, cleaning=cleaning_of(study), fast=fast)
    save_model(model, study.out / "model")


def fast_set(study: Study, costs: pd.DataFrame) -> FastSet | None:
    """The networks that are enough, as the held-out cases of all folds decide; None while some are to be predicted.

    Args:
        study: what is to be done.
        costs: of its networks, as `cost_table` gives them.
    """
    if len(folds_made(study)) < study.folds:
        return None
    parts = [read_table(study.fold_folder(fold) / AGREEMENT) for fold in range(study.folds)]
    gflop: dict[str, float] = dict(zip(costs["network"], costs["gflop"], strict=True))
    taken = fast_table(pd.concat(parts, ignore_index=True), gflop).query("is_taken")
    if taken.empty:
        return None
    return FastSet(
        networks=tuple(str(taken["networks"].iloc[0]).split(AND)),
        gflop=round(float(taken["gflop"].iloc[0]), 3),
        gflop_of_all=round(float((costs["gflop"] * costs["n_networks"]).sum()), 3),
        n_cases=int(taken["n_cases"].max()),
        dice=dict(zip(taken["label"], taken["dice"], strict=True)),
        dice_of_all=dict(zip(taken["label"], taken["dice_of_all"], strict=True)),
    )


def describe_model(study: Study, classes: Sequence[type]) -> None:
    """Writes the README.md of the model folder, with the seconds that each network takes on this machine.

    One that tells of this very model already is left as it is, with what somebody has written into it, such as whom to
    ask.

    Args:
        study: what was done.
        classes: of the user's own networks and blocks.
    """
    folder = study.out / "model"
    if is_card_of(folder, model_hash(folder)):  # before seconds are measured
        return
    model = load_model(folder, classes=classes)
    first = {name: next(one for one in model.members if one.name == name) for name in model.ensemble.names}
    seconds = [hip_seconds(member, model.members) for member in first.values()]
    spacing_mm = {name: member.preprocess.spacing_mm for name, member in first.items()}
    facts = ModelFacts(
        sha256=model.sha256,
        networks=cost_table(model.members).assign(seconds=seconds),
        machine=f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__.split('+')[0]}",
        spacing_mm={name: tuple(values) for name, values in spacing_mm.items()},
        channels=model.members[0].net.in_channels,
        n_images=len(model.ensemble.trained_on),
        has_locator=model.locator is not None,
        cleaning=model.decided_steps,
        fast="" if model.fast is None else model.fast.summary(),
    )
    write_model_card(study.out, folder, facts)
