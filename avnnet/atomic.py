"""Files that are whole or not there, whoever is killed when."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from avnnet.errors import OutputNotWritable, UnsafePath

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

PARTIAL = ".partial-"
LOCK = ".lock"


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
        partial.unlink(missing_ok=True)  # a link that somebody has put there would be written through
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


@contextmanager
def whole_folder(folder: str | Path) -> Iterator[Path]:
    """A partial folder to write files into; it becomes `folder` when the block ends well, else it is removed.

    Args:
        folder: the folder to make, which must not exist or be empty; the one around it is made when needed.

    Raises:
        OutputNotWritable: if the folder holds something already, or cannot be written to, or the disk is full.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as place:
        ...     with whole_folder(Path(place) / "a") as partial:
        ...         _ = (partial / "b.txt").write_text("whole")
        ...     [str(path.relative_to(place)) for path in Path(place).rglob("*.txt")]
        ['a/b.txt']
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputNotWritable(f"{folder} is there already and not an empty folder; move it away or choose another")
    rest = f"-{socket.gethostname()}-{folder.name}"
    partial = folder.with_name(f"{PARTIAL}{os.getpid()}{rest}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_litter(folder.parent, rest)
        partial.mkdir()
        yield partial
        for path in (*partial.iterdir(), partial):
            _to_disk(path)
        os.replace(partial, folder)  # refused by the system if somebody has filled the folder meanwhile
        with suppress(OSError):  # some network folders cannot be waited for
            _to_disk(folder.parent)
    except OSError as error:
        raise OutputNotWritable(f"cannot write {folder}: {error.strerror or error}; choose another folder") from error
    except OutputNotWritable as error:
        raise OutputNotWritable(str(error).replace(str(partial), str(folder))) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check_absent(path: Path) -> None:
    """Refuse a path that something stands at.

    Args:
        path: a file or folder to make.

    Raises:
        OutputNotWritable: if there is something.
    """
    if path.exists() or path.is_symlink():
        raise OutputNotWritable(f"{path} is there already, and is not written over; move it away or choose another")


def check_links(folder: str | Path) -> None:
    """Refuse a folder of outputs in which a link leads out of it.

    Args:
        folder: where a command is to write; it need not exist, and may be a link itself.

    Raises:
        UnsafePath: if one does.
    """
    root = Path(folder).resolve()
    for place, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(place, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise UnsafePath(
                    f"{path.relative_to(root)} in the folder of the outputs is a link to outside of it, which is not "
                    "written through; remove the link, or choose another folder"
                )


def check_writable(folder: str | Path) -> None:
    """Refuse a folder of outputs that cannot be written to, before any work is done for it.

    Args:
        folder: where a command is to write; made when needed.

    Raises:
        OutputNotWritable: if it is a file or cannot be written to, or the disk is full.
    """
    trial = Path(folder) / f"{PARTIAL}trial"
    try:
        write_text_atomically(trial, "")
    except OutputNotWritable as error:
        raise OutputNotWritable(str(error).replace(str(trial), str(folder))) from error
    trial.unlink(missing_ok=True)


@contextmanager
def alone_in(folder: str | Path) -> Iterator[None]:
    """Keeps other processes that ask for the same out of a folder, until the block or the process ends.

    Args:
        folder: where a file `.lock` is made, which stays.

    Raises:
        OutputNotWritable: if another process has asked for it, or the folder cannot be written to.

    Examples:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder, alone_in(folder):
        ...     with alone_in(folder):
        ...         pass
        Traceback (most recent call last):
        ...
        avnnet.errors.OutputNotWritable: another avnnet works in this folder; end it, or choose another --out
    """
    path = Path(folder) / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise OutputNotWritable(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
    try:
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OutputNotWritable("another avnnet works in this folder; end it, or choose another --out") from error
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _remove_litter(folder: Path, rest: str) -> None:
    """Removes what processes of this machine that were killed have left of the same file."""
    for name in os.listdir(folder):
        if name.startswith(PARTIAL) and name.endswith(rest):
            number = name.removeprefix(PARTIAL).removesuffix(rest)
            if number.isdecimal() and not _is_running(int(number)):
                litter = folder / name
                shutil.rmtree(litter) if litter.is_dir() else litter.unlink(missing_ok=True)


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
