"""A watched folder as a service: what ends it, and how."""

from __future__ import annotations

import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avnnet.cases.watch import Watch


def watch(watched: Watch) -> int:
    """0, when somebody has ended it: the first Ctrl-C or SIGTERM lets it finish the scan at hand, the second does not.

    Args:
        watched: what is watched.

    Raises:
        OutputNotWritable: if another process watches for the same output, or the disk is full.
    """
    signals = (signal.SIGINT, signal.SIGTERM)
    before = {one: signal.getsignal(one) for one in signals}

    def end(number: int, frame: FrameType | None) -> None:
        if watched.stop.is_set():
            raise KeyboardInterrupt
        watched.stop.set()

    for one in signals:
        signal.signal(one, end)
    try:
        watched.run()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    watched.reporter.say("watching has ended; the same command goes on")
    return 0
