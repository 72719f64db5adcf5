"""nnU-Net's `checkpoint_final.pth`: written, and read without running anything that it holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from avnnet.errors import CheckpointCorrupt, InvalidResults, ResourceLimitExceeded, UnsafeCheckpoint

MAX_BYTES = 4 << 30  # weights and the momentum of the largest residual U-Net take 1 GiB
KEYS = ("network_weights", "init_args", "trainer_name")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What is taken from a checkpoint.

    Args:
        weights: `network_weights` by nnU-Net's names.
        configuration: of the plans, "3d_fullres".
        trainer: the class that trained it.
        mirror_axes: axes whose mirror images are predicted too.
    """

    weights: Mapping[str, Tensor]
    configuration: str
    trainer: str
    mirror_axes: tuple[int, ...]


class _Scalar:
    """In place of numpy's numbers in the log of a training, which are not asked: whatever they hold is dropped."""

    def __init__(self, *_: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


STAND_INS: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Scalar, name) for name in ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype")
]


def read_checkpoint(path: Path) -> Checkpoint:
    """The weights in a checkpoint of nnU-Net, and what they belong to.

    `torch.load` reads it with `weights_only=True`: a pickle that names a function is refused before it could call one.
    A training's log holds numbers of numpy; they are read as nothing.

    Args:
        path: `checkpoint_final.pth`.

    Raises:
        UnsafeCheckpoint: if it holds more than numbers and text.
        CheckpointCorrupt: if it is cut or damaged.
        InvalidResults: if it is no checkpoint of nnU-Net version 2.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ResourceLimitExceeded(f"{path.name} takes {size} bytes; a checkpoint takes at most {MAX_BYTES >> 30} GiB")
    try:
        with torch.serialization.safe_globals(STAND_INS):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise UnsafeCheckpoint(
            f"{path.name} is not loaded: it is cut, or holds more than numbers and text, which could run code "
            f"({_first_line(error)}). nnU-Net's own checkpoints hold neither; take it from where it was trained"
        ) from error
    except Exception as error:  # whatever the reader meets first in a file that is none
        raise CheckpointCorrupt(f"{path.name} cannot be read ({_first_line(error)}); copy it again") from error
    lacking = [key for key in KEYS if not isinstance(content, Mapping) or key not in content]
    if lacking:
        raise InvalidResults(f"{path.name} is no checkpoint of nnU-Net version 2: it lacks {', '.join(lacking)}")
    weights, begun = content["network_weights"], content["init_args"]
    is_whole = isinstance(weights, Mapping) and isinstance(begun, Mapping) and "configuration" in begun
    if not is_whole or not all(isinstance(n, str) and isinstance(one, Tensor) for n, one in weights.items()):
        raise InvalidResults(
            f"{path.name} is no checkpoint of nnU-Net version 2: its weights have no names, or no plan"
        )
    axes = content.get("inference_allowed_mirroring_axes")
    mirrored = () if axes is None else tuple(axes) if isinstance(axes, list | tuple) else (axes,)
    if not all(isinstance(axis, int) and 0 <= axis < 3 for axis in mirrored) or len(set(mirrored)) != len(mirrored):
        raise InvalidResults(
            f"inference_allowed_mirroring_axes of {path.name} are some of 0, 1, 2; found {str(axes)[:80]}"
        )
    return Checkpoint(weights, str(begun["configuration"]), str(content["trainer_name"]), mirrored)


def checkpoint_of(
    weights: Mapping[str, Tensor], init_args: Mapping[str, Any], mirror_axes: list[int]
) -> dict[str, Any]:
    """The content of a `checkpoint_final.pth` that nnU-Net predicts with; it holds no state of a training.

    Args:
        weights: `network_weights` by nnU-Net's names.
        init_args: plans, configuration, fold and dataset_json.
        mirror_axes: axes whose mirror images are predicted too.

    Examples:
        >>> sorted(checkpoint_of({}, {}, [0]))[-3:]
        ['network_weights', 'optimizer_state', 'trainer_name']
    """
    return {
        "network_weights": dict(weights),
        "optimizer_state": None,
        "grad_scaler_state": None,
        "logging": {},
        "_best_ema": None,
        "current_epoch": 0,
        "init_args": dict(init_args),
        "trainer_name": "nnUNetTrainer",
        "inference_allowed_mirroring_axes": tuple(mirror_axes) or None,
    }


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    found = [line for line in text.splitlines() if "GLOBAL" in line or "Unsupported" in line]
    return (found or text.splitlines())[0][:200]
