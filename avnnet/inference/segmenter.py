"""An ensemble of trained networks, from an image to a segmentation; and the folder it is kept in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from avnnet.atomic import whole_file, write_text_atomically
from avnnet.data.preprocess import Preprocess
from avnnet.errors import InvalidRecipe, MissingFile, ModelMismatch
from avnnet.image import Image
from avnnet.inference.ensemble import mean_softmax
from avnnet.inference.member import Member, softmax_of
from avnnet.inference.segmentation import Segmentation, flags_of
from avnnet.inference.tiling import Tiling
from avnnet.labels import LabelScheme, Side
from avnnet.models import ConvBlock, ResidualBlock, UNet2D, UNet3D
from avnnet.recipe import build, describe

KNOWN: tuple[type, ...] = (UNet2D, UNet3D, ConvBlock, ResidualBlock, Preprocess, Tiling, LabelScheme)
SCHEMA = 1


class Segmenter:
    """The ensemble: the mean softmax of all members.

    Args:
        members: trained networks, any mixture of 2D, 3D and folds.
        scheme: names of the label ids.
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Raises:
        ModelMismatch: if there is no member, or a network has other classes than the scheme.
    """

    def __init__(self, members: Sequence[Member], scheme: LabelScheme, *, precision: str = "32-true") -> None:
        if not members:
            raise ModelMismatch("a model needs at least one trained network; found none")
        for member in members:
            if member.net.classes != scheme.classes:
                raise ModelMismatch(
                    f"{member.name} has {member.net.classes} classes, the scheme {scheme.structures} needs "
                    f"{scheme.classes}"
                )
        self.members, self.scheme, self.precision = list(members), scheme, precision

    def to(self, device: str | torch.device) -> Segmenter:
        """This model with its networks on a device."""
        for member in self.members:
            member.net.to(device)
        return self

    def predict(
        self,
        image: Image,
        *,
        side: Side | str | None = None,
        centre_mm: Sequence[float] | None = None,
    ) -> Segmentation:
        """The segmentation of an image on its own grid.

        Args:
            image: the scan, in any axis order.
            side: "left" or "right"; a left hip is mirrored for the network and back.
            centre_mm: head centre, LPS mm `(x, y, z)`. Without it a window slides over the whole image, slower
                and with the risk of marking the other hip.

        Raises:
            GeometryMismatch: if the centre is outside the image.
            NonFiniteVoxels, ConstantImage: if there is nothing to see.
        """
        side = None if side is None else Side(side)
        probabilities = mean_softmax(
            softmax_of(self.members, image, side=side, centre_mm=centre_mm, precision=self.precision)
        )
        labels = probabilities.labels(self.scheme)
        provenance = {
            "networks": [member.name for member in self.members],
            "side": None if side is None else side.value,
            "centre_mm": None if centre_mm is None else [float(c) for c in centre_mm],
        }
        return Segmentation(image, labels, probabilities, provenance, flags_of(labels, probabilities))


def save_model(model: Segmenter, folder: str | Path) -> Path:
    """The folder written: `model.json` and the weights of each member as safetensors.

    Args:
        model: the ensemble.
        folder: made when needed; `model.json` is written last.
    """
    folder = Path(folder)
    entries = []
    for number, member in enumerate(model.members):
        weights = folder / f"{number:02d}-{member.name}.safetensors"
        tensors = {name: value.detach().cpu().contiguous() for name, value in member.net.state_dict().items()}
        with whole_file(weights) as partial:
            save_file(tensors, partial)
        entries.append({"weights": weights.name, **member.recipe()})
    content = {"schema": SCHEMA, "scheme": describe(model.scheme), "members": entries}
    write_text_atomically(folder / "model.json", json.dumps(content, indent=1))
    return folder


def load_model(
    folder: str | Path, *, classes: Iterable[type] = (), device: str = "cpu", precision: str = "32-true"
) -> Segmenter:
    """The ensemble in a model folder.

    Args:
        folder: what `save_model` or a study wrote.
        classes: your own block or network classes, if the model was trained with any; a file never names
            what to import.
        device: "cpu", "cuda", ...
        precision: "32-true", "bf16-mixed" or "16-mixed".

    Raises:
        MissingFile: if there is no `model.json` or a weight file is gone.
        InvalidRecipe: if `model.json` is not a model, or names an unknown class.
        ModelMismatch: if weights do not fit their network, or are not finite.
    """
    folder = Path(folder)
    if not (folder / "model.json").is_file():
        raise MissingFile(f"no model in {folder}: a study writes one to OUT/model, avnnet fit to its run's folder")
    known = [*KNOWN, *classes]
    try:
        content = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        scheme = build(content["scheme"], known)
        entries = content["members"]
        members = [_member(folder, entry, known) for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRecipe(f"{folder / 'model.json'} is not a model of avnnet ({error!r}); export it again") from error
    return Segmenter(members, scheme, precision=precision).to(device)


def _member(folder: Path, entry: dict[str, Any], known: list[type]) -> Member:
    name = Path(str(entry["weights"])).name  # a path in the file must not lead out of the folder
    if not (folder / name).is_file():
        raise MissingFile(f"the weights {name} are missing in {folder}; copy the whole folder")
    net = build(entry["net"], known)
    load_weights(net, folder / name)
    preprocess, tiling = build(entry["preprocess"], known), build(entry["tiling"], known)
    return Member(net, preprocess, tiling, str(entry["name"]), entry["trained_on"])


def load_weights(net: torch.nn.Module, path: Path) -> None:
    """Loads safetensors weights into a network that they fit exactly.

    Raises:
        ModelMismatch: if a tensor is missing, has another shape, or is not finite; if the file is broken.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelMismatch(f"{path.name} cannot be read ({error}); copy it again") from error
    expected = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    if expected != found:
        differing = sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))[:3]
        raise ModelMismatch(f"{path.name} does not fit the network in model.json; it differs in {differing}")
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelMismatch(f"{path.name} holds NaN or infinite weights in {broken[:3]}; train again")
    net.load_state_dict(tensors)
