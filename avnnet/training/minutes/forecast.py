"""What long work will take, in words, before it begins: time, memory, disk."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

GIB = 2.0**30
# two checkpoints with two moments of the optimiser, and the model folder
COPIES_OF_WEIGHTS = 2 * 3 + 1


def duration(seconds: float) -> str:
    """A time in words.

    Examples:
        >>> [duration(s) for s in (41, 541, 13000, 900_000)]
        ['41 s', '9 min', '3.6 h', '10.4 days']
    """
    for unit, length_s, digits in (("days", 86400, 1), ("h", 3600, 1), ("min", 60, 0)):
        if seconds >= 2 * length_s or (seconds >= 100 and unit == "min"):
            return f"{seconds / length_s:.{digits}f} {unit}"
    return f"{max(seconds, 1):.0f} s"


def size(count_bytes: float) -> str:
    """A number of bytes in words.

    Examples:
        >>> size(5_000_000), size(3_000_000_000)
        ('5 MiB', '2.8 GiB')
    """
    return f"{count_bytes / GIB:.1f} GiB" if count_bytes >= GIB else f"{max(count_bytes / 2**20, 1):.0f} MiB"


def disk_bytes(net: nn.Module, cached: Iterable[Path]) -> tuple[int, int]:
    """The disk that a training needs: that of its checkpoints and model, and that of its prepared cases.

    Args:
        net: the network.
        cached: files of the prepared cases.
    """
    weights = sum(one.numel() * one.element_size() for one in net.state_dict().values())
    return COPIES_OF_WEIGHTS * weights, sum(path.stat().st_size for path in cached)


def forecast(what: str, seconds: float, disk: float, folder: Path) -> str:
    """The line that is said before long work.

    Memory is the most that this process has held, the timed steps included.

    Args:
        what: the work.
        seconds: that it will take.
        disk: bytes that it will take on the disk.
        folder: where.
    """
    memory = size(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    if torch.cuda.is_available():
        memory += f" and {size(torch.cuda.max_memory_allocated())} of the GPU"
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = size(shutil.disk_usage(there).free)
    return f"{what}: about {duration(seconds)}; memory about {memory}; disk about {size(disk)} ({free} are free)"
