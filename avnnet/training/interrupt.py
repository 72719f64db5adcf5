"""Ctrl-C, and a notebook's stop button, while other people's code runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def clean_interrupt() -> Iterator[None]:
    """An interrupt within the block leaves it as KeyboardInterrupt, and Ctrl-C is afterwards as it was before.

    Lightning makes SystemExit of it, which would end a notebook's kernel, and leaves every later Ctrl-C ignored;
    torch makes a ValueError of it where it meets one while it asks a storage for its size.

    Examples:
        >>> try:
        ...     with clean_interrupt():
        ...         raise SystemExit(1)
        ... except KeyboardInterrupt:
        ...     print("stopped")
        stopped
    """
    before = signal.getsignal(signal.SIGINT)
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if callable(before):
            before(number, frame)

    # only the main thread hears signals, and may say who does
    is_heard_here = callable(before) and threading.current_thread() is threading.main_thread()
    if is_heard_here:
        signal.signal(signal.SIGINT, hear)
    try:
        yield
    except SystemExit as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        if heard:
            raise KeyboardInterrupt from error
        raise
    finally:
        if is_heard_here:
            signal.signal(signal.SIGINT, before)
