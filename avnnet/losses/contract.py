"""What training asks of a loss, before it starts."""

from __future__ import annotations

import inspect

from torch import nn

from avnnet.errors import InvalidConfig


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


def check_loss(
    loss: nn.Module, *, classes: int, is_weighted: bool, ignored: int | None = None, is_of_regions: bool = False
) -> None:
    """Refuse a loss of other classes, and one that does not weigh samples or ignore voxels as the data ask.

    Args:
        loss: logits `(B, K, *S)`, label ids `(B, 1, *S)` to scalar.
        classes: of the network, with the background.
        is_weighted: whether the cohort gives its cases weights.
        ignored: label id of voxels that count nowhere, or None where the masks have none.
        is_of_regions: whether the network's scales are logits of nested regions; a loss for such has `is_of_regions`.

    Raises:
        InvalidConfig: if it does not fit.
    """
    if is_of_regions != any(getattr(part, "is_of_regions", False) for part in loss.modules()):
        name = type(loss).__name__
        raise InvalidConfig(
            f"the network gives logits of nested regions, and {name} is a loss of classes; set model.loss: "
            "{class_path: avnnet.losses.RegionDiceCE}, or say is_of_regions = True in a loss of your own"
            if is_of_regions
            else f"{name} is a loss of nested regions, and the network gives logits of classes; put it into "
            "avnnet.models.NestedRegions, or take a loss of classes, such as avnnet.losses.DiceCE"
        )
    for part in loss.modules():
        weights = getattr(part, "class_weights", None)
        if isinstance(weights, list | tuple) and len(weights) != classes:
            raise InvalidConfig(
                f"class_weights of {type(part).__name__} has one number per class, the background first: {classes} "
                f"here; found {list(weights)}"
            )
    ignores = getattr(loss, "ignore_index", None)
    if ignored is not None and ignores != ignored:
        raise InvalidConfig(
            f"data.has_ignored says that voxels of id {ignored} count nowhere, and {type(loss).__name__} has the "
            f"ignore_index {ignores}; give it ignore_index: {ignored} (in each of the losses of a Sum), or take one "
            "that has it, such as avnnet.losses.DiceCE"
        )
    if is_weighted and not takes_sample_weights(loss):
        refusing = [type(part).__name__ for part in getattr(loss, "losses", [loss]) if not takes_sample_weights(part)]
        raise InvalidConfig(
            f"the cohort has weights of its cases (column sample_weight), and the loss {', '.join(refusing)} takes "
            "none: give its forward a third argument sample_weights, (B,) or None, or remove the column"
        )
