"""The bytes of image files: of regular files only, to their very end, and no further than their header promises."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Protocol

import numpy as np

from avnnet.data.limits import MAX_SURPLUS_BYTES
from avnnet.errors import MissingFile, ResourceLimitExceeded, UnreadableFile

BLOCK_BYTES = 1 << 20
ZLIB_OR_GZIP = 47  # for zlib's wbits: whichever of the two the first bytes show


class Stream(Protocol):
    """What is read here: a file, or its decompressed content."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def check_regular(path: Path, name: str = "") -> None:
    """Refuse a path that is no file and no link to one: a pipe or a device would keep its reader waiting for ever.

    Args:
        path: what should be a file.
        name: for messages; by default that of the path.

    Raises:
        MissingFile: if there is nothing.
        UnreadableFile: if it is something else.
    """
    if path.is_symlink() and not path.exists():
        raise UnreadableFile(f"{name or path.name} is a link to a file that is not there; copy the file itself")
    if not path.exists():
        raise MissingFile(f"no file or folder {path}; image paths in a cohort are relative to the cohort's CSV")
    if not path.is_file():
        raise UnreadableFile(f"{name or path.name} must be a file; it is a folder, a pipe or a device. Give the image")


@contextmanager
def opened(path: Path, name: str = "") -> Iterator[BufferedReader]:
    """A regular file at its first byte; whatever goes wrong with its bytes in the block is an `UnreadableFile`.

    Args:
        path: the file.
        name: for messages; by default that of the path. The second file of an image is called after the first, whose
            name callers take out of messages where it may be a patient's.

    Raises:
        MissingFile: if there is none.
        UnreadableFile: if it is no regular file, or cannot be opened, read or decompressed.
    """
    try:
        check_regular(path, name)
        with open(path, "rb") as file:
            yield file
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error  # without the path that an OSError adds
        raise UnreadableFile(
            f"{name or path.name} is truncated or damaged ({reason}); copy or export it again"
        ) from error


def filled(stream: Stream, size: int, name: str) -> np.ndarray:
    """The next bytes of a stream, which must be its last: what stands behind them is read and dropped.

    It is read because a compressed stream has its checksum at its end.

    Args:
        stream: the content at hand.
        size: what the header promises, in bytes.
        name: the file, for the message.

    Returns:
        `(size,)` bytes as uint8.

    Raises:
        UnreadableFile: if there are fewer.
        ResourceLimitExceeded: if there are more, beyond `MAX_SURPLUS_BYTES`.
    """
    content = np.empty(size, np.uint8)
    at = 0
    while at < size:
        block = stream.read(min(size - at, BLOCK_BYTES))
        if not block:
            raise UnreadableFile(
                f"{name} is truncated: its header promises {size} bytes of voxels, it has {at}; copy or export it again"
            )
        content[at : at + len(block)] = np.frombuffer(block, np.uint8)
        at += len(block)
    surplus = 0
    while block := stream.read(BLOCK_BYTES):
        surplus += len(block)
        if surplus > MAX_SURPLUS_BYTES:
            raise ResourceLimitExceeded(
                f"{name} must end after the {size} bytes of voxels that its header promises; it goes on for more than "
                f"{MAX_SURPLUS_BYTES} bytes. Export it again"
            )
    return content


def rest_of(stream: Stream, most: int, name: str) -> bytes:
    """All that is left of a stream, to its checksum.

    Args:
        stream: the content at hand.
        most: how many bytes it may be.
        name: the file, for the message.

    Raises:
        ResourceLimitExceeded: if it goes on for longer.
    """
    content = bytearray()
    while block := stream.read(BLOCK_BYTES):
        content += block
        if len(content) > most:
            raise ResourceLimitExceeded(
                f"{name} must end within {most} bytes behind its header; it goes on. Export it again"
            )
    return bytes(content)


class Inflated:
    """The content of a zlib stream inside a file, decompressed as it is read.

    Args:
        file: at the first compressed byte.
        size: how many bytes are compressed; None for all that follow.
    """

    def __init__(self, file: BufferedReader, size: int | None) -> None:
        self._file = file
        self._left = size
        self._decoder = zlib.decompressobj(wbits=ZLIB_OR_GZIP)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end.

        Raises:
            EOFError: if the stream stops in its middle.
        """
        while not self._decoder.eof:
            packed = self._decoder.unconsumed_tail or self._next()
            block = self._decoder.decompress(packed, size)
            if block:
                return block
        return b""

    def _next(self) -> bytes:
        packed = self._file.read(BLOCK_BYTES if self._left is None else min(BLOCK_BYTES, self._left))
        if not packed:
            raise EOFError("its compressed data end too early")
        if self._left is not None:
            self._left -= len(packed)
        return packed
