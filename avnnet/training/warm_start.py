"""Initial weights from a model folder: the layers that fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from avnnet.data.cache import source_hash
from avnnet.errors import CheckpointMismatch, ModelMismatch
from avnnet.inference.member import Member
from avnnet.inference.model_folder import load_model, model_hash
from avnnet.inference.segmenter import Segmenter
from avnnet.models import NetworkLike, own_classes
from avnnet.record import RunRecord
from avnnet.training.datamodule import CohortDataModule

MODEL = "model.json"


@dataclass(frozen=True)
class WarmStart:
    """Where a training started from, and what of it fitted.

    Args:
        sha256: of the model folder, as `model_hash` gives it.
        network: the name of the one whose weights were taken.
        fitted: names of the tensors that were taken.
        left: those of the new network that were not, each with why.
        trained_on: hashes of the images that the model has seen.
    """

    sha256: str
    network: str
    fitted: tuple[str, ...]
    left: tuple[str, ...]
    trained_on: tuple[str, ...]

    def summary(self) -> str:
        """What was taken and what was not, in a line."""
        whole = len(self.fitted) + len(self.left)
        text = f"starts from {self.network}: {len(self.fitted)} of {whole} tensors fit"
        return f"{text}; new: {', '.join(self.left)}" if self.left else text


def start_from(net: NetworkLike, folder: str | Path, classes: Collection[type] = ()) -> WarmStart:
    """What was taken over: every tensor of a network in a model folder whose name and shape are those of this one's.

    Of several networks that is taken of which most numbers fit, the first of equal ones. All images that any network
    of the folder has seen count as seen.

    Args:
        net: the network, changed in place.
        folder: what `avnnet fit` or a study wrote.
        classes: of a user's own that the folder may name, beside those of the network.

    Raises:
        MissingFile, InvalidRecipe, CheckpointCorrupt, ModelMismatch: if the folder holds no sound model, if its
            networks have another number of dimensions, or if no tensor fits.
    """
    model, member, fitted = _fitting(net, folder, classes)
    own, given = net.state_dict(), member.net.state_dict()
    left = [
        f"{name} {tuple(value.shape)} (there {tuple(given[name].shape) if name in given else 'missing'})"
        for name, value in own.items()
        if name not in fitted
    ]
    net.load_state_dict({name: given[name] for name in fitted}, strict=False)
    seen = sorted({one for every in model.members for one in every.trained_on})
    return WarmStart(model_hash(folder), member.name, tuple(fitted), tuple(left), tuple(seen))


def check_start(net: NetworkLike, folder: str | Path, classes: Collection[type] = ()) -> None:
    """Refuse a model folder that no training of a network can start from; the network is not changed.

    Args:
        net: the network.
        folder: what `avnnet fit` or a study wrote.
        classes: of a user's own that the folder may name, beside those of the network.

    Raises:
        MissingFile, InvalidRecipe, CheckpointCorrupt, ModelMismatch: as `start_from`.
    """
    _fitting(net, folder, classes)


def _fitting(net: NetworkLike, folder: str | Path, classes: Collection[type]) -> tuple[Segmenter, Member, list[str]]:
    """The model, its network of which most fits, and the names of the tensors that do."""
    with torch.random.fork_rng():  # to build the model's networks must not move the numbers of the training
        model = load_model(folder, classes={*classes, *own_classes(net)})
    members = [member for member in model.members if member.net.ndim == net.ndim]
    if not members:
        found = sorted({member.net.ndim for member in model.members})
        raise ModelMismatch(
            f"--from {folder}: its networks have {_listed(found)} dimensions, the config's has {net.ndim}; weights "
            f"on slices fit no volumes. Give a model of {net.ndim} dimensions"
        )
    member = max(members, key=lambda one: _numbers_fitting(net, one))
    own, given = net.state_dict(), member.net.state_dict()
    fitted = [name for name, value in own.items() if name in given and given[name].shape == value.shape]
    if not any(own[name].ndim > 2 for name in fitted):  # of kernels; a bias of three classes fits by chance
        raise ModelMismatch(
            f"--from {folder}: no layer of its {type(member.net).__name__} fits the config's {type(net).__name__}; "
            "take the channels, strides and kernels that the model was trained with"
        )
    return model, member, fitted


def begun_from(
    record: RunRecord,
    net: NetworkLike,
    begun: RunRecord | None,
    start: str | Path | None,
    classes: Collection[type] = (),
) -> RunRecord:
    """The record with where the training started: what an earlier one says, or what is taken from a model now.

    Args:
        record: of the run.
        net: the network, changed in place where there is a start.
        begun: the record of the run before, or None.
        start: a model folder, or None where the run goes on from a checkpoint or starts from random weights.
        classes: of a user's own that the folder may name, beside those of the network.
    """
    if start is not None:
        taken = start_from(net, start, classes)
        return replace(
            record, started_from=f"{start}: {taken.summary()}", from_sha256=taken.sha256, seen_before=taken.trained_on
        )
    if begun is None:
        return record
    return replace(
        record, started_from=begun.started_from, from_sha256=begun.from_sha256, seen_before=begun.seen_before
    )


def warn_of_seen(record: RunRecord, data: CohortDataModule) -> None:
    """Says where a training starts, and how many of its held-out images the model of before was trained on.

    Args:
        record: of the run.
        data: after `setup`.
    """
    if not record.started_from:
        return
    data.reporter.say(record.started_from)
    held_out = {source_hash(path) for path in data.held_out_entries}
    seen = len(held_out & set(record.seen_before))
    if seen:
        data.reporter.say(
            f"{seen} of {len(held_out)} held-out images were in that model's training: the validation Dice is not one "
            "of unseen images"
        )


def check_same_start(begun: RunRecord | None, start: str | Path | None, folder: Path, *, has_epochs: bool) -> None:
    """Refuse a training that goes on with another start than it was begun with.

    Args:
        begun: the run's record, or None before its first training.
        start: the model folder asked for now, or None.
        folder: of the run.
        has_epochs: whether a whole epoch is on disk, so that no initial weights are needed.

    Raises:
        CheckpointMismatch: if the training was begun from other weights.
    """
    if begun is None:
        return
    before = begun.from_sha256
    way_out = "choose another folder, or delete it to start anew"
    is_gone = start is not None and before and not (Path(start) / MODEL).is_file()  # a resume does not need it
    if start is not None and not is_gone and model_hash(start) != before:
        was = "from another model" if before else "from random weights"
        raise CheckpointMismatch(f"{folder} holds a training that was begun {was}, not --from {start}; {way_out}")
    if start is None and before and not has_epochs:
        raise CheckpointMismatch(
            f"{folder} was begun from a model and has no whole epoch yet; give --from with it again, or {way_out}"
        )


def _numbers_fitting(net: NetworkLike, member: Member) -> int:
    given = member.net.state_dict()
    own = net.state_dict().items()
    return sum(value.numel() for name, value in own if name in given and given[name].shape == value.shape)


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join(map(str, numbers))
