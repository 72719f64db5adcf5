"""What the config parser says, in words of a user: the file, the key, what was found and what would work."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Sequence
from typing import Any

from avnnet.training.config.class_faults import class_fault
from avnnet.training.config.class_words import value_fault
from avnnet.training.config.slot_words import slot_refusal


def explained(message: str, words: Sequence[str] = ()) -> str:
    """Why a config cannot be used and what would work, of what the config parser said.

    Args:
        message: of the parser, of several lines.
        words: of Lightning's command line, which it refused.

    Examples:
        >>> explained("Key 'model.los' is not expected")[:88]
        "the config cannot be used: Key 'model.los' is not expected. Did you mean 'loss'? See avn"
    """
    one_line = re.sub(r"\s+", " ", message).rstrip(". ")
    fault = class_fault(one_line, words) or value_fault(one_line, words)
    if fault:
        return f"the config cannot be used: {fault}"
    refusal = slot_refusal(message)
    if refusal:
        return f"the config cannot be used: {refusal}. See avnnet fit --help for all keys"
    message = one_line
    of_class = re.search(r"Errors: - (.+?) - Expected a <class 'NoneType'>", message)
    if of_class:  # what the class itself said, without jsonargparse's other attempts to read it
        message = of_class[1]
    if message.startswith("Unexpected config:"):  # and the file's content, which may be a table of patients
        message = "a config file holds keys with values under them, such as model:, data: and trainer:; found none"
    if "enable_checkpointing=False" in message:
        message += " (avnnet keeps the last two epochs itself; for others trainer.enable_checkpointing: true)"
    found = re.search(r"(?:[Uu]nrecognized arguments?|nested key|[Kk]ey|option)s?:?\s+['\"]?-*([\w.]+)", message)
    hint = ""
    if found:
        word = found[1].split(".")[-1]
        near = difflib.get_close_matches(word, _known_keys(), n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]!r}?" if near and near[0] != word else ""
    return f"the config cannot be used: {message[:600]}.{hint} See avnnet fit --help for all keys"


def _known_keys() -> list[str]:
    import pytorch_lightning as pl

    from avnnet.data.augment import Augment
    from avnnet.models import Foreign, UNet
    from avnnet.training.datamodule import CohortDataModule
    from avnnet.training.task import SegmentationTask

    owners: list[Any] = [SegmentationTask, CohortDataModule, pl.Trainer, UNet, Foreign, Augment]
    names = [name for owner in owners for name in inspect.signature(owner).parameters]
    return [*names, "model", "data", "trainer", "seed_everything"]
