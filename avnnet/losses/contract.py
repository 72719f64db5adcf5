"""What training asks of a loss, before it starts."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from avnnet.errors import InvalidConfig
from avnnet.models.regions import checked_order


def takes_sample_weights(loss: nn.Module) -> bool:
    """Whether a loss can be called with `sample_weights=`.

    Args:
        loss: logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar; an attribute `takes_sample_weights` says it too.

    Examples:
        >>> from avnnet.losses import DiceCE
        >>> takes_sample_weights(DiceCE()), takes_sample_weights(nn.CrossEntropyLoss())
        (True, False)
    """
    said = getattr(loss, "takes_sample_weights", None)
    if said is not None:
        return bool(said)
    parameters = inspect.signature(loss.forward).parameters.values()
    return any(one.name == "sample_weights" or one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)


def is_of_regions(loss: nn.Module) -> bool:
    """Whether a loss, or what it is made of, takes logits of nested regions.

    Args:
        loss: one for such says so with an attribute `is_of_regions`.

    Examples:
        >>> from avnnet.losses import DiceCE, RegionDiceCE
        >>> is_of_regions(RegionDiceCE()), is_of_regions(DiceCE())
        (True, False)
    """
    return any(getattr(part, "is_of_regions", False) for part in loss.modules())


def check_loss(
    loss: nn.Module,
    *,
    classes: int,
    is_weighted: bool,
    ignored: int | None = None,
    regions: Sequence[int] | None = None,
) -> None:
    """Refuse a loss of other classes or regions, and one that does not weigh samples or ignore voxels as the data ask.

    Args:
        loss: logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar.
        classes: of the network, with the background.
        is_weighted: whether the cohort gives its cases weights.
        ignored: label id of voxels that count nowhere, or None where the masks have none.
        regions: label ids of the network's nested regions, outermost first; None where it gives logits of classes.

    Raises:
        InvalidConfig: if it does not fit.
    """
    name = type(loss).__name__
    if (regions is not None) != is_of_regions(loss):
        raise InvalidConfig(
            f"the network gives logits of nested regions, and {name} is a loss of classes; set model.loss: "
            "{class_path: avnnet.losses.RegionDiceCE}, or say is_of_regions = True in a loss of your own"
            if regions is not None
            else f"{name} is a loss of nested regions, and the network gives logits of classes; put it into "
            "avnnet.models.NestedRegions, or take a loss of classes, such as avnnet.losses.DiceCE"
        )
    for part in loss.modules():
        if regions is not None and getattr(part, "is_of_regions", False) and hasattr(part, "order"):
            order: Any = part.order
            found = checked_order(order, len(regions))
            if found != list(regions):
                raise InvalidConfig(
                    f"the network's regions are the ids {list(regions)} from the outermost to the innermost, those of "
                    f"{type(part).__name__} {found}, so that it would learn one structure as another; give both the "
                    "same order"
                )
        weights = getattr(part, "class_weights", None)
        if isinstance(weights, list | tuple) and len(weights) != classes:
            raise InvalidConfig(
                f"class_weights of {type(part).__name__} has one number per class, the background first: {classes} "
                f"here; found {list(weights)}"
            )
    ignores = getattr(loss, "ignore_index", None)
    if ignored is not None and ignores != ignored:
        raise InvalidConfig(
            f"data.has_ignored says that voxels of id {ignored} count nowhere, and {name} has the "
            f"ignore_index {ignores}; give it ignore_index: {ignored} (in each of the losses of a Sum), or take one "
            "that has it, such as avnnet.losses.DiceCE"
        )
    if is_weighted and not takes_sample_weights(loss):
        refusing = [type(part).__name__ for part in getattr(loss, "losses", [loss]) if not takes_sample_weights(part)]
        raise InvalidConfig(
            f"the cohort has weights of its cases (column sample_weight), and the loss {', '.join(refusing)} takes "
            "none: give its forward a third argument sample_weights, (B,) or None, or remove the column"
        )
