"""Takes steps one after another and tells of each: started by `Watch`, as `python -m benchmarks.device.worker`."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from benchmarks.device.bench import Bench
from benchmarks.device.errors import NotReady, OutOfTime
from benchmarks.device.plan import BY_NAME, MIN_STEP_S, NO_TIME, limit_s

BROKEN = 5
"""Exit code after an error that leaves the device unusable in this process."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=json.loads, required=True)
    parser.add_argument("--until-s", type=float, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--dry", action="store_true")
    args = parser.parse_args()
    # what libraries print must not stand between the lines
    told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, _stop)
    for number, name in enumerate(args.steps):
        wishes_s = [BY_NAME[one].wish_s for one in args.steps[number:]]
        bench = Bench(args.folder, limit_s(wishes_s, args.until_s - time.time()), is_dry=args.dry)
        _tell(told, {"begin": name, "limit_s": round(bench.limit_s, 1)})
        if bench.limit_s < MIN_STEP_S:
            _tell(told, {"end": name, "error": NO_TIME})
            continue
        error = _guarded(name, bench, lambda row: _tell(told, {"row": row}))
        if isinstance(error, NotReady):
            _tell(told, {"refused": str(error)})
            return 2
        _tell(told, {"end": name, "error": _in_words(error, bench)})
        if error is not None and "CUDA error" in str(error):
            return BROKEN
        _clear()
    return 0


def _guarded(name: str, bench: Bench, row: Callable[[dict[str, object]], None]) -> BaseException | None:
    step = BY_NAME[name]
    module, function = step.call.split(":")
    try:
        signal.setitimer(signal.ITIMER_REAL, bench.limit_s)
        for figures in getattr(importlib.import_module(f"benchmarks.device.{module}"), function)(bench, **step.words):
            row(figures)
    except (Exception, OutOfTime) as error:
        traceback.print_exc()
        return error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return None


def _in_words(error: BaseException | None, bench: Bench) -> str | None:
    if error is None:
        return None
    if isinstance(error, OutOfTime):
        return f"out of its {bench.limit_s:.0f} s"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _stop(*_: object) -> None:
    raise OutOfTime


def _clear() -> None:
    """What a step left on the device is freed for the next."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def _tell(told: TextIO, line: dict[str, object]) -> None:
    # an alarm in the middle would leave half a line
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    print(json.dumps(line, default=float), file=told, flush=True)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])


if __name__ == "__main__":
    sys.exit(main())
