"""Training in bf16 on a CPU: the convolutions whose weights oneDNN gives a wrong gradient."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class ShallowInFloat32(TorchFunctionMode):
    """Under autocast to bf16, 3D convolutions of fewer slices than their kernel has are computed in float32.

    Of these oneDNN 3.12 (torch 2.13) makes the gradient of the weights from memory that nobody has written: mostly
    zeros and so unseen, at times NaN or 1e34, and with kernels of 7 it writes where it must not. Of a kernel of 3 it is
    the case of two slices, as at the bottom of a U-Net of a small patch. They are a small part of a network's work.

    Examples:
        >>> kernel = torch.ones(1, 1, 3, 3, 3)
        >>> with torch.autocast("cpu", torch.bfloat16), ShallowInFloat32():
        ...     shallow, deep = (torch.conv3d(torch.full((1, 1, n, 4, 4), 1 / 3), kernel, padding=1) for n in (2, 4))
        >>> shallow.dtype, shallow[0, 0, 0, 1, 1] == torch.tensor(6.0).bfloat16(), deep.dtype
        (torch.bfloat16, tensor(True), torch.bfloat16)
    """

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """What torch calls in place of each of its functions."""
        kwargs = kwargs or {}
        if func is not torch.conv3d or not _is_in_bf16():
            return func(*args, **kwargs)
        given = dict(zip(("input", "weight"), args, strict=False)) | kwargs
        slices, kernel = given["input"].shape[2], given["weight"].shape[2]
        if not 1 < slices < kernel:
            return func(*args, **kwargs)
        with torch.autocast("cpu", enabled=False):
            found = func(*map(_float, args), **{name: _float(value) for name, value in kwargs.items()})
        return found.to(torch.bfloat16)


def _is_in_bf16() -> bool:
    return torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") is torch.bfloat16


def _float(value: Any) -> Any:
    return value.float() if isinstance(value, Tensor) else value


def exact_gradients(device: torch.device) -> AbstractContextManager:
    """Where the loss of a training step on a device is to be computed.

    Args:
        device: of the network.

    Examples:
        >>> type(exact_gradients(torch.device("cpu"))).__name__, type(exact_gradients(torch.device("cuda"))).__name__
        ('ShallowInFloat32', 'nullcontext')
    """
    return ShallowInFloat32() if device.type == "cpu" else nullcontext()
