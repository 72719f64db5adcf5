"""Runs steps in a process of their own and watches it: what hangs or dies costs its own row and no other."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from benchmarks.device.errors import NotReady
from benchmarks.device.plan import NO_TIME
from benchmarks.device.report import Report

Command = Callable[[list[str]], list[str]]


class Watch:
    """A worker that tells a line of JSON for each step begun, row found and step ended.

    It stops itself when a step's seconds are over. Where it does not, as in a kernel that never comes back, it is
    killed, and another one goes on with the steps that are left.

    Args:
        command: words that start a worker for these steps.
        report: where rows go.
        until_s: when all must be over, as `time.time()` counts.
        log: a file for what workers print.
        grace_s: how long past its seconds a step may take.
        start_s: how long a worker may take to begin its first step.
    """

    def __init__(
        self, command: Command, report: Report, *, until_s: float, log: Path, grace_s: float = 10, start_s: float = 60
    ) -> None:
        self.command, self.report, self.until_s, self.log = command, report, until_s, log
        self.grace_s, self.start_s = grace_s, start_s

    def run(self, names: Sequence[str]) -> None:
        """Takes the steps to their end, whatever happens to one of them.

        Raises:
            NotReady: if the worker says that the machine is of no use.
        """
        left = list(names)
        while left:
            if time.time() >= self.until_s:
                for name in left:
                    self.report.add(name, {"error": NO_TIME})
                return
            left = self._one_worker(left)

    def _one_worker(self, left: list[str]) -> list[str]:
        with open(self.log, "a", encoding="utf-8") as log:
            worker = subprocess.Popen(
                self.command(left), stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
            )
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_pass_on, args=(worker, lines), daemon=True)
        reader.start()
        current, has_begun, limit_s, deadline = None, False, self.start_s, time.monotonic() + self.start_s
        try:
            while (line := _next(lines, deadline)) is not None:
                told = json.loads(line)
                if "refused" in told:
                    raise NotReady(told["refused"])
                if "begin" in told:
                    current, has_begun, limit_s = told["begin"], True, told["limit_s"]
                    deadline = time.monotonic() + limit_s + self.grace_s
                elif "row" in told:
                    self.report.add(str(current), told["row"])
                else:
                    if told["error"]:
                        self.report.add(str(current), {"error": told["error"]})
                    left = [name for name in left if name != current]
                    current, deadline = None, time.monotonic() + self.start_s
            code = worker.wait()
            if current is not None or not has_begun:
                # one that ends before its first step would be started for ever
                failed = current or left[0]
                self.report.add(failed, {"error": f"its process ended with code {code}; see {self.log.name}"})
                left = [name for name in left if name != failed]
        except TimeoutError:
            failed = current or left[0]
            self.report.add(failed, {"error": f"killed: it did not come back after its {limit_s:.0f} s"})
            left = [name for name in left if name != failed]
        finally:
            _kill(worker)
            reader.join(timeout=self.grace_s)
        return left


def _pass_on(worker: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    if worker.stdout is not None:
        with worker.stdout as told:
            for line in told:
                lines.put(line)
    lines.put(None)


def _next(lines: queue.SimpleQueue[str | None], deadline: float) -> str | None:
    try:
        return lines.get(timeout=max(0.0, deadline - time.monotonic()))
    except queue.Empty:
        raise TimeoutError from None


def _kill(worker: subprocess.Popen[str]) -> None:
    # the whole session: loaders and tests that it started must not keep the device
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
