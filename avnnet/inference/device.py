"""Where networks run."""

from __future__ import annotations

import torch

from avnnet.errors import InvalidConfig


def chosen_device(word: str) -> str:
    """The device that a word names; "auto" takes CUDA where there is one.

    Args:
        word: "auto", "cpu", "cuda", "cuda:1", ...

    Raises:
        InvalidConfig: if there is no such device.

    Examples:
        >>> chosen_device("cpu")
        'cpu'
    """
    device = ("cuda" if torch.cuda.is_available() else "cpu") if word == "auto" else word
    try:
        torch.zeros(1, device=device).item()  # the device meta has no numbers
    except (RuntimeError, AssertionError) as error:
        cuda = f"there are {torch.cuda.device_count()} CUDA devices here"
        raise InvalidConfig(f"no device for --device {word} ({cuda}); take auto, cpu, cuda or cuda:NUMBER") from error
    return device
