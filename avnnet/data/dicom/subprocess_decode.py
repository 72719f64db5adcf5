"""Decoding in a process of its own: a decoder that crashes on a damaged stream takes nothing else with it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from avnnet import errors
from avnnet.errors import AvnnetError, DecoderCrashed

Place = tuple[Path, int, tuple[int, int]]
"""A slice: its file, the index of its frame there, its rows and columns."""

# -P: a folder called "dl" or "json" where the user works must not be taken for a module
COMMAND = [sys.executable, "-P", "-m", "avnnet.data.dicom"]
DEADLINE_S, DEADLINE_PER_SLICE_S = 60.0, 1.0
MEMORY_BYTES = 8 << 30


def decoded_apart(places: Sequence[Place]) -> np.ndarray:
    """`(slices, rows, columns)` int32 values as they are stored, decoded by another process.

    Args:
        places: the slices.

    Raises:
        DecoderCrashed: if that process was ended by a signal, or by us at its deadline.
        AvnnetError: as it raised there.
    """
    asked = json.dumps([[str(path.resolve()), index, size] for path, index, size in places])
    deadline_s = DEADLINE_S + DEADLINE_PER_SLICE_S * len(places)
    try:
        done = subprocess.run(COMMAND, input=asked.encode(), capture_output=True, timeout=deadline_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise DecoderCrashed(
            f"the decoder of compressed pixels did not end within {deadline_s:.0f} s. Export the series uncompressed"
        ) from error
    if done.returncode == 0:
        values: np.ndarray = np.load(io.BytesIO(done.stdout), allow_pickle=False)
        return values
    try:
        name, message = json.loads(done.stdout)
        kind = {one.__name__: one for one in vars(errors).values() if isinstance(one, type)}[name]
    except (ValueError, KeyError, TypeError):
        raise DecoderCrashed(
            f"the decoder of compressed pixels crashed (exit status {done.returncode}): the series is damaged. Export "
            "it again, uncompressed if that can be chosen"
        ) from None
    raise kind(message)


def serve(decode: Callable[[Sequence[Place]], np.ndarray]) -> None:
    """Reads places from the standard input and writes their values, or an error, to the standard output.

    Args:
        decode: gives the values of places.
    """
    if sys.platform != "win32":  # which has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = [
        (Path(path), int(index), (int(rows), int(columns))) for path, index, (rows, columns) in json.load(sys.stdin)
    ]
    try:
        values = decode(asked)
    except AvnnetError as error:
        print(json.dumps([type(error).__name__, str(error)]))
        sys.exit(1)
    content = io.BytesIO()  # numpy asks a real file for its position, which a pipe has not
    np.save(content, values, allow_pickle=False)
    sys.stdout.buffer.write(content.getbuffer())
