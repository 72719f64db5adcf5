"""Many mutants in processes of their own, each with a limit of memory and watched by the clock."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path

MEMORY_BYTES = 2 << 30
HANGS_S = 30.0  # the mutant itself is told after 10 s, if it comes to an end


@dataclass
class Campaign:
    """What came out.

    Args:
        counts: how many mutants were read, and how many refused.
        faults: what went wrong, by number.
        taken_s: by the clock.
        processor_s: of all processes together, which is the same however busy the machine is.
    """

    counts: Counter = field(default_factory=Counter)
    faults: dict[int, str] = field(default_factory=dict)
    taken_s: float = 0.0
    processor_s: float = 0.0

    def __str__(self) -> str:
        count, times = (
            sum(self.counts.values()) + len(self.faults),
            f"{self.taken_s:.0f} s, {self.processor_s:.0f} s of",
        )
        lines = [f"{count} mutants in {times} processor: {dict(self.counts)}"]
        lines += [f"  {seed}: {what}" for seed, what in sorted(self.faults.items())]
        return "\n".join([*lines, "rerun one: python -m tests.faults.fuzz --seed N"] if self.faults else lines)


def run(seeds: Iterable[int], *, processes: int = 2) -> Campaign:
    """What comes out of the mutants of these numbers."""
    done, start, before_s, queue = Campaign(), time.perf_counter(), _processor_s(), list(seeds)
    workers = [_Worker(queue[nth::processes]) for nth in range(processes)]
    while any(worker.left for worker in workers):
        busy = [worker for worker in workers if worker.left]
        ready = wait([worker.pipe for worker in busy], timeout=1.0)
        for worker in busy:
            if worker.pipe in ready or time.monotonic() - worker.since > HANGS_S:
                worker.take(done, worker.pipe in ready)
    for worker in workers:
        worker.end()
    done.taken_s, done.processor_s = time.perf_counter() - start, _processor_s() - before_s
    return done


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Worker:
    """A process that is started again where a mutant ends it."""

    def __init__(self, seeds: list[int]) -> None:
        self.left = list(seeds)
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(self.left, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.since = time.monotonic() + 60  # to import torch

    def take(self, done: Campaign, is_ready: bool) -> None:
        try:
            if not is_ready:
                raise EOFError
            seed, what = self.pipe.recv()
        except EOFError:
            seed, what = self.left[0], f"took more than {HANGS_S:.0f} s, or ended the process"
            self.end()
            self.left.remove(seed)
            self._record(done, seed, what)
            if self.left:
                self._start()
            return
        self.left.remove(seed)
        self._record(done, seed, what)
        self.since = time.monotonic()

    @staticmethod
    def _record(done: Campaign, seed: int, what: str) -> None:
        if what in ("read", "refused"):
            done.counts[what] += 1
        else:
            done.faults[seed] = what

    def end(self) -> None:
        self.process.kill()
        self.process.join()


def _work(seeds: list[int], pipe: Connection) -> None:
    import torch

    from tests.faults.fuzz.mutant import outcome

    torch.set_num_threads(1)
    limit_memory()
    with tempfile.TemporaryDirectory() as place:
        for seed in seeds:
            pipe.send((seed, outcome(seed, Path(place) / "mutant")))


def limit_memory() -> None:
    """Lets this process take 2 GiB more than it has; what it starts may raise that for itself."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY_BYTES, most))
