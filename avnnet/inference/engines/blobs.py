"""Compiled networks on the disk: whole or not there, and of the bytes that were written."""

from __future__ import annotations

import hashlib
from pathlib import Path

from avnnet.atomic import whole_file
from avnnet.errors import OutputNotWritable

MARK = b"avnnet compiled 1\n"


def read_blob(path: Path) -> bytes | None:
    """The compiled network in a file, or None where there is none or it is damaged: a compiler would crash on that.

    Args:
        path: what `write_blob` wrote.

    Examples:
        >>> read_blob(Path("nowhere.blob")) is None
        True
    """
    try:
        content = path.read_bytes()
    except OSError:
        return None
    start = len(MARK) + hashlib.sha256().digest_size
    blob = content[start:]
    is_whole = content[:start] == MARK + hashlib.sha256(blob).digest()
    return blob if is_whole else None


def write_blob(path: Path, blob: bytes) -> str:
    """Why it could not be written; empty if it was. Two processes that write one file write the same.

    Args:
        path: the file to make.
        blob: a compiled network.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "a.blob"
        ...     write_blob(path, b"network"), read_blob(path), path.write_bytes(b"cut"), read_blob(path)
        ('', b'network', 3, None)
    """
    try:
        with whole_file(path) as partial:
            partial.write_bytes(MARK + hashlib.sha256(blob).digest() + blob)
    except OutputNotWritable as error:
        return str(error)
    return ""
