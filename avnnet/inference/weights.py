"""Weights in a safetensors file: what its header promises is looked at before memory is asked for."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from avnnet.errors import CheckpointCorrupt, ModelMismatch

MAX_HEADER_BYTES = 64 << 20  # it holds the recipe, with the hashes of all training images
MAX_BYTES = 2 << 30
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def check_header(path: Path) -> None:
    """Refuse a weight file that says to be larger than it is, or than weights can be.

    Args:
        path: a safetensors file.

    Raises:
        CheckpointCorrupt: if it does.

    Source: the format of safetensors, eight bytes that count those of the header, the header in JSON, the tensors.
    """
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise CheckpointCorrupt(f"{path.name} cannot be read ({error}); copy it again") from error
    length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
    if not 2 <= length <= min(size - 8, MAX_HEADER_BYTES) or size > MAX_BYTES:
        raise CheckpointCorrupt(
            f"{path.name} cannot be read: a weight file takes at most {MAX_BYTES >> 30} GiB, its header at most "
            f"{MAX_HEADER_BYTES >> 20} MiB and no more than the file; found {size} bytes with a header of {length}. "
            "Copy it again"
        )


def tensors_of(net: Any) -> dict[str, torch.Tensor]:
    """The weights of a network by name, each once: a module that stands in two places has two names for one tensor.

    Args:
        net: a network.

    Examples:
        >>> layer = torch.nn.Linear(2, 2)
        >>> list(tensors_of(torch.nn.Sequential(layer, layer)))
        ['0.weight', '0.bias']
    """
    seen: set[tuple[object, ...]] = set()
    found = {}
    for name, value in net.state_dict().items():
        place = (value.data_ptr(), value.shape, value.stride(), value.dtype)
        if not value.numel() or place not in seen:
            found[name] = value
        seen.add(place)
    return found


def load_weights(net: Any, path: Path) -> None:
    """Loads safetensors weights into a network that they fit exactly.

    Args:
        net: a network.
        path: the file.

    Raises:
        CheckpointCorrupt: if the file is broken.
        ModelMismatch: if a tensor is missing, has another shape or type, or is not finite.
    """
    check_header(path)
    expected = {name: tuple(value.shape) for name, value in tensors_of(net).items()}
    try:
        with safe_open(path, "pt") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        _check_equal(expected, found, path)
        tensors = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise CheckpointCorrupt(f"{path.name} cannot be read ({str(error)[:200]}); copy it again") from error
    own = {name: value.dtype for name, value in net.state_dict().items()}
    odd = [name for name, value in tensors.items() if value.dtype not in FLOATS and value.dtype != own[name]]
    if odd:
        raise ModelMismatch(f"{path.name} holds {tensors[odd[0]].dtype} in {odd[:3]}, not weights; copy it again")
    broken = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelMismatch(f"{path.name} holds NaN or infinite weights in {broken[:3]}; train again")
    net.load_state_dict(tensors, strict=False)  # of a tensor with two names there is one; all others are there


def _check_equal(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]], path: Path) -> None:
    if expected != found:
        differing = sorted(n for n in expected.keys() | found.keys() if expected.get(n) != found.get(n))[:3]
        raise ModelMismatch(f"{path.name} does not fit the network in model.json; it differs in {differing}")
