"""What a config says of the slots of its data: how it is written down, and what is said where it cannot be used."""

from __future__ import annotations

import re
from typing import Any

from avnnet.data.augment import Augment
from avnnet.data.own_step import class_path

NOT_WRITTEN = "Unable to serialize instance "  # of jsonargparse
TAKES = {
    "augment": "the ranges of ours, an avnnet.data.augmentation.Augmentation or a transform of MONAI's",
    "sampler": "an avnnet.data.sampling.Sampling",
    "normalise": "an avnnet.data.normalise.Normalisation",
}


def with_ranges(config: dict[str, Any]) -> dict[str, Any]:
    """A plain config in which our augmentation is written as its ranges alone, as before there were others.

    Args:
        config: as jsonargparse dumps it; it is changed.

    Examples:
        >>> with_ranges({"data": {"augment": {"class_path": "avnnet.data.augment.Augment", "init_args": {"gamma": 1}}}})
        {'data': {'augment': {'gamma': 1}}}
    """
    augment = config["data"]["augment"]
    if isinstance(augment, dict) and augment.get("class_path") == class_path(Augment()):
        config["data"]["augment"] = augment.get("init_args", {})
    return config


def slot_refusal(message: str) -> str:
    """Why a slot of the data cannot be filled, in a line, or nothing where a message is of something else.

    Args:
        message: of jsonargparse, which lists every class that a value is not.

    Examples:
        >>> slot_refusal('Parser key "data.sampler":\\n  Does not validate against any of the Union subtypes')
        'data.sampler takes an avnnet.data.sampling.Sampling, by its class path; found something else'
        >>> slot_refusal("Unable to serialize instance image")[:50]
        "a value of the config cannot be written down: 'ima"
    """
    unwritten = re.search(rf"{NOT_WRITTEN}([^'\n]+)", message)
    if unwritten:
        return (
            f"a value of the config cannot be written down: {unwritten[1].strip()[:80]!r}. The keys of a dictionary "
            "transform are left out, they are [image, label]; any other argument must be plain"
        )
    slot = re.search(rf'key "data\.({"|".join(TAKES)})"', message)
    if slot is None or not re.search("Does not validate|Not a valid subclass|does not correspond", message):
        return ""
    problem = re.search(r"Problem with given class_path .+(?:\n(?!\s*-).+)*", message)
    given = re.search(r"(?:Expected a path but |Given value: |class_path=')([\w.]+)", message)
    other = f"found {given[1]}" if given else "found something else"
    found = re.sub(r"\s+", " ", problem[0])[:300] if problem else other
    return f"data.{slot[1]} takes {TAKES[slot[1]]}, by its class path; {found}"
