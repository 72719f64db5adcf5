"""Files that are whole or not there, whoever is killed when."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avnnet.errors import OutputNotWritable

PARTIAL = ".partial-"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """A partial path to write to; it takes the place of `path` when the block ends well, else it is removed.

    Args:
        path: the file to make; its folder is made when needed.

    Raises:
        OutputNotWritable: if the folder cannot be written to, or the disk is full.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with whole_file(Path(folder) / "a.txt") as partial:
        ...         _ = partial.write_text("whole")
        ...     [file.name for file in Path(folder).iterdir()]
        ['a.txt']
    """
    path = Path(path)
    # the process number keeps two processes apart; the suffix stays, because writers choose the format by it
    rest = f"-{socket.gethostname()}-{path.name}"
    partial = path.with_name(f"{PARTIAL}{os.getpid()}{rest}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_litter(path.parent, rest)
        yield partial
        _to_disk(partial)
        os.replace(partial, path)
        with suppress(OSError):  # some network folders cannot be waited for
            _to_disk(path.parent)
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _remove_litter(folder: Path, rest: str) -> None:
    """Removes what processes of this machine that were killed have left of the same file."""
    for name in os.listdir(folder):
        if name.startswith(PARTIAL) and name.endswith(rest):
            number = name.removeprefix(PARTIAL).removesuffix(rest)
            if number.isdecimal() and not _is_running(int(number)):
                (folder / name).unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _to_disk(path: Path) -> None:
    """Waits until a file's content, or a folder's names, are on the disk: a power cut must not leave an empty file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text_atomically(path: str | Path, text: str) -> Path:
    """The path written: text in UTF-8, whole or not at all.

    Raises:
        OutputNotWritable: if the folder cannot be written to, or the disk is full.
    """
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return Path(path)
