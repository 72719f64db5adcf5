"""Which engine computes on this machine, and why."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import torch

from avnnet.errors import InvalidConfig
from avnnet.inference.engines.torch_engine import Engine

ENGINES = ("auto", "torch", "openvino")
LEAST_VERSION = (2025, 2)
"""Of OpenVINO; 2026.4.1 alone was tried, and every compiled network is held against torch before it is used."""


def chosen_engine(
    word: str, device: str, cache: Path | None = None, say: Callable[[str], None] = lambda text: None
) -> Engine:
    """The engine that a word stands for on this machine; why is said.

    Args:
        word: one of `ENGINES`. "auto" takes OpenVINO where it is installed and a CPU computes: with AVX2 only it was
            faster for every U-Net that was tried (docs/results.md). Elsewhere it takes torch.
        device: where torch would compute.
        cache: folder of compiled networks; None keeps none.
        say: told which one it is, and later what cannot be done.

    Raises:
        InvalidConfig: if there is no such engine, or OpenVINO is asked for where it cannot be used.

    Examples:
        >>> chosen_engine("torch", "cpu").said
        '32-true'
    """
    if word not in ENGINES:
        raise InvalidConfig(f"an engine is one of {', '.join(ENGINES)}; found {word!r}")
    if word == "torch":
        return Engine()
    reason = _why_not_openvino(device, is_asked_for=word == "openvino")
    if reason and word == "openvino":
        raise InvalidConfig(f"--engine openvino: {reason}. Take --engine torch")
    if reason:
        say(f"engine: torch ({reason})")
        return Engine()
    from avnnet.inference.engines.openvino_engine import OpenVINOEngine, machine

    engine = OpenVINOEngine(cache, say)
    has = "bf16 instructions" if machine().has_bf16 else "no bf16 instructions"
    say(f"engine: OpenVINO {machine().version}, {engine.precision} (this CPU has {has})")
    return engine


def _why_not_openvino(device: str, *, is_asked_for: bool) -> str:
    if device.startswith("cuda") or (device == "auto" and torch.cuda.is_available()):
        return "a CUDA device computes; OpenVINO does on --device cpu"
    if importlib.util.find_spec("openvino") is None:
        return 'OpenVINO is not installed; pip install "avnnet[fast]"' if is_asked_for else "OpenVINO is not installed"
    from avnnet.inference.engines.openvino_engine import machine

    try:
        version = machine().version
    except Exception as error:  # whatever a library that does not fit this machine raises
        return f"OpenVINO is installed and cannot be loaded: {str(error)[:200] or type(error).__name__}"
    if tuple(int(part) for part in version.split(".")[:2]) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        return f"OpenVINO {version} is older than {least}; pip install --upgrade openvino"
    return ""
